/* SPDX-License-Identifier: MIT */
/* Cachegrind's options and their values. */
#include <stdio.h>

#include "cache_config.h"
#include "cachegrind.h"

CgOptions cg_options = {
    .cache_sim = true,
    .instr_at_start = true,
    .out_file = "cachegrind.out.%p",
};

/** "32768,8,64": size, associativity, line size. */
static const char *parse_cache(const char *value, CacheKind k)
{
    unsigned long long size;
    unsigned assoc, line;
    char rest;
    if (sscanf(value, "%llu,%u,%u%c", &size, &assoc, &line, &rest) != 3)
        return "expected SIZE,ASSOCIATIVITY,LINE";
    cg_options.cache[k] = (CacheConfig){ size, assoc, line };
    return cache_config_problem(&cg_options.cache[k]);
}

static const char *parse_i1(const char *value) { return parse_cache(value, CACHE_I1); }
static const char *parse_d1(const char *value) { return parse_cache(value, CACHE_D1); }
static const char *parse_ll(const char *value) { return parse_cache(value, CACHE_LL); }

const GimleOption cg_option_table[] = {
#define O cg_options
#define CACHE_OPTION(name, parse, help) { name, OPT_FUNC, NULL, "size,assoc,line", 0, 0, help, parse },
#define BOOL_OPTION(name, field, help) { name, OPT_BOOL, &O.field, NULL, 0, 0, help, NULL },
#define STRING_OPTION(name, field, unit, help) { name, OPT_STRING, &O.field, unit, 0, 0, help, NULL },
#include "options.def"
    { .name = NULL }
};

bool cg_counts(CostKind k)
{
    if (k == COST_IR)
        return true;
    return k < COST_BC ? cg_options.cache_sim : cg_options.branch_sim;
}
