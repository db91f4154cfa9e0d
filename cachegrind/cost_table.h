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

/** Straight code that runs as a whole. */
typedef struct Stretch {
    uint64_t runs;
    uint32_t n_insns;
    uint32_t n_events;
    uint32_t n_fetches, n_accesses;
    InsnCost **insn;      /**< each counts once for every run */
    StretchEvent *event;  /**< cache simulation: in program order, I1 hits left out */
    StretchEvent *access; /**< the accesses among them: access[i] is in slot i */
    struct StretchFetch {
        const uint64_t *way; /**< first way of the line's set in I1 */
        uint64_t line;
    } *fetch;             /**< lines that the fetches are in */
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
