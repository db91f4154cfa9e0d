/* SPDX-License-Identifier: MIT */
/*
 * What each instruction has cost, and from that what each source line has.  An instruction's costs
 * move to its line at the end, or when its code goes away and can be described no more.
 */
#ifndef CACHEGRIND_COST_TABLE_H
#define CACHEGRIND_COST_TABLE_H

#include "block_data.h"

/** Counters and what they count; both live until the program ends. */
void cost_add_block(Block *b);

/** Give what instructions in [a, a+len) have cost to their lines. */
void cost_settle(GuestAddr a, size_t len);
/** Forget what was counted since the last cost_settle(). */
void cost_forget(void);

/** Costs of a line of a function. */
typedef struct LineCost {
    const char *file, *fn;
    unsigned line;
    uint64_t cost[COST_KINDS];
} LineCost;

/** All lines, sorted by file, function, line, each once. */
const LineCost *cost_lines(size_t *n);

#endif
