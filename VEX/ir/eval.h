/* SPDX-License-Identifier: MIT */
/*
 * The one meaning of each pure op: constant folding, the interpreter and the tests of the back
 * end all call these.  Integers are passed zero-extended to 64 bits, I1 as 0 or 1, FLAGS as the
 * six RFLAGS bits of FLAGS_BITS.
 */
#ifndef VEX_IR_EVAL_H
#define VEX_IR_EVAL_H

#include "gimle/ir.h"

/** A value of any type: integers, I1, FLAGS in u64[0], vectors in as many bytes as they have. */
typedef union IrValue {
    uint64_t u64[8];
    uint32_t u32[16];
    uint16_t u16[32];
    uint8_t u8[64];
} IrValue;

/** The condition codes in RFLAGS. */
enum {
    RF_CF = 0x1, RF_PF = 0x4, RF_AF = 0x10, RF_ZF = 0x40, RF_SF = 0x80, RF_OF = 0x800,
    RF_CODES = RF_CF | RF_PF | RF_AF | RF_ZF | RF_SF | RF_OF
};

/** NOT, NEG, BSWAP, CLZ, CTZ, POPCNT of type @p t. */
uint64_t eval_unop(IrOp op, IrType t, uint64_t a);
/** AND to MULHS, shifts (the count taken modulo the width) and comparisons; @p t: type of @p a. */
uint64_t eval_binop(IrOp op, IrType t, uint64_t a, uint64_t b);
/** ZEXT, SEXT, TRUNC, FLAGS_BITS, BITS_FLAGS. */
uint64_t eval_convert(IrOp op, IrType to, IrType from, uint64_t a);
/** Condition codes (RF_*) that operation @p k of width @p width yields; see IrFlagKind. */
uint64_t eval_flags(IrFlagKind k, IrType width, uint64_t a, uint64_t b, uint64_t c);
/** Is @p cc true of @p flags (RF_*)? */
bool eval_cond(IrCond cc, uint64_t flags);
/**
 * Vector op @p i (any op with a vector argument or result); @p from: type of the first argument.
 * Bytes of @p out above the result's size are unspecified.
 */
void eval_vec(const IrInsn *i, IrType from, const IrValue *a, const IrValue *b, IrValue *out);
/** Any OPF_PURE op. @p from: type of the first argument; absent arguments may be NULL. */
void eval_pure(const IrInsn *i, IrType from, const IrValue *a, const IrValue *b, const IrValue *c,
               IrValue *out);

/** Condition codes between RFLAGS bits and the CC register's format (guest_amd64.def). */
static inline uint64_t eval_cc_of_flags(uint64_t flags)
{
    return 0x200 | (flags & 0xd5) << 8 | (flags >> 11 & 1);
}

static inline uint64_t eval_flags_of_cc(uint64_t cc)
{
    return (cc >> 8 & 0xd5) | (cc & 1) << 11;
}

#endif
