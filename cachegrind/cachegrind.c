/* SPDX-License-Identifier: MIT */
/* The tool: its description for the core, client requests, and what happens at the end. */
#include "cachegrind.h"

#include <stdlib.h>

#include "block_data.h"
#include "cache_config.h"
#include "cache_sim.h"
#include "cost_table.h"
#include "instrument.h"
#include "output.h"
#include "simulate.h"
#include "trace.h"

static VexMode modes[] = {
    { .name = "count", .flags = VM_PINNED | VM_NATIVE | VM_PORTABLE, .instrument = cg_instrument,
      .place = block_place },
};

static bool counting; /**< what runs now is to be shown */

static void set_counting(bool on)
{
    if (on && !counting)
        cost_forget();
    else if (!on && counting)
        cost_settle(0, GIMLE_CLIENT_END);
    counting = on;
}

static void cachegrind_init(void)
{
    cache_config_complete();
    if (cg_options.cache_sim) {
        cache_sim_init();
        modes[0].flags |= VM_PIN_TOOL0; /* the time */
    }
    sim_init();
    modes[0].key = cache_sim_key();
    trace_open();
    counting = cg_options.instr_at_start;
    free(gimle_expand_file_name("--cachegrind-out-file", cg_options.out_file));
}

static void on_code_discard(GuestAddr a, size_t len)
{
    if (counting)
        cost_settle(a, len);
}

static Thread *running; /**< it has the time */

static void on_thread_turn(Thread *t)
{
    if (t != running)
        sim_thread_runs(running ? gimle_thread_state(running) : NULL, gimle_thread_state(t));
    running = t;
}

static void on_thread_exit(Thread *t)
{
    if (t == running) {
        sim_thread_runs(gimle_thread_state(t), NULL);
        running = NULL;
    }
}

static void on_fork_child(Thread *t)
{
    (void)t;
    trace_forget();
}

static bool client_request(Thread *t, const uint64_t args[6], uint64_t *result)
{
    enum { REQUEST_START = 0, REQUEST_STOP = 1 };
    uint64_t number = args[0] - GIMLE_TOOL_REQUEST_BASE('C', 'G');
    (void)t;
    if (number > REQUEST_STOP)
        return false;
    set_counting(number == REQUEST_START);
    *result = 0;
    return true;
}

static void cachegrind_fini(int exit_code)
{
    (void)exit_code;
    set_counting(false);
    trace_close();
    output_write();
    if (gimle_core_option("quiet") <= 0)
        output_print_summary();
}

static const GimleEvents events = { .code_discard = on_code_discard,
                                    .thread_turn = on_thread_turn,
                                    .thread_exit = on_thread_exit,
                                    .fork_child = on_fork_child };

const GimleTool gimle_tool = {
    .api = GIMLE_TOOL_API,
    .name = "Cachegrind",
    .description = "a cache and branch-prediction profiler",
    .copyright = "Copyright (C) the Gimle authors, and MIT licensed.",
    .options = cg_option_table,
    .init = cachegrind_init,
    .modes = modes,
    .n_modes = 1,
    .events = &events,
    .fini = cachegrind_fini,
    .client_request = client_request,
};
