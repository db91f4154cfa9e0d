/* SPDX-License-Identifier: MIT */
/* Looking a line up in a cache: in a header since the few calls there are must not call further. */
#ifndef CACHEGRIND_CACHE_SIM_LOOKUP_H
#define CACHEGRIND_CACHE_SIM_LOOKUP_H

#include "cache_sim.h"

#define CACHE_SIM_INLINE \
    static inline __attribute__((always_inline, target("general-regs-only")))

enum { CACHE_SIM_WORD_BITS = 3 };

/** Most caches of the first level are so: 64 bytes in a line, 8 ways. */
static const Geometry cache_sim_usual = { .assoc = 8, .line_bits = 6, .recent_shift = 6,
                                          .older_shift = 6 };

/** Is the cache like that? */
CACHE_SIM_INLINE bool cache_sim_is_usual(const Cache *c)
{
    return c->g.assoc == cache_sim_usual.assoc && c->g.line_bits == cache_sim_usual.line_bits;
}

/**
 * Is @p key new in the set of @p line?  It comes first; those that came before it move on by one.
 * @p g: the cache's geometry, which the compiler may know.
 */
CACHE_SIM_INLINE bool cache_sim_key_misses(const Cache *c, const Geometry g, uint64_t line, uint64_t key)
{
    uint64_t set = line & c->set_mask;
    uint64_t *recent = c->recent + (set << (g.recent_shift - CACHE_SIM_WORD_BITS)), before = *recent;
    if (before == key)
        return false;
    *recent = key;
    uint64_t *older = c->older + (set << (g.older_shift - CACHE_SIM_WORD_BITS));
#pragma GCC unroll 8
    for (unsigned i = 0; i < g.assoc - 1; i++) {
        uint64_t w = older[i];
        older[i] = before;
        if (w == key)
            return false;
        before = w;
    }
    return true;
}

/** An access misses if any of its lines does. */
CACHE_SIM_INLINE bool cache_sim_range_misses(const Cache *c, const Geometry g, GuestAddr a, unsigned size)
{
    uint64_t first = a >> g.line_bits, last = (a + size - 1) >> g.line_bits;
    bool miss = cache_sim_key_misses(c, g, first, first);
    while (__builtin_expect(first != last, 0)) {
        first++;
        miss |= cache_sim_key_misses(c, g, first, first);
    }
    return miss;
}

/** Access @p size bytes at @p a through D1. */
CACHE_SIM_INLINE unsigned cache_sim_data(GuestAddr a, unsigned size)
{
    const Cache *d1 = &cache_sim_cache[CACHE_D1];
    bool miss = cache_sim_is_usual(d1) ? cache_sim_range_misses(d1, cache_sim_usual, a, size)
                                      : cache_sim_range_misses(d1, d1->g, a, size);
    return miss ? cache_sim_data_missed(a, size) : 0;
}

#endif
