/* SPDX-License-Identifier: MIT */
/*
 * What each instruction has cost, and from that what each source line has.  An instruction's costs
 * move to its line at the end, or when its code goes away and can be described no more.
 */
#ifndef CACHEGRIND_COST_TABLE_H
#define CACHEGRIND_COST_TABLE_H

#include "cachegrind.h"

/** One instruction of the client; lives until the program ends. */
typedef struct InsnCost {
    GuestAddr addr;
    uint64_t cost[COST_KINDS];
} InsnCost;

/** How often an instruction of a stretch does what each time. */
typedef struct StretchInsn {
    InsnCost *insn;
    uint8_t fetches, reads, writes, conditional, indirect;
} StretchInsn;

/** Straight code that runs as a whole. */
typedef struct Stretch {
    uint64_t runs;
    uint32_t n;
    StretchInsn *insn;
} Stretch;

/** The record of the instruction at @p a. */
InsnCost *cost_insn(GuestAddr a);
/** A new empty stretch. */
Stretch *cost_stretch(void);
/** Fill it, with a copy. */
void cost_stretch_fill(Stretch *s, const StretchInsn *insn, uint32_t n);
/** Memory for what translated code refers to; it is never freed. */
void *cost_alloc(size_t size);

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
