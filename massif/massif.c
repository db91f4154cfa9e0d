/* SPDX-License-Identifier: MIT */
/* The tool: its description for the core, and the events that its parts want. */
#include "massif.h"

#include <stdlib.h>

#include "alloc_tree.h"
#include "custom_blocks.h"
#include "heap_profile.h"
#include "instrument.h"
#include "monitor.h"
#include "output.h"
#include "page_profile.h"
#include "snapshots.h"

static GimleEvents events = {
    .thread_exit = instructions_thread_end,
    .fork_child = instructions_forked,
    .code_discard = context_code_changed,
};

static void on_thread_create(Thread *parent, Thread *child)
{
    (void)parent;
    instructions_thread_start(child);
}

static void on_map(MemWhy why, GuestAddr a, size_t len, int prot)
{
    (void)prot;
    pages_mapped(why, a, len);
}

static void on_unmap(MemWhy why, GuestAddr a, size_t len)
{
    (void)why;
    pages_unmapped(a, len);
}

static const VexMode massif_modes[] = {
    { .name = "count", .flags = VM_PINNED | VM_NATIVE | VM_PORTABLE,
      .instrument = ms_instrument },
};

/** Filled only if heap blocks are profiled: otherwise the client keeps its own allocator. */
static Intercept intercepts[64] = { { .symbol = NULL } };

static void massif_init(void)
{
    ms_options_finish();
    instructions_init();
    free(gimle_expand_file_name("--massif-out-file", ms_options.out_file));
    events.thread_create = on_thread_create;
    if (ms_options.pages_as_heap) {
        events.mem_map = on_map;
        events.mem_unmap = on_unmap;
        return;
    }
    heap_profile_start();
    snapshot_first();
    for (unsigned i = 0; ms_intercepts[i].symbol; i++)
        intercepts[i] = ms_intercepts[i];
}

static void massif_fini(int exit_code)
{
    (void)exit_code;
    if (ms_options.pages_as_heap)
        pages_stack_grown();
    output_write();
    heap_profile_end();
}

const GimleTool gimle_tool = {
    .api = GIMLE_TOOL_API,
    .name = "Massif",
    .description = "a heap profiler",
    .copyright = "Copyright (C) the Gimle authors, and MIT licensed.",
    .flags = TOOL_FREERES,
    .options = ms_option_table,
    .init = massif_init,
    .modes = massif_modes,
    .n_modes = 1,
    .events = &events,
    .intercepts = intercepts,
    .fini = massif_fini,
    .client_request = custom_block_request,
    .monitor = monitor_command,
};
