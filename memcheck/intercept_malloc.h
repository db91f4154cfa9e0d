/* SPDX-License-Identifier: MIT */
/* The allocation functions' part of the table of intercepts, and the heap's counters. */
#ifndef MEMCHECK_INTERCEPT_MALLOC_H
#define MEMCHECK_INTERCEPT_MALLOC_H

#include "memcheck.h"

/** Ends with symbol NULL. */
extern const Intercept mc_malloc_intercepts[];
/** Count allocations that something else made (client requests). */
void mc_heap_count(uint64_t allocs, uint64_t frees, uint64_t bytes);

#endif
