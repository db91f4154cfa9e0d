/* SPDX-License-Identifier: MIT */
/*
 * Conditions over the flags of a known operation become comparisons of its operands, by
 * cond_rules.def.  The back end gains little by it (it fuses both alike), but a tool does: bit
 * precise rules exist for comparisons, not for flags.
 */
#include "opt_internal.h"

/** Comparisons; their negations swap the operands where that is needed. */
enum Comparison { NONE, EQ, LTU, LEU, LTS, LES, NEVER, CARRIED, BIT };
enum Operand { NIL, A, B, R, ZERO, OUT };

typedef struct CondRule {
    uint8_t cmp, x, y;
} CondRule;

static const CondRule cond_rule[FK_COUNT][8] = {
#define COND_RULE(kind, cc, cmp, x, y) [FK_##kind][CC_##cc >> 1] = { cmp, x, y },
#include "cond_rules.def"
#undef COND_RULE
};
#define COND_RULE(kind, cc, cmp, x, y) \
    _Static_assert((CC_##cc & 1) == 0, "rows are for even conditions");
#include "cond_rules.def"
#undef COND_RULE

/** The op of a comparison and of its negation, and whether the latter swaps the operands. */
static const struct {
    uint8_t op, negated;
    bool swap;
} cmp_op[] = {
    [EQ] = { OP_CMPEQ, OP_CMPNE, false },  [LTU] = { OP_CMPLTU, OP_CMPLEU, true },
    [LEU] = { OP_CMPLEU, OP_CMPLTU, true }, [LTS] = { OP_CMPLTS, OP_CMPLES, true },
    [LES] = { OP_CMPLES, OP_CMPLTS, true },
};

/** How the result of each kind follows from its operands. */
static const uint8_t result_op[FK_COUNT] = {
    [FK_ADD] = OP_ADD, [FK_ADC] = OP_ADD, [FK_SUB] = OP_SUB, [FK_SBB] = OP_SUB,
    [FK_INC] = OP_ADD, [FK_DEC] = OP_SUB, [FK_SHL] = OP_SHL, [FK_SHR] = OP_SHR,
    [FK_SAR] = OP_SAR,
};

static bool is_shift(const IrInsn *f)
{
    return f->sub >= FK_SHL && f->sub <= FK_SAR;
}

static IrRef result_of(Opt *o, const IrInsn *f)
{
    IrType w = (IrType)f->aux;
    IrOp op = (IrOp)result_op[f->sub];
    if (f->sub == FK_INC || f->sub == FK_DEC)
        return opt_op(o, op, w, f->arg[0], opt_const(o, w, 1));
    IrRef r = opt_op(o, op, w, f->arg[0], f->arg[1]);
    if (f->sub != FK_ADC && f->sub != FK_SBB)
        return r;
    IrRef carry = f->arg[2];
    if (w != TY_I64)
        carry = opt_op(o, OP_TRUNC, w, carry, IR_NONE);
    return opt_op(o, op, w, r, opt_op(o, OP_AND, w, carry, opt_const(o, w, 1)));
}

/** The bit that a shift by a constant moved out last, as I1. */
static IrRef bit_out(Opt *o, const IrInsn *f, uint64_t count)
{
    IrType w = (IrType)f->aux;
    uint64_t n = f->sub == FK_SHL ? ir_bits(w) - count : count - 1;
    IrRef bit = opt_op(o, OP_SHR, w, f->arg[0], opt_const(o, TY_I8, n));
    return opt_op(o, OP_TRUNC, TY_I1, bit, IR_NONE);
}

static IrRef operand(Opt *o, const IrInsn *f, enum Operand x, uint64_t count)
{
    switch (x) {
    case A:
        return f->arg[0];
    case B:
        return f->arg[1];
    case R:
        return result_of(o, f);
    case OUT:
        return bit_out(o, f, count);
    default:
        return opt_const(o, (IrType)f->aux, 0);
    }
}

IrRef opt_cond(Opt *o, const IrInsn *n)
{
    /* A copy: making operands may move the array. */
    const IrInsn f = o->b->insn[n->arg[0]];
    if (f.op != OP_FLAGS)
        return IR_NONE;
    CondRule rule = cond_rule[f.sub][n->sub >> 1];
    bool neg = n->sub & 1;
    uint64_t count = 0;
    if (is_shift(&f) && (!opt_is_const(o, f.arg[1], &count) || count == 0 ||
                         count >= ir_bits((IrType)f.aux)))
        return IR_NONE;
    switch (rule.cmp) {
    case NONE:
        return IR_NONE;
    case NEVER:
        return opt_const(o, TY_I1, neg);
    case CARRIED: {
        IrInsn over_c = *n;
        over_c.arg[0] = f.arg[2];
        return opt_value(o, &over_c);
    }
    case BIT: {
        IrRef bit = operand(o, &f, (enum Operand)rule.x, count);
        return neg ? opt_op(o, OP_NOT, TY_I1, bit, IR_NONE) : bit;
    }
    default:
        break;
    }
    IrRef x = operand(o, &f, (enum Operand)rule.x, count);
    IrRef y = operand(o, &f, (enum Operand)rule.y, count);
    if (!neg)
        return opt_op(o, (IrOp)cmp_op[rule.cmp].op, TY_I1, x, y);
    bool swap = cmp_op[rule.cmp].swap;
    return opt_op(o, (IrOp)cmp_op[rule.cmp].negated, TY_I1, swap ? y : x, swap ? x : y);
}
