/* SPDX-License-Identifier: MIT */
/*
 * Constant folding (by the evaluator that also serves the interpreter) and the few algebraic
 * identities that lifted code is full of: fold_rules.def, conversions of conversions, sums with
 * several constants.
 */
#include "ir/eval.h"
#include "opt_internal.h"

enum When { NEVER, SAME, A_ZERO, B_ZERO, B_ONE, B_ONES };
enum Result { A, ZERO, ONES };

typedef struct FoldRule {
    uint8_t when, result;
} FoldRule;

static const FoldRule fold_rule[OP_COUNT][4] = {
#define FOLD(op, ...) [OP_##op] = { __VA_ARGS__ },
#include "fold_rules.def"
#undef FOLD
};

static bool applies(const Opt *o, const IrInsn *n, enum When when)
{
    uint64_t k;
    if (when == SAME)
        return n->arg[0] == n->arg[1];
    if (!opt_is_const(o, n->arg[when != A_ZERO], &k))
        return false;
    IrType t = (IrType)o->b->insn[n->arg[1]].type;
    return k == (when == B_ONES ? ir_mask(t) : when == B_ONE);
}

static IrRef by_rule(Opt *o, const IrInsn *n)
{
    const FoldRule *rule = fold_rule[n->op];
    for (unsigned k = 0; k < 4 && rule[k].when; k++) {
        if (!applies(o, n, (enum When)rule[k].when))
            continue;
        if (rule[k].result == A)
            return n->arg[0];
        return opt_const(o, (IrType)n->type, rule[k].result == ONES ? ~0ull : 0);
    }
    return IR_NONE;
}

/** If all arguments are integer constants (and the result is one), the result. */
static IrRef by_value(Opt *o, const IrInsn *n)
{
    IrValue a[3] = { 0 }, out;
    IrType t = (IrType)n->type;
    if (n->op == OP_CONST || n->op == OP_SELECT || ir_is_vec(t) || t == TY_FLAGS)
        return IR_NONE;
    unsigned nargs = ir_op_info[n->op].nargs;
    for (unsigned k = 0; k < nargs; k++) {
        if (n->arg[k] == IR_NONE || !opt_is_const(o, n->arg[k], &a[k].u64[0]))
            return IR_NONE;
    }
    eval_pure(n, (IrType)o->b->insn[n->arg[0]].type, &a[0], &a[1], &a[2], &out);
    return opt_const(o, t, out.u64[0]);
}

/** Conversions of conversions. */
static IrRef of_conversion(Opt *o, const IrInsn *n)
{
    const IrInsn x = o->b->insn[n->arg[0]];
    IrType to = (IrType)n->type;
    if (n->op == OP_FLAGS_BITS || n->op == OP_BITS_FLAGS)
        return n->op == OP_BITS_FLAGS && x.op == OP_FLAGS_BITS ? x.arg[0] : IR_NONE;
    if (x.op == OP_TRUNC && n->op == OP_TRUNC)
        return opt_op(o, OP_TRUNC, to, x.arg[0], IR_NONE);
    if (x.op != OP_ZEXT && x.op != OP_SEXT)
        return IR_NONE;
    if (n->op == x.op || (n->op == OP_SEXT && x.op == OP_ZEXT))
        return opt_op(o, (IrOp)x.op, to, x.arg[0], IR_NONE);
    if (n->op != OP_TRUNC)
        return IR_NONE;
    IrType from = (IrType)o->b->insn[x.arg[0]].type;
    if (from == to)
        return x.arg[0];
    return opt_op(o, from > to ? OP_TRUNC : (IrOp)x.op, to, x.arg[0], IR_NONE);
}

/**
 * Changes *n: (x + k1) + k2 to one sum, x + x to x << 1.  The shift matters to tools: it says that
 * bit i of the result is bit i - 1 of x and nothing else, which no rule about sums can know.
 */
static void of_sum(Opt *o, IrInsn *n)
{
    uint64_t k1, k2;
    IrType t = (IrType)n->type;
    if (n->op == OP_ADD && n->arg[0] == n->arg[1]) {
        n->op = OP_SHL;
        n->arg[1] = opt_const(o, TY_I8, 1);
        return;
    }
    if (!opt_is_const(o, n->arg[1], &k2))
        return;
    if (n->op == OP_SUB) {
        n->op = OP_ADD;
        k2 = -k2;
        n->arg[1] = opt_const(o, t, k2);
    }
    const IrInsn x = o->b->insn[n->arg[0]];
    if (x.op == OP_ADD && opt_is_const(o, x.arg[1], &k1)) {
        n->arg[0] = x.arg[0];
        n->arg[1] = opt_const(o, t, k1 + k2);
    }
}

static IrRef of_select(const Opt *o, const IrInsn *n)
{
    uint64_t c;
    if (n->arg[1] == n->arg[2])
        return n->arg[1];
    if (opt_is_const(o, n->arg[0], &c))
        return n->arg[c ? 1 : 2];
    return IR_NONE;
}

/** not(not x) */
static IrRef of_not(Opt *o, const IrInsn *n)
{
    const IrInsn *x = &o->b->insn[n->arg[0]];
    return x->op == n->op ? x->arg[0] : IR_NONE;
}

/** A shift or rotate by 0 changes no flags; no carry in makes a plain sum or difference. */
static IrRef of_flags(Opt *o, IrInsn *n)
{
    uint64_t k;
    if (n->sub >= FK_SHL && n->sub <= FK_ROR)
        return opt_is_const(o, n->arg[1], &k) && k == 0 ? n->arg[2] : IR_NONE;
    if ((n->sub == FK_ADC || n->sub == FK_SBB) && opt_is_const(o, n->arg[2], &k) && !(k & 1)) {
        n->sub = n->sub == FK_ADC ? FK_ADD : FK_SUB;
        n->arg[2] = IR_NONE;
    }
    return IR_NONE;
}

/** Constants of commutative ops go second; otherwise the order is by number, for CSE. */
static void put_in_order(const Opt *o, IrInsn *n)
{
    bool first = o->b->insn[n->arg[0]].op == OP_CONST;
    bool second = o->b->insn[n->arg[1]].op == OP_CONST;
    if (first != second ? first : n->arg[0] > n->arg[1]) {
        IrRef x = n->arg[0];
        n->arg[0] = n->arg[1];
        n->arg[1] = x;
    }
}

IrRef opt_fold(Opt *o, IrInsn *n)
{
    const IrOpInfo *info = &ir_op_info[n->op];
    if (info->flags & OPF_COMM)
        put_in_order(o, n);
    IrRef r = by_value(o, n);
    if (r != IR_NONE)
        return r;
    if (n->op == OP_ADD || n->op == OP_SUB)
        of_sum(o, n);
    if (fold_rule[n->op][0].when && (r = by_rule(o, n)) != IR_NONE)
        return r;
    switch (info->shape) {
    case SHAPE_CONV:
        return of_conversion(o, n);
    case SHAPE_SEL:
        return of_select(o, n);
    case SHAPE_FLAGS:
        return of_flags(o, n);
    default:
        return n->op == OP_NOT || n->op == OP_NEG ? of_not(o, n) : IR_NONE;
    }
}
