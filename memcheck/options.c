/* SPDX-License-Identifier: MIT */
/* Memcheck's options: their values, and what several of them together mean. */
#include <pthread.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "memcheck.h"

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
};

/* ---- address ranges ----------------------------------------------------------------- */

typedef struct Range { GuestAddr start, end; } Range;
static VEC(Range) ignored;
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

void mc_ignore_range(GuestAddr a, size_t len, bool ignore)
{
    pthread_mutex_lock(&lock);
    if (ignore) {
        vec_push(&ignored, ((Range){ a, a + len }));
    } else {
        for (size_t i = ignored.n; i-- > 0;)
            if (ignored.data[i].start >= a && ignored.data[i].end <= a + len)
                vec_remove(&ignored, i);
    }
    pthread_mutex_unlock(&lock);
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
        vec_push(&ignored, ((Range){ lo, hi + 1 }));
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

static const char *parse_xtree(const char *value)
{
    return strcmp(value, "no") == 0 || strcmp(value, "none") == 0
               ? NULL : "heap trees (xtree) are not supported";
}

static const char *parse_anything(const char *value)
{
    (void)value;
    return NULL;
}

const GimleOption mc_option_table[] = {
#define O mc_options
#define BOOL_OPTION(name, field, help) { name, OPT_BOOL, &O.field, NULL, 0, 0, help, NULL },
#define INT_OPTION(name, field, unit, lo, hi, help)                                        \
    { name, OPT_INT, &O.field, unit, lo, hi, help, NULL },
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
    mc_options.stats = gimle_core_option("stats") > 0;
    mc_options.max_stackframe = gimle_core_option("max-stackframe");
    if (!mc_options.undef_value_errors && mc_options.track_origins)
        gimle_user_error("--track-origins=yes has no meaning with --undef-value-errors=no");
}
