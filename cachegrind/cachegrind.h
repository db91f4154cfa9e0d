/* SPDX-License-Identifier: MIT */
/* Cachegrind's options and the events it counts. */
#ifndef CACHEGRIND_CACHEGRIND_H
#define CACHEGRIND_CACHEGRIND_H

#include "gimle/tool.h"

/** Geometry of a cache. */
typedef struct CacheConfig {
    uint64_t size; /**< bytes */
    unsigned assoc, line; /**< ways; bytes of a line */
} CacheConfig;

typedef enum CacheKind { CACHE_I1, CACHE_D1, CACHE_LL, CACHE_KINDS } CacheKind;

/** What is counted for each instruction, in the order of output files. */
typedef enum CostKind {
    COST_IR, COST_I1MR, COST_ILMR, /**< instruction fetches, their misses in I1 and LL */
    COST_DR, COST_D1MR, COST_DLMR, /**< data reads */
    COST_DW, COST_D1MW, COST_DLMW, /**< data writes */
    COST_BC, COST_BCM,             /**< conditional branches, mispredicted */
    COST_BI, COST_BIM,             /**< indirect branches, mispredicted */
    COST_KINDS
} CostKind;

typedef struct CgOptions {
    bool cache_sim, branch_sim, instr_at_start;
    CacheConfig cache[CACHE_KINDS]; /**< size 0: not given */
    const char *out_file, *access_trace;
} CgOptions;

extern CgOptions cg_options;
extern const GimleOption cg_option_table[];

/** Is @p k counted with the options given? */
bool cg_counts(CostKind k);

#endif
