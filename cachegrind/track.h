/* SPDX-License-Identifier: MIT */
/*
 * What is known about addresses while a block is read from its beginning: which of them differ by a
 * constant, since they are made of the same values of registers.
 */
#ifndef CACHEGRIND_TRACK_H
#define CACHEGRIND_TRACK_H

#include "cachegrind.h"

/** A sum of register values as they were at some moment, and a constant. */
typedef struct Address {
    uint32_t base, index; /**< numbers of the values, 0: none */
    uint8_t scale;
    bool known;
    int64_t offset;
} Address;

typedef struct Tracker Tracker;

Tracker *track_new(const IrBlock *b, struct Arena *arena);
/** Take note of instruction @p i; call it for each, in order, after asking about it. */
void track_insn(Tracker *t, IrRef i);
/** The memory operand of @p i. */
Address track_address(const Tracker *t, IrRef i);
/** An address of which nothing is known. */
Address track_nowhere(void);
/** Is it known how far @p b is from @p a? */
bool track_distance(const Address *a, const Address *b, int64_t *distance);
/** Was value @p v, a register's, set by an instruction that names a constant? */
bool track_is_constant(const Tracker *t, IrRef v);

#endif
