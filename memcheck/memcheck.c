/* SPDX-License-Identifier: MIT */
/* The tool: its description for the core, what happens at the start, and the summary at the end. */
#include "memcheck.h"

#include <string.h>

#include "base/check.h"
#include "client_requests.h"
#include "errors.h"
#include "instrument/stack_switch.h"
#include "intercept_malloc.h"
#include "intercept_string.h"
#include "leak/leak.h"
#include "origin/origin.h"
#include "gimle/xtree.h"

/** Room for the tables that it is put together from. */
static Intercept intercepts[512];

static unsigned add_intercepts(unsigned n, const Intercept *from)
{
    for (; from->symbol; from++) {
        CHECK(n + 1 < sizeof intercepts / sizeof intercepts[0], "too many intercepts");
        intercepts[n++] = *from;
    }
    return n;
}

static void memcheck_init(void)
{
    mc_options_finish();
    mc_modes_init();
    mc_heap_start();
    if (mc_options.track_origins)
        origin_init();
    add_intercepts(add_intercepts(0, mc_malloc_intercepts), mc_string_intercepts);
}

static void add_live(void *ctx, HeapBlock *b)
{
    uint64_t *sum = ctx;
    if (b->kind >= HEAP_POOL) /* part of something else, as Valgrind counts */
        return;
    sum[0]++;
    sum[1] += b->size;
}

static void print_heap_summary(uint64_t blocks, uint64_t bytes)
{
    McHeapStats s = mc_heap_stats();
    char a[32], f[32], n[32];
    gimle_umsg("HEAP SUMMARY:\n");
    gimle_umsg("    in use at exit: %s bytes in %s blocks\n", mc_commas(a, bytes),
               mc_commas(n, blocks));
    gimle_umsg("  total heap usage: %s allocs, %s frees, %s bytes allocated\n",
               mc_commas(a, s.allocs), mc_commas(f, s.frees), mc_commas(n, s.bytes));
    gimle_umsg("\n");
}

static void collect(void *ctx, Thread *t)
{
    (void)ctx;
    mc_modes_collect(t);
}

static void memcheck_fini(int exit_code)
{
    uint64_t live[2] = { 0, 0 };
    bool quiet = gimle_core_option("quiet") > 0, xml = gimle_core_option("xml") > 0;
    (void)exit_code;
    stack_switch_warn();
    gimle_thread_for_each_stopped(collect, NULL);
    gimle_heap_for_each(add_live, live);
    if (mc_options.xtree_memory != HEAP_TREE_NONE)
        gimle_heap_tree_write("--xtree-memory-file", gimle_core_option_text("xtree-memory-file"));
    if (!quiet && !xml)
        print_heap_summary(live[0], live[1]);
    if (mc_options.leak_check != LEAK_NO) {
        leak_check_at_exit(quiet, xml);
    } else if (!quiet && !xml) {
        gimle_umsg("For a detailed leak analysis, rerun with: --leak-check=full\n");
        gimle_umsg("\n");
    }
    if (mc_saw_undefined() && !mc_options.track_origins && !quiet && !xml)
        gimle_umsg("Use --track-origins=yes to see where uninitialised values come from\n");
    if (!xml)
        mc_ignored_ranges_warn();
}

const GimleTool gimle_tool = {
    .api = GIMLE_TOOL_API,
    .name = "Memcheck",
    .description = "a memory error detector",
    .copyright = "Copyright (C) the Gimle authors, and MIT licensed.",
    .flags = TOOL_PARALLEL | TOOL_REPORTS_ERRORS | TOOL_SHADOW | TOOL_FREERES,
    .options = mc_option_table,
    .init = memcheck_init,
    .modes = mc_modes,
    .n_modes = N_MODES,
    .events = &mc_events,
    .errors = &mc_error_ops,
    .intercepts = intercepts,
    .fini = memcheck_fini,
    .client_request = mc_client_request,
    .print_stats = mc_modes_print_stats,
    .monitor = mc_monitor,
};
