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

/** One thing that happens in a stretch. */
typedef struct StretchEvent {
    uint8_t kind;   /**< COST_IR: fetch; COST_DR, COST_DW: access */
    uint8_t slot;   /**< accesses: word of the thread state with the address */
    uint16_t size;
    InsnCost *insn;
} StretchEvent;

/** A line of I1, and where it is if it was used last of its set. */
typedef struct FetchLine {
    const uint64_t *way;
    uint64_t line;
} FetchLine;

enum { MAX_SLOTS = 28 };

/** Straight code that runs as a whole.  What is looked at each time comes first. */
typedef struct Stretch {
    uint64_t runs;
    FetchLine first;          /**< of the fetches */
    uint32_t n_more;          /**< further lines that the fetches are in */
    uint32_t n_accesses;
    uint8_t last[MAX_SLOTS];  /**< of each access: size - 1 */
    uint32_t n_insns, n_events;
    FetchLine *more;
    StretchEvent *access;     /**< access[i] has its address in slot i */
    StretchEvent *event;      /**< in program order: accesses, and fetches that may miss I1 */
    InsnCost **insn;          /**< each counts once for every run */
} Stretch;

/** The record of the instruction at @p a. */
InsnCost *cost_insn(GuestAddr a);
/** A new empty stretch. */
Stretch *cost_stretch(void);
/** Fill it, with copies. */
void cost_stretch_fill(Stretch *s, InsnCost *const *insn, uint32_t n_insns, const StretchEvent *event,
                       uint32_t n_events);

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
