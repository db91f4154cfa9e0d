/* SPDX-License-Identifier: MIT */
/* The caches: set-associative, least recently used line goes, writes allocate like reads. */
#ifndef CACHEGRIND_CACHE_SIM_H
#define CACHEGRIND_CACHE_SIM_H

#include "cachegrind.h"

/** Set up as cg_options says. */
void cache_sim_init(void);

/** A place for a line in a set. */
typedef struct Way {
    uint64_t line;  /**< its number (address / line size) + 1, 0: empty */
    uint64_t *used; /**< when it was used last; 0 if empty */
} Way;

/**
 * A cache.  Every line of the address space has a word that says when it was used last, or that it is
 * not in the cache: that is all that has to be looked at, but for misses.
 */
typedef struct Cache {
    uint64_t *used;   /**< of each line: when, 0: it is not there; NULL: there is no such table */
    GuestAddr used_at; /**< where that is, as SPACE_SHADOW has it (not of LL) */
    Way *way;         /**< of each set, one after the other */
    uint64_t set_mask;
    uint64_t number_mask; /**< of a line's number: what the table has room for */
    unsigned assoc, line_bits;
    unsigned cut_bits;    /**< upper bits of an address that number_mask leaves out */
} Cache;
extern Cache cache_sim_cache[CACHE_KINDS] __attribute__((visibility("hidden")));

/** simulate_amd64.S knows lines of this size. */
enum { CACHE_SIM_USUAL_LINE_BITS = 6 };

/**
 * Where the times of D1 are in shadow, for simulate_amd64.S too.  What is below counts runs
 * (block_data.c).
 */
enum { CACHE_SIM_D1_TIMES = 1 << 30 };
/** The bits of addresses that number a line of usual size: the uppermost ones are left out. */
enum { CACHE_SIM_USUAL_CUT = 18 };

/**
 * The time: of the next use of a line.  While translated code runs it is in REG_TOOL(0); whoever
 * calls what follows brings it here and back.
 */
extern uint64_t cache_sim_clock __attribute__((visibility("hidden")));

/** Is a line of @p k a part of one of LL? */
bool cache_sim_lines_nest(CacheKind k);
/** Of what translations depend on: the caches' geometry. */
uint64_t cache_sim_key(void);

/* What follows may be called from light helpers. */
#define CACHE_SIM_HIDDEN __attribute__((visibility("hidden")))

/** What happened: missed in the first level, missed in the last level too. */
enum { MISS_L1 = 1, MISS_LL = 2 };

/** Fetch @p size bytes at @p a, which are in one or two lines. */
unsigned cache_sim_fetch(GuestAddr a, unsigned size) CACHE_SIM_HIDDEN;
/** Access @p size bytes at @p a. */
unsigned cache_sim_data(GuestAddr a, unsigned size) CACHE_SIM_HIDDEN;
/** Access line @p line of D1, which is not there; lines nest. */
unsigned cache_sim_line_missed(uint64_t line) CACHE_SIM_HIDDEN;
/** Fetch from line @p line of I1, likewise. */
unsigned cache_sim_code_missed(uint64_t line) CACHE_SIM_HIDDEN;

/** The longest access that is simulated; longer ones are cut. */
unsigned cache_sim_max_access(void);

#endif
