/* SPDX-License-Identifier: MIT */
/* The caches: set-associative, least recently used line goes, writes allocate like reads. */
#ifndef CACHEGRIND_CACHE_SIM_H
#define CACHEGRIND_CACHE_SIM_H

#include "cachegrind.h"

/** Set up as cg_options says. */
void cache_sim_init(void);

typedef struct Geometry {
    unsigned assoc, line_bits;
    unsigned recent_shift, older_shift; /**< log2 of the bytes from one set to the next */
} Geometry;

/**
 * One cache.  Each set is the key that was used last and an array of the others, those used before
 * others first; 0: empty.  The key is the line's number (address / line size).  I1 is otherwise: its keys
 * are CodeLines in no order, since those know when they were used.
 */
typedef struct Cache {
    uint64_t *recent;   /**< the key used last, of each set */
    uint64_t *older;    /**< the others */
    uint64_t set_mask;
    Geometry g;
} Cache;
/** simulate_amd64.S knows the layout. */
extern Cache cache_sim_cache[CACHE_KINDS] __attribute__((visibility("hidden")));

/** A line of I1 that code is in. */
typedef struct CodeLine {
    uint64_t used; /**< when it was fetched last, 0: it is not in I1 */
    uint64_t line;
} CodeLine;

/** The line of I1 that @p a is in. */
CodeLine *cache_sim_code_line(GuestAddr a);
/** The time of the last fetch that entered a line; translated code increments it. */
uint64_t *cache_sim_clock(void);
/**
 * That word and the keys of D1 are at the same address in every run, in the shadow of client
 * addresses below 2 GiB: translated code needs no register to reach them (SPACE_SHADOW).
 */
static inline GuestAddr cache_sim_shadowed(const void *p)
{
    return (GuestAddr)(uintptr_t)p - GIMLE_SHADOW_DELTA;
}
/** Of what translations depend on: the caches' geometry. */
uint64_t cache_sim_key(void);

/* What follows may be called from light helpers. */

/** What happened: missed in the first level, missed in the last level too. */
enum { MISS_L1 = 1, MISS_LL = 2 };

/** Fetch @p size bytes at @p a, which are in the lines from @p first to @p last (the same or the next). */
unsigned cache_sim_fetch(CodeLine *first, CodeLine *last, GuestAddr a, unsigned size);
/** Bytes at @p a missed in the first level. */
unsigned cache_sim_data_missed(GuestAddr a, unsigned size);

/** The longest access that is simulated; longer ones are cut. */
unsigned cache_sim_max_access(void);

#endif
