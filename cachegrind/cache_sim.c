/* SPDX-License-Identifier: MIT */
/* The caches' memory, and what happens when a line is not the one that its set used last. */
#include "cache_sim.h"

#include <stdlib.h>

#include "base/check.h"

/** Stretch.last (cost_table.h) is a byte. */
enum { MAX_ACCESS = 256 };

Cache cache_sim_cache[CACHE_KINDS];
static unsigned max_access;

void cache_sim_init(void)
{
    for (unsigned k = 0; k < CACHE_KINDS; k++) {
        const CacheConfig *c = &cg_options.cache[k];
        uint64_t sets = c->size / c->line / c->assoc;
        cache_sim_cache[k] = (Cache){ calloc(sets * c->assoc, sizeof(uint64_t)), sets - 1, c->assoc,
                                      (unsigned)__builtin_ctz(c->line) };
        CHECK(cache_sim_cache[k].way, "out of memory");
    }
    unsigned d1 = cg_options.cache[CACHE_D1].line, ll = cg_options.cache[CACHE_LL].line;
    max_access = d1 < ll ? d1 : ll;
    if (max_access > MAX_ACCESS)
        max_access = MAX_ACCESS;
}

unsigned cache_sim_max_access(void) { return max_access; }
unsigned cache_sim_line_bits(CacheKind k) { return cache_sim_cache[k].line_bits; }

GIMLE_LIGHT bool cache_sim_search(const Cache *c, uint64_t *way, uint64_t line)
{
    unsigned i = 1;
    while (i < c->assoc && way[i] != line)
        i++;
    bool miss = i == c->assoc;
    if (miss)
        i--;
    for (; i > 0; i--)
        way[i] = way[i - 1];
    way[0] = line;
    return miss;
}
