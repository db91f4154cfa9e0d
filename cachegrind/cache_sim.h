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
 * others first; 0: empty.  The key is the line's number (address / line size).
 */
typedef struct Cache {
    uint64_t *recent;   /**< the key used last, of each set */
    uint64_t *older;    /**< the others */
    uint64_t set_mask;
    Geometry g;
} Cache;
/** simulate_amd64.S knows the layout. */
extern Cache cache_sim_cache[CACHE_KINDS] __attribute__((visibility("hidden")));

/** The memory that translated code looks at: the keys of I1 and D1. */
IrData cache_sim_memory(void);
/** Of what translations depend on: the caches' geometry. */
uint64_t cache_sim_key(void);

/* What follows may be called from light helpers. */

/** What happened: missed in the first level, missed in the last level too. */
enum { MISS_L1 = 1, MISS_LL = 2 };

/** Fetch @p size bytes at @p a through I1. */
unsigned cache_sim_fetch(GuestAddr a, unsigned size);
/** Bytes at @p a missed in the first level. */
unsigned cache_sim_data_missed(GuestAddr a, unsigned size);

/** The longest access that is simulated; longer ones are cut. */
unsigned cache_sim_max_access(void);

#endif
