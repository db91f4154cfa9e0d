/* SPDX-License-Identifier: MIT */
/*
 * How undefined bits spread through the operations of the IR.  V bits of a value have the
 * value's type (I1 for I1; of FLAGS an I64 with the bits of FLAGS_BITS); bit 1 = undefined.
 * IR_NONE stands for V bits that are known to be zero when the block is translated.
 */
#ifndef MEMCHECK_VBITS_H
#define MEMCHECK_VBITS_H

#include "gimle/ir.h"

/**
 * V bits of the value of pure instruction @p in, whose arguments are refs of @p b (the block
 * under construction), their V bits in @p v.  IR_NONE if it is defined.
 */
IrRef vbits_of(IrBlock *b, const IrInsn *in, const IrRef v[3]);

/* Vocabulary, also for the rules of native instructions. */

/** The type that V bits of a value of type @p t have. */
static inline IrType vbits_type(IrType t) { return t == TY_FLAGS ? TY_I64 : t; }
/** @p v, or zeros of type @p t if it is IR_NONE. */
IrRef vbits_full(IrBlock *b, IrType t, IrRef v);
/** Union of two; either may be IR_NONE. */
IrRef vbits_or(IrBlock *b, IrRef x, IrRef y);
/** All bits of type @p t undefined if any bit of @p v (or the I1 @p v) is. */
IrRef vbits_smear(IrBlock *b, IrType t, IrRef v);
/** I1: any bit of @p v set. @p v may be I1 itself. */
IrRef vbits_any(IrBlock *b, IrRef v);
/** All bits from the lowest undefined one upwards. */
IrRef vbits_left(IrBlock *b, IrRef v);
/** I1: is it undefined whether x == y? @p v: union of their V bits (not IR_NONE). */
IrRef vbits_equality(IrBlock *b, IrRef x, IrRef y, IrRef v);
/** Of x + y or x - y, exact. */
IrRef vbits_add(IrBlock *b, IrRef x, IrRef y, IrRef vx, IrRef vy);
IrRef vbits_sub(IrBlock *b, IrRef x, IrRef y, IrRef vx, IrRef vy);
IrRef vbits_and(IrBlock *b, IrRef x, IrRef y, IrRef vx, IrRef vy);
/** Lane-wise equality, all ones per lane. */
IrRef vbits_lane_equality(IrBlock *b, IrLane lane, IrRef x, IrRef y, IrRef v);

/** V bits of FLAGS instruction @p in, as the word of FLAGS_BITS. */
IrRef vbits_flags(IrBlock *b, const IrInsn *in, const IrRef v[3]);
/** I1: is condition @p cc undefined, given the V bits of the flags? */
IrRef vbits_cond(IrBlock *b, IrCond cc, IrRef vflags);

#endif
