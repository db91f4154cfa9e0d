/* SPDX-License-Identifier: MIT */
/*
 * The rules of vbits.def.  Intervals carry most of them: a value with undefined bits lies
 * between `min` (undefined bits 0) and `max` (undefined bits 1), and what an operation does to
 * both ends bounds what it can do to any completion in between.
 */
#include "vbits.h"

#include "base/check.h"

typedef IrRef (*Rule)(IrBlock *b, const IrInsn *in, const IrRef v[3]);

static IrType type_of(const IrBlock *b, IrRef r) { return (IrType)b->insn[r].type; }
static IrRef not_(IrBlock *b, IrRef x) { return ir_unop(b, OP_NOT, type_of(b, x), x); }
static IrRef and_(IrBlock *b, IrRef x, IrRef y) { return ir_binop(b, OP_AND, x, y); }
static IrRef or_(IrBlock *b, IrRef x, IrRef y) { return ir_binop(b, OP_OR, x, y); }
static IrRef xor_(IrBlock *b, IrRef x, IrRef y) { return ir_binop(b, OP_XOR, x, y); }
static IrRef zero(IrBlock *b, IrType t) { return ir_const(b, t, 0); }
static bool is_vec(IrType t) { return t >= TY_V128 && t <= TY_V512; }

/* ---- vocabulary --------------------------------------------------------------------- */

IrRef vbits_full(IrBlock *b, IrType t, IrRef v)
{
    return v == IR_NONE ? zero(b, t) : v;
}

IrRef vbits_or(IrBlock *b, IrRef x, IrRef y)
{
    return x == IR_NONE ? y : y == IR_NONE ? x : or_(b, x, y);
}

IrRef vbits_any(IrBlock *b, IrRef v)
{
    IrType t = type_of(b, v);
    return t == TY_I1 ? v : ir_cmp(b, OP_CMPNE, v, zero(b, t));
}

IrRef vbits_smear(IrBlock *b, IrType t, IrRef v)
{
    IrRef any = vbits_any(b, v);
    if (t == TY_I1)
        return any;
    if (!is_vec(t))
        return ir_unop(b, OP_SEXT, t, any);
    IrRef word = ir_unop(b, OP_SEXT, TY_I64, any);
    IrInsn make = { .op = OP_VMAKE64, .type = TY_V128, .arg = { word, word, IR_NONE } };
    IrRef all = ir_emit(b, &make);
    for (IrType w = TY_V256; w <= t; w++) {
        IrInsn join = { .op = OP_VJOIN, .type = (uint8_t)w, .arg = { all, all, IR_NONE } };
        all = ir_emit(b, &join);
    }
    return all;
}

IrRef vbits_left(IrBlock *b, IrRef v)
{
    return or_(b, v, ir_unop(b, OP_NEG, type_of(b, v), v));
}

IrRef vbits_equality(IrBlock *b, IrRef x, IrRef y, IrRef v)
{
    IrType t = type_of(b, v);
    /* Undefined unless bits that are defined on both sides differ. */
    IrRef differ = and_(b, xor_(b, x, y), not_(b, v));
    return and_(b, vbits_any(b, v), ir_cmp(b, OP_CMPEQ, differ, zero(b, t)));
}

IrRef vbits_lane_equality(IrBlock *b, IrLane lane, IrRef x, IrRef y, IrRef v)
{
    IrRef differ = and_(b, xor_(b, x, y), not_(b, v));
    IrRef settled = ir_lane_op(b, OP_LNEZ, lane, differ, IR_NONE);
    return and_(b, ir_lane_op(b, OP_LNEZ, lane, v, IR_NONE), not_(b, settled));
}

/** Smallest and largest value that completions of @p x have. */
static IrRef low_end(IrBlock *b, IrRef x, IrRef v)
{
    return v == IR_NONE ? x : and_(b, x, not_(b, v));
}

static IrRef high_end(IrBlock *b, IrRef x, IrRef v)
{
    return v == IR_NONE ? x : or_(b, x, v);
}

IrRef vbits_add(IrBlock *b, IrRef x, IrRef y, IrRef vx, IrRef vy)
{
    IrRef low = ir_binop(b, OP_ADD, low_end(b, x, vx), low_end(b, y, vy));
    IrRef high = ir_binop(b, OP_ADD, high_end(b, x, vx), high_end(b, y, vy));
    return or_(b, vbits_or(b, vx, vy), xor_(b, low, high));
}

IrRef vbits_sub(IrBlock *b, IrRef x, IrRef y, IrRef vx, IrRef vy)
{
    IrRef low = ir_binop(b, OP_SUB, low_end(b, x, vx), high_end(b, y, vy));
    IrRef high = ir_binop(b, OP_SUB, high_end(b, x, vx), low_end(b, y, vy));
    return or_(b, vbits_or(b, vx, vy), xor_(b, low, high));
}

IrRef vbits_and(IrBlock *b, IrRef x, IrRef y, IrRef vx, IrRef vy)
{
    IrRef v = vbits_or(b, vx, vy);
    /* A bit that is a defined 0 on either side makes the result defined. */
    return and_(b, v, and_(b, high_end(b, x, vx), high_end(b, y, vy)));
}

/* ---- rules -------------------------------------------------------------------------- */

static IrRef rule_none(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    (void)b, (void)in, (void)v;
    return IR_NONE;
}

static IrRef rule_pass(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    (void)b, (void)in;
    return v[0];
}

static IrRef rule_same(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    /* The one argument that matters replaced by its V bits; NOT's V bits are not inverted. */
    if (in->op == OP_NOT)
        return v[0];
    IrInsn same = *in;
    same.arg[0] = v[0];
    return ir_emit(b, &same);
}

static IrRef rule_make(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    IrInsn same = *in;
    for (int k = 0; k < 2; k++)
        same.arg[k] = vbits_full(b, type_of(b, in->arg[k]), v[k]);
    return ir_emit(b, &same);
}

static IrRef rule_join(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    (void)in;
    return vbits_or(b, v[0], v[1]);
}

static IrRef rule_and(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    return vbits_and(b, in->arg[0], in->arg[1], v[0], v[1]);
}

static IrRef rule_or(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    /* A defined 1 on either side settles the bit. */
    IrRef open_x = v[0] == IR_NONE ? not_(b, in->arg[0]) : or_(b, not_(b, in->arg[0]), v[0]);
    IrRef open_y = v[1] == IR_NONE ? not_(b, in->arg[1]) : or_(b, not_(b, in->arg[1]), v[1]);
    return and_(b, vbits_or(b, v[0], v[1]), and_(b, open_x, open_y));
}

static IrRef rule_add(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    return vbits_add(b, in->arg[0], in->arg[1], v[0], v[1]);
}

static IrRef rule_sub(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    return vbits_sub(b, in->arg[0], in->arg[1], v[0], v[1]);
}

static IrRef rule_neg(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    return vbits_sub(b, zero(b, (IrType)in->type), in->arg[0], IR_NONE, v[0]);
}

static IrRef rule_left(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    (void)in;
    return vbits_left(b, vbits_or(b, v[0], v[1]));
}

static IrRef rule_smear(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    return vbits_smear(b, (IrType)in->type, vbits_or(b, v[0], v[1]));
}

static IrRef rule_shift(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    IrRef moved = IR_NONE;
    if (v[0] != IR_NONE) {
        IrInsn same = *in;
        same.arg[0] = v[0];
        moved = ir_emit(b, &same);
    }
    return v[1] == IR_NONE ? moved : vbits_or(b, moved, vbits_smear(b, (IrType)in->type, v[1]));
}

static IrRef rule_counting(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    /* The count is known if the ends of the interval agree on it. */
    IrType t = (IrType)in->type;
    IrRef few = ir_unop(b, (IrOp)in->op, t, high_end(b, in->arg[0], v[0]));
    IrRef many = ir_unop(b, (IrOp)in->op, t, low_end(b, in->arg[0], v[0]));
    return vbits_smear(b, t, xor_(b, few, many));
}

static IrRef rule_equality(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    return vbits_equality(b, in->arg[0], in->arg[1], vbits_or(b, v[0], v[1]));
}

static IrRef rule_order(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    IrRef x = in->arg[0], y = in->arg[1];
    IrType t = type_of(b, x);
    IrOp op = in->op == OP_CMPLTU || in->op == OP_CMPLTS ? OP_CMPLTU : OP_CMPLEU;
    if (in->op == OP_CMPLTS || in->op == OP_CMPLES) {
        /* Signed order is unsigned order with the sign bit inverted. */
        IrRef sign = ir_const(b, t, 1ULL << (8 * ir_type_size(t) - 1));
        x = xor_(b, x, sign);
        y = xor_(b, y, sign);
    }
    IrRef surely = ir_cmp(b, op, high_end(b, x, v[0]), low_end(b, y, v[1]));
    IrRef maybe = ir_cmp(b, op, low_end(b, x, v[0]), high_end(b, y, v[1]));
    return xor_(b, surely, maybe);
}

static IrRef rule_select(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    IrType t = vbits_type((IrType)in->type);
    IrRef taken = IR_NONE;
    if (v[1] != IR_NONE || v[2] != IR_NONE)
        taken = ir_select(b, in->arg[0], vbits_full(b, t, v[1]), vbits_full(b, t, v[2]));
    if (v[0] == IR_NONE)
        return taken;
    /* Which one is taken is undefined: so are the bits in which they differ. */
    IrRef differ;
    if (in->type == TY_FLAGS)
        differ = ir_const(b, TY_I64, 0x8d5);
    else
        differ = vbits_or(b, xor_(b, in->arg[1], in->arg[2]), vbits_or(b, v[1], v[2]));
    return ir_select(b, v[0], differ, vbits_full(b, t, taken));
}

static IrRef rule_flags(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    return vbits_flags(b, in, v);
}

static IrRef rule_cond(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    return vbits_cond(b, (IrCond)in->sub, v[0]);
}

static IrRef rule_lane_left(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    IrRef x = vbits_or(b, v[0], v[1]);
    return or_(b, x, ir_lane_op(b, OP_LSUB, (IrLane)in->sub, zero(b, (IrType)in->type), x));
}

static IrRef rule_lane_equality(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    return vbits_lane_equality(b, (IrLane)in->sub, in->arg[0], in->arg[1], vbits_or(b, v[0], v[1]));
}

static IrRef rule_lane_smear(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    return ir_lane_op(b, OP_LNEZ, (IrLane)in->sub, vbits_or(b, v[0], v[1]), IR_NONE);
}

static IrRef rule_lane_nonzero(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    return vbits_lane_equality(b, (IrLane)in->sub, in->arg[0], zero(b, (IrType)in->type), v[0]);
}

/* ---- the table ---------------------------------------------------------------------- */

static const Rule rules[] = {
#define RULE(op, rule) [OP_##op] = rule_##rule,
#include "vbits.def"
#undef RULE
};

enum {
    N_ROWS = 0
#define RULE(op, rule) + 1
#include "vbits.def"
#undef RULE
};
_Static_assert((int)N_ROWS == (int)OP_COUNT, "vbits.def has a row for each operation");
_Static_assert(sizeof rules / sizeof rules[0] == OP_COUNT, "vbits.def names each operation");

IrRef vbits_of(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    if (v[0] == IR_NONE && v[1] == IR_NONE && v[2] == IR_NONE)
        return IR_NONE;
    return rules[in->op](b, in, v);
}
