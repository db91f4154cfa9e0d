/* SPDX-License-Identifier: MIT */
/*
 * The host's caches, asked of CPUID: leaf 4 of Intel's processors and leaf 0x8000001D of AMD's have
 * the same form.  Where neither answers, common sizes are assumed.
 */
#include "cache_config.h"

#include <cpuid.h>
#include <stdio.h>

enum { MIN_LINE = 16, LEAF_INTEL = 4, MAX_SUBLEAVES = 16 };
#define LEAF_AMD 0x8000001du

static const CacheConfig fallback[CACHE_KINDS] = {
    [CACHE_I1] = { 32768, 8, 64 },
    [CACHE_D1] = { 32768, 8, 64 },
    [CACHE_LL] = { 8u << 20, 16, 64 },
};

static bool is_power(uint64_t v) { return v && (v & (v - 1)) == 0; }

const char *cache_config_problem(const CacheConfig *c)
{
    if (!is_power(c->line) || c->line < MIN_LINE)
        return "the line size must be a power of two, at least 16";
    if (c->assoc == 0 || c->size < (uint64_t)c->line * c->assoc)
        return "the cache must hold at least one line for each way";
    if (c->size % ((uint64_t)c->line * c->assoc) || !is_power(c->size / c->line / c->assoc))
        return "size / (line size * associativity), the number of sets, must be a power of two";
    return c->size > 1ULL << 32 ? "the cache is too large" : NULL;
}

/** The next lower power of two as number of sets; the ways make up for it. */
static void make_sets_a_power(CacheConfig *c)
{
    uint64_t lines = c->size / c->line, sets = 1;
    while (sets * 2 * c->assoc <= lines)
        sets *= 2;
    c->assoc = (unsigned)(lines / sets);
    c->size = sets * c->assoc * c->line;
}

/** One answer of the leaf: false if there are no more. */
static bool read_subleaf(unsigned leaf, unsigned i, CacheConfig *c, unsigned *type, unsigned *level)
{
    unsigned a, b, cx, d;
    if (!__get_cpuid_count(leaf, i, &a, &b, &cx, &d) || (a & 31) == 0)
        return false;
    *type = a & 31;
    *level = a >> 5 & 7;
    c->line = (b & 0xfff) + 1;
    c->assoc = (b >> 22) + 1;
    c->size = (uint64_t)c->assoc * ((b >> 12 & 0x3ff) + 1) * c->line * ((uint64_t)cx + 1);
    return true;
}

static void read_host(CacheConfig out[CACHE_KINDS])
{
    static const unsigned leaves[] = { LEAF_INTEL, LEAF_AMD };
    unsigned type, level, ll_level = 1;
    for (unsigned l = 0; l < 2; l++) {
        CacheConfig c;
        for (unsigned i = 0; i < MAX_SUBLEAVES && read_subleaf(leaves[l], i, &c, &type, &level); i++) {
            make_sets_a_power(&c);
            if (cache_config_problem(&c))
                continue;
            if (level == 1 && type != 2)
                out[CACHE_D1] = c;
            if (level == 1 && type != 1)
                out[CACHE_I1] = c;
            if (level > ll_level) {
                ll_level = level;
                out[CACHE_LL] = c;
            }
        }
    }
}

void cache_config_complete(void)
{
    CacheConfig host[CACHE_KINDS] = { fallback[0], fallback[1], fallback[2] };
    read_host(host);
    for (unsigned k = 0; k < CACHE_KINDS; k++)
        if (cg_options.cache[k].size == 0)
            cg_options.cache[k] = host[k];
}

const char *cache_config_text(const CacheConfig *c, char *buf, size_t size)
{
    char ways[40] = "direct-mapped";
    if (c->assoc > 1)
        snprintf(ways, sizeof ways, "%u-way associative", c->assoc);
    snprintf(buf, size, "%lu B, %u B, %s", (unsigned long)c->size, c->line, ways);
    return buf;
}
