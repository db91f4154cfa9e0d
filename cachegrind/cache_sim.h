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
extern Cache cache_sim_cache[CACHE_KINDS];

/** A line of I1 that code is in. */
typedef struct CodeLine {
    uint64_t used; /**< when it was fetched last, 0: it is not in I1 */
    uint64_t line;
} CodeLine;

/** The line of I1 that @p a is in. */
CodeLine *cache_sim_code_line(GuestAddr a);
/** The time of the last fetch that entered a line; translated code increments it. */
uint64_t *cache_sim_clock(void);

/* What follows may be called from light helpers. */

/** What happened: missed in the first level, missed in the last level too. */
enum { MISS_L1 = 1, MISS_LL = 2 };

/** Fetch @p size bytes at @p a, which are in the lines from @p first to @p last (the same or the next). */
unsigned cache_sim_fetch(CodeLine *first, CodeLine *last, GuestAddr a, unsigned size);

/** The longest access that is simulated; longer ones are cut. */
unsigned cache_sim_max_access(void);

#endif
