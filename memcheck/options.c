/* SPDX-License-Identifier: MIT */
/* Memcheck's options: their values, and what several of them together mean. */
#include <pthread.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "memcheck.h"
#include "gimle/xtree.h"

enum { ALL_KINDS = (1u << LEAK_KINDS) - 1, ALL_HEURISTICS = 0xf };

McOptions mc_options = {
    .leak_check = LEAK_SUMMARY,
    .leak_resolution = 2,
    .show_leak_kinds = 1u << LEAK_DEFINITE | 1u << LEAK_POSSIBLE,
    .error_leak_kinds = 1u << LEAK_DEFINITE | 1u << LEAK_POSSIBLE,
    .leak_heuristics = ALL_HEURISTICS,
    .keep_stacks = KEEP_BOTH,
    .undef_value_errors = true,
    .partial_loads_ok = true,
    .fast_mode = true,
    .show_mismatched_frees = true,
    .freelist_vol = 20000000,
    .freelist_big_blocks = 1000000,
    .max_stackframe = 2000000,
    .red_zone = 16,
    .malloc_fill = -1,
    .free_fill = -1,
    .xtree_leak_file = "xtleak.kcg.%p",
};

/* ---- address ranges ----------------------------------------------------------------- */

/** @p asked: by the client, not by an option. */
typedef struct Range { GuestAddr start, end; bool asked; } Range;
static VEC(Range) ignored; /* by address; they do not overlap */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /**< a leaf */

bool mc_is_ignored_address(GuestAddr a)
{
    bool found = false;
    if (ignored.n == 0)
        return false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < ignored.n && !found; i++)
        found = a >= ignored.data[i].start && a < ignored.data[i].end;
    pthread_mutex_unlock(&lock);
    return found;
}

static int by_start(const void *x, const void *y)
{
    const Range *a = x, *b = y;
    return a->start < b->start ? -1 : a->start > b->start;
}

/** What is said of [start, end) from now on; pieces of older ranges stay. Lock held. */
static void set_range(GuestAddr start, GuestAddr end, bool ignore, bool asked)
{
    for (size_t i = ignored.n; i-- > 0;) {
        Range r = ignored.data[i];
        if (r.end <= start || r.start >= end)
            continue;
        vec_remove(&ignored, i);
        if (r.start < start)
            vec_push(&ignored, ((Range){ r.start, start, r.asked }));
        if (r.end > end)
            vec_push(&ignored, ((Range){ end, r.end, r.asked }));
    }
    if (ignore && end > start)
        vec_push(&ignored, ((Range){ start, end, asked }));
    if (ignored.n > 1)
        qsort(ignored.data, ignored.n, sizeof *ignored.data, by_start);
}

void mc_ignore_range(GuestAddr a, size_t len, bool ignore)
{
    pthread_mutex_lock(&lock);
    set_range(a, a + len, ignore, true);
    pthread_mutex_unlock(&lock);
}

/** Ranges are numbered together with the gaps between them, which count from address 0. */
void mc_ignored_ranges_warn(void)
{
    size_t asked = 0, number = 0;
    GuestAddr after = 0;
    for (size_t i = 0; i < ignored.n; i++)
        asked += ignored.data[i].asked;
    if (asked == 0)
        return;
    gimle_umsg("WARNING: exiting program has the following client-requested\n");
    gimle_umsg("WARNING: address error disablement range(s) still in force,\n");
    gimle_umsg("WARNING: possibly as a result of some mistake in the use of the\n");
    gimle_umsg("WARNING: VALGRIND_{DISABLE,ENABLE}_ERROR_REPORTING_IN_RANGE macros.\n");
    for (size_t i = 0; i < ignored.n; i++, number++) {
        const Range *r = &ignored.data[i];
        number += r->start > after;
        after = r->end;
        if (r->asked)
            gimle_umsg("   [%zu]  0x%016lx-0x%016lx  ClientReq\n", number, (unsigned long)r->start,
                       (unsigned long)r->end - 1);
    }
}

/** "0xPP-0xQQ[,0xRR-0xSS]" */
static const char *parse_ignore_ranges(const char *value)
{
    for (;;) {
        char *end;
        unsigned long long lo = strtoull(value, &end, 0);
        if (end == value || *end != '-')
            return "expected START-END";
        value = end + 1;
        unsigned long long hi = strtoull(value, &end, 0);
        if (end == value || hi < lo)
            return "expected START-END with START not above END";
        set_range(lo, hi + 1, true, false);
        if (*end == '\0')
            return NULL;
        if (*end != ',')
            return "expected a comma between ranges";
        value = end + 1;
    }
}

/** "1024-1": bytes below the stack pointer. */
static const char *parse_below_sp(const char *value)
{
    long long hi, lo;
    char rest;
    if (sscanf(value, "%lld-%lld%c", &hi, &lo, &rest) != 2 || lo < 1 || hi < lo)
        return "expected NUMBER-NUMBER, the first not below the second, the second above 0";
    mc_options.ignore_below_sp_hi = hi;
    mc_options.ignore_below_sp_lo = lo;
    return NULL;
}

/** An old name for what compilers did then. */
static const char *parse_gcc296(const char *value)
{
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return "expected yes or no";
    mc_options.ignore_below_sp_hi = *value == 'y' ? 1024 : 0;
    mc_options.ignore_below_sp_lo = *value == 'y' ? 1 : 0;
    return NULL;
}

/* ---- single options ----------------------------------------------------------------- */

static const char *parse_fill(const char *value, int *target)
{
    char *end;
    unsigned long v = strtoul(value, &end, 16);
    if (end == value || *end || v > 0xff)
        return "expected a byte in hexadecimal, 00 to ff";
    *target = (int)v;
    return NULL;
}

static const char *parse_malloc_fill(const char *value)
{
    return parse_fill(value, &mc_options.malloc_fill);
}

static const char *parse_free_fill(const char *value)
{
    return parse_fill(value, &mc_options.free_fill);
}

static bool is_yes(const char *value) { return strcmp(value, "yes") == 0; }
static bool is_yes_or_no(const char *value) { return is_yes(value) || strcmp(value, "no") == 0; }

static const char *parse_show_reachable(const char *value)
{
    if (!is_yes_or_no(value))
        return "expected yes or no";
    mc_options.show_leak_kinds = is_yes(value) ? ALL_KINDS
                                               : 1u << LEAK_DEFINITE | 1u << LEAK_POSSIBLE;
    return NULL;
}

static const char *parse_show_possibly_lost(const char *value)
{
    if (!is_yes_or_no(value))
        return "expected yes or no";
    mc_options.show_leak_kinds = 1u << LEAK_DEFINITE;
    if (is_yes(value))
        mc_options.show_leak_kinds |= 1u << LEAK_POSSIBLE;
    return NULL;
}

const GimleOption mc_option_table[] = {
#define O mc_options
#define BOOL_OPTION(name, field, help) { name, OPT_BOOL, &O.field, NULL, 0, 0, help, NULL },
#define INT_OPTION(name, field, unit, lo, hi, help)                                        \
    { name, OPT_INT, &O.field, unit, lo, hi, help, NULL },
#define STRING_OPTION(name, field, unit, help)                                             \
    { name, OPT_STRING, &O.field, unit, 0, 0, help, NULL },
#define CHOICE_OPTION(name, field, choices, help)                                          \
    { name, OPT_CHOICE, &O.field, choices, 0, 0, help, NULL },
#define SET_OPTION(name, field, choices, help)                                             \
    { name, OPT_SET, &O.field, choices, 0, 0, help, NULL },
#define FUNC_OPTION(name, parse, unit, help) { name, OPT_FUNC, NULL, unit, 0, 0, help, parse },
#include "options.def"
    { .name = NULL }
};

void mc_options_finish(void)
{
    int64_t red_zone = gimle_core_option("redzone-size");
    if (red_zone >= 0)
        mc_options.red_zone = red_zone;
    if (gimle_core_option("xml") > 0) /* readers of XML rely on it, whatever --leak-check= says */
        mc_options.leak_check = LEAK_FULL;
    mc_options.xtree_memory = (int)gimle_core_option("xtree-memory");
    if (mc_options.xtree_memory != HEAP_TREE_NONE &&
        (mc_options.keep_stacks == KEEP_NONE || mc_options.keep_stacks == KEEP_FREE))
        mc_options.keep_stacks = mc_options.keep_stacks == KEEP_FREE ? KEEP_BOTH : KEEP_ALLOC;
    mc_options.stats = gimle_core_option("stats") > 0;
    mc_options.max_stackframe = gimle_core_option("max-stackframe");
    if (!mc_options.undef_value_errors && mc_options.track_origins)
        gimle_user_error("--track-origins=yes has no meaning with --undef-value-errors=no");
}
