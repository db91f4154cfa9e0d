/* SPDX-License-Identifier: MIT */
/* The caches: set-associative, least recently used line goes, writes allocate like reads. */
#ifndef CACHEGRIND_CACHE_SIM_H
#define CACHEGRIND_CACHE_SIM_H

#include "cachegrind.h"

/** Set up as cg_options says. */
void cache_sim_init(void);

/** One cache. Each set is an array of lines, the most recently used first; 0: empty. */
typedef struct Cache {
    uint64_t *way; /**< sets * assoc */
    uint64_t set_mask;
    unsigned assoc, line_bits;
} Cache;
extern Cache cache_sim_cache[CACHE_KINDS];

#define CACHE_SIM_INLINE \
    static inline __attribute__((always_inline, target("general-regs-only")))

/** The line is not the most recently used of its set: does it miss? */
bool cache_sim_search(const Cache *c, uint64_t *way, uint64_t line);

/** The ways that may have the line. */
CACHE_SIM_INLINE uint64_t *cache_sim_set(const Cache *c, uint64_t line)
{
    return c->way + (line & c->set_mask) * c->assoc;
}

CACHE_SIM_INLINE bool cache_sim_line_misses(const Cache *c, uint64_t line)
{
    uint64_t *way = cache_sim_set(c, line);
    return way[0] != line && cache_sim_search(c, way, line);
}

/** An access misses if any of its lines does. */
CACHE_SIM_INLINE bool cache_sim_misses(const Cache *c, GuestAddr a, unsigned size)
{
    uint64_t first = a >> c->line_bits, last = (a + size - 1) >> c->line_bits;
    bool miss = cache_sim_line_misses(c, first);
    while (__builtin_expect(first != last, 0))
        miss |= cache_sim_line_misses(c, ++first);
    return miss;
}

/** What happened: missed in the first level, missed in the last level too. */
enum { MISS_L1 = 1, MISS_LL = 2 };

/** Access @p size bytes at @p a through I1 or D1.  For light helpers. */
CACHE_SIM_INLINE unsigned cache_sim_access(CacheKind level1, GuestAddr a, unsigned size)
{
    if (!cache_sim_misses(&cache_sim_cache[level1], a, size))
        return 0;
    return cache_sim_misses(&cache_sim_cache[CACHE_LL], a, size) ? MISS_L1 | MISS_LL : MISS_L1;
}

/** The longest access that is simulated; longer ones are cut. */
unsigned cache_sim_max_access(void);
/** log2 of the line size. */
unsigned cache_sim_line_bits(CacheKind k);

#endif
