/* SPDX-License-Identifier: MIT */
/* The meaning of the integer ops, and the door to all pure ops. */
#include <string.h>

#include "base/check.h"
#include "eval.h"
#include "ir_internal.h"

typedef unsigned __int128 U128;
typedef __int128 S128;

typedef uint64_t (*UnFn)(IrType t, uint64_t a);
typedef uint64_t (*BinFn)(IrType t, uint64_t a, uint64_t b);

/* Results may have garbage above the width: the callers mask it off. */
#define UN(name, expr)                                                                     \
    static uint64_t un_##name(IrType t, uint64_t a)                                        \
    {                                                                                      \
        (void)t;                                                                           \
        return (expr);                                                                     \
    }
#define BIN(name, expr)                                                                    \
    static uint64_t bin_##name(IrType t, uint64_t a, uint64_t b)                           \
    {                                                                                      \
        (void)t;                                                                           \
        return (expr);                                                                     \
    }

UN(NOT, ~a)
UN(NEG, -a)
UN(BSWAP, __builtin_bswap64(a) >> (64 - ir_bits(t)))
UN(CLZ, a ? (uint64_t)__builtin_clzll(a) - (64 - ir_bits(t)) : ir_bits(t))
UN(CTZ, a ? (uint64_t)__builtin_ctzll(a) : ir_bits(t))
UN(POPCNT, (uint64_t)__builtin_popcountll(a))

static uint64_t count(IrType t, uint64_t b)
{
    return b & (ir_bits(t) - 1);
}

static uint64_t rotate_left(IrType t, uint64_t a, uint64_t n)
{
    unsigned w = ir_bits(t);
    return n ? a << n | a >> (w - n) : a;
}

BIN(AND, a & b)
BIN(OR, a | b)
BIN(XOR, a ^ b)
BIN(ADD, a + b)
BIN(SUB, a - b)
BIN(MUL, a * b)
BIN(MULHU, (uint64_t)(((U128)a * b) >> ir_bits(t)))
BIN(MULHS, (uint64_t)(((S128)ir_sext(t, a) * ir_sext(t, b)) >> ir_bits(t)))
BIN(SHL, a << count(t, b))
BIN(SHR, a >> count(t, b))
BIN(SAR, (uint64_t)(ir_sext(t, a) >> count(t, b)))
BIN(ROL, rotate_left(t, a, count(t, b)))
BIN(ROR, rotate_left(t, a, count(t, ir_bits(t) - count(t, b))))
BIN(CMPEQ, a == b)
BIN(CMPNE, a != b)
BIN(CMPLTU, a < b)
BIN(CMPLEU, a <= b)
BIN(CMPLTS, ir_sext(t, a) < ir_sext(t, b))
BIN(CMPLES, ir_sext(t, a) <= ir_sext(t, b))

static const UnFn un_fn[OP_COUNT] = {
#define ROW(op) [OP_##op] = un_##op
    ROW(NOT), ROW(NEG), ROW(BSWAP), ROW(CLZ), ROW(CTZ), ROW(POPCNT)
#undef ROW
};

static const BinFn bin_fn[OP_COUNT] = {
#define ROW(op) [OP_##op] = bin_##op
    ROW(AND), ROW(OR), ROW(XOR), ROW(ADD), ROW(SUB), ROW(MUL), ROW(MULHU), ROW(MULHS),
    ROW(SHL), ROW(SHR), ROW(SAR), ROW(ROL), ROW(ROR), ROW(CMPEQ), ROW(CMPNE), ROW(CMPLTU),
    ROW(CMPLEU), ROW(CMPLTS), ROW(CMPLES)
#undef ROW
};

uint64_t eval_unop(IrOp op, IrType t, uint64_t a)
{
    CHECK(un_fn[op], "%s is not a unary op", ir_op_name(op));
    return un_fn[op](t, a) & ir_mask(t);
}

uint64_t eval_binop(IrOp op, IrType t, uint64_t a, uint64_t b)
{
    CHECK(bin_fn[op], "%s is not a binary op", ir_op_name(op));
    return bin_fn[op](t, a, b) & ir_mask(t);
}

uint64_t eval_convert(IrOp op, IrType to, IrType from, uint64_t a)
{
    if (op == OP_FLAGS_BITS || op == OP_BITS_FLAGS)
        return a & RF_CODES;
    if (op == OP_SEXT)
        a = (uint64_t)ir_sext(from, a);
    return a & ir_mask(to);
}

static bool is_vector_op(const IrInsn *i, IrType from)
{
    return ir_is_vec((IrType)i->type) || ir_is_vec(from);
}

void eval_pure(const IrInsn *i, IrType from, const IrValue *a, const IrValue *b, const IrValue *c,
               IrValue *out)
{
    IrType t = (IrType)i->type;
    if (i->op == OP_SELECT) {
        *out = a->u64[0] ? *b : *c;
        return;
    }
    if (is_vector_op(i, from)) {
        eval_vec(i, from, a, b, out);
        return;
    }
    uint64_t x = a ? a->u64[0] : 0, y = b ? b->u64[0] : 0;
    switch (ir_op_info[i->op].shape) {
    case SHAPE_NULLARY:
        out->u64[0] = i->imm & ir_mask(t);
        break;
    case SHAPE_UN:
        out->u64[0] = eval_unop((IrOp)i->op, t, x);
        break;
    case SHAPE_CONV:
        out->u64[0] = eval_convert((IrOp)i->op, t, from, x);
        break;
    case SHAPE_FLAGS:
        out->u64[0] = eval_flags((IrFlagKind)i->sub, (IrType)i->aux, x, y, c ? c->u64[0] : 0);
        break;
    case SHAPE_COND:
        out->u64[0] = eval_cond((IrCond)i->sub, x);
        break;
    default:
        out->u64[0] = eval_binop((IrOp)i->op, from, x, y);
        break;
    }
}
