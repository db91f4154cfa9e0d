/* SPDX-License-Identifier: MIT */
/* One native instruction in slow mode, between native.c and the rules in native_rules.c. */
#ifndef MEMCHECK_NATIVE_H
#define MEMCHECK_NATIVE_H

#include "slow.h"

/** V bits for a register once the instruction has run. */
typedef struct Out {
    RegId reg;
    IrRef v;
    bool zero_above; /**< vector: the part above v is defined */
    bool vec;
} Out;

typedef struct Nat {
    Slow *s;
    IrBlock *b;
    const NativeInsn *n;
    IrMem m;        /**< memory operand in the new block */
    Pieces mem;     /**< its V bits, if it is read */
    Pieces shape;   /**< constants of the types of its pieces, if it is followed */
    bool reads_mem, writes_mem; /**< followed accesses */
    Out out[NATIVE_MAX_OPS + 1];
    unsigned n_out;
} Nat;

typedef void (*NatRule)(Nat *t);

/** The rule for @p n: by its row, or the safe one if the row's does not fit its form. */
NatRule native_rule_of(const NativeInsn *n);
/** Any undefined input: every output undefined. */
void native_rule_whole(Nat *t);
/** Every output defined. */
void native_rule_defined(Nat *t);
/**
 * Check the lanes that an instruction accesses under a mask or by a vector of indices.  True: the
 * V bits of its results are done, too.
 */
bool native_access_lanes(Nat *t);
/** Does it store at an address that is not its memory operand (MASKMOVQ)? */
bool native_has_implied_store(const NativeInsn *n);
/** Does it compare vectors into a mask register? */
bool native_yields_mask(const NativeInsn *n);
/** Comparisons of vectors into a mask register. */
void native_rule_compare(Nat *t);
/** Conversions between lanes of different widths. */
void native_rule_narrow(Nat *t);
void native_rule_widen(Nat *t);
/** Sums of neighbours (PHADDW, HADDPS). */
void native_rule_horizontal(Nat *t);
/** DPPS, DPPD. */
void native_rule_dot(Nat *t);
/** PCMPISTRI, PCMPISTRM, PCMPESTRI, PCMPESTRM. */
void native_rule_strings(Nat *t);
/** Operations on mask registers: KMOV, KAND ..., KORTEST; lane is the width. */
void native_rule_mask(Nat *t);

/** Type of a vector register's low part of at least @p bytes. */
IrType native_vec_type(unsigned bytes);
/** V bits of what register operand @p o reads, in the low bits; IR_NONE if always defined. */
IrRef native_op_vbits(Nat *t, const NativeOp *o);
/** any | v != 0, as I1; either may be IR_NONE. */
IrRef native_any(Nat *t, IrRef any, IrRef v);
/** Record the V bits of written vector operand @p o (of the low part of v's size). */
void native_out_vec(Nat *t, const NativeOp *o, IrRef v);
/** Record the V bits (I64) of written general or mask register operand @p o. */
void native_out_int(Nat *t, const NativeOp *o, IrRef v);
/** Record the V bits (I64 in FLAGS_BITS form, or IR_NONE) of the condition codes it writes. */
void native_out_flags(Nat *t, IrRef v);
/** The safe rule for the registers, the memory operand, and the flags. */
void native_out_rest(Nat *t, IrRef any, bool regs, bool mem);

#endif
