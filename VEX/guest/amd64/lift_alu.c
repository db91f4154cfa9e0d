/* SPDX-License-Identifier: MIT */
/*
 * Integer arithmetic and logic with condition codes.  Under the native policy only constant
 * adjustments of RSP come here, so that tools see where the stack ends.
 */
#include "lift_internal.h"
#include "lifters.h"

static bool cc_wanted(const Insn *in)
{
    return in->cc_live & in->n.cc_write;
}

static IrType type_of(const Operand *o)
{
    return ir_type_of_size(o->size);
}

/** Does the instruction move RSP by a constant? */
static bool is_stack_adjustment(const Insn *in)
{
    const Operand *dst = &in->operand[0];
    return dst->kind == OPK_REG && dst->reg == AMD64_RSP && dst->size == 8 &&
           in->operand[1].kind == OPK_IMM;
}

/** Both operands are one register, whose value then does not matter to XOR, SUB and SBB. */
static bool is_zeroing(const Insn *in)
{
    return in->same_sources;
}

/** Codes of @p op on @p a and @p b with result @p r. */
static IrRef flags_of(Lift *l, IrOp op, IrType t, IrRef a, IrRef b, IrRef r)
{
    if (op == OP_ADD)
        return ir_flags(l->b, FK_ADD, t, a, b, IR_NONE);
    if (op == OP_SUB)
        return ir_flags(l->b, FK_SUB, t, a, b, IR_NONE);
    return ir_flags(l->b, FK_LOGIC, t, r, IR_NONE, IR_NONE);
}

/** add, sub, and, or, xor */
bool lift_alu2(Lift *l, const Insn *in, const InsnRow *row)
{
    if (in->n.flags & NF_LOCK ||
        (lift_is_native(l) && (!is_stack_adjustment(in) || cc_wanted(in))))
        return false;
    IrType t = type_of(&in->operand[0]);
    IrRef a, b, r;
    if (is_zeroing(in)) {
        a = b = r = ir_const(l->b, t, 0);
    } else {
        a = lift_operand(l, in, 0);
        b = lift_operand_sized(l, in, 1, in->operand[0].size);
        r = ir_binop(l->b, row->sub, a, b);
    }
    IrRef f = cc_wanted(in) ? flags_of(l, row->sub, t, a, b, r) : IR_NONE;
    lift_set_operand(l, in, 0, r);
    if (f != IR_NONE)
        lift_put_cc(l, in, f);
    return true;
}

/** CF as an I64. */
static IrRef carry(Lift *l)
{
    return ir_unop(l->b, OP_ZEXT, TY_I64, ir_cond(l->b, CC_B, lift_get_cc(l)));
}

/** adc, sbb (sub: OP_ADD, OP_SUB) */
bool lift_alu_carry(Lift *l, const Insn *in, const InsnRow *row)
{
    if (in->n.flags & NF_LOCK)
        return false;
    IrType t = type_of(&in->operand[0]);
    IrRef a, b, c = carry(l);
    if (is_zeroing(in)) {
        a = b = ir_const(l->b, t, 0);
    } else {
        a = lift_operand(l, in, 0);
        b = lift_operand_sized(l, in, 1, in->operand[0].size);
    }
    IrRef r = ir_binop(l->b, row->sub, ir_binop(l->b, row->sub, a, b), lift_resize(l, c, t));
    IrRef f = IR_NONE;
    if (cc_wanted(in))
        f = ir_flags(l->b, row->sub == OP_ADD ? FK_ADC : FK_SBB, t, a, b, c);
    lift_set_operand(l, in, 0, r);
    if (f != IR_NONE)
        lift_put_cc(l, in, f);
    return true;
}

/** cmp (sub: OP_SUB), test (OP_AND): only condition codes */
bool lift_compare(Lift *l, const Insn *in, const InsnRow *row)
{
    IrType t = type_of(&in->operand[0]);
    IrRef a = lift_operand(l, in, 0);
    IrRef b = lift_operand_sized(l, in, 1, in->operand[0].size);
    if (!cc_wanted(in))
        return true;
    if (row->sub == OP_SUB)
        lift_put_cc(l, in, ir_flags(l->b, FK_SUB, t, a, b, IR_NONE));
    else
        lift_put_cc(l, in, ir_flags(l->b, FK_LOGIC, t, ir_binop(l->b, OP_AND, a, b), IR_NONE,
                                    IR_NONE));
    return true;
}

/** not (sub: OP_NOT), neg (OP_NEG) */
bool lift_alu1(Lift *l, const Insn *in, const InsnRow *row)
{
    if (in->n.flags & NF_LOCK)
        return false;
    IrType t = type_of(&in->operand[0]);
    IrRef a = lift_operand(l, in, 0);
    IrRef f = IR_NONE;
    if (row->sub == OP_NEG && cc_wanted(in))
        f = ir_flags(l->b, FK_SUB, t, ir_const(l->b, t, 0), a, IR_NONE);
    lift_set_operand(l, in, 0, ir_unop(l->b, row->sub, t, a));
    if (f != IR_NONE)
        lift_put_cc(l, in, f);
    return true;
}

/** inc (sub: OP_ADD), dec (OP_SUB): CF stays */
bool lift_step(Lift *l, const Insn *in, const InsnRow *row)
{
    if (in->n.flags & NF_LOCK)
        return false;
    IrType t = type_of(&in->operand[0]);
    IrRef a = lift_operand(l, in, 0);
    IrRef r = ir_binop(l->b, row->sub, a, ir_const(l->b, t, 1));
    IrRef f = IR_NONE;
    if (cc_wanted(in))
        f = ir_flags(l->b, row->sub == OP_ADD ? FK_INC : FK_DEC, t, a, IR_NONE, lift_get_cc(l));
    lift_set_operand(l, in, 0, r);
    if (f != IR_NONE)
        lift_put_cc(l, in, f);
    return true;
}

/* ---- multiplication -------------------------------------------------------------------------- */

/** Write a double-width product to DX:AX and the like. */
static void put_product(Lift *l, unsigned bytes, IrRef lo, IrRef hi)
{
    lift_put(l, AMD64_RAX, bytes, lo);
    lift_put(l, AMD64_RDX, bytes, hi);
}

/** CF and OF if @p lost, an I1; the others are undefined: 0. */
static IrRef overflow_flags(Lift *l, IrRef lost)
{
    IrRef bits = ir_select(l->b, lost, lift_c64(l, CCB_CF | CCB_OF), lift_c64(l, 0));
    return ir_unop(l->b, OP_BITS_FLAGS, TY_FLAGS, bits);
}

/** AX = AL * operand */
static bool multiply_bytes(Lift *l, const Insn *in, bool is_signed)
{
    IrBlock *b = l->b;
    IrOp extend = is_signed ? OP_SEXT : OP_ZEXT;
    IrRef x = ir_unop(b, extend, TY_I16, lift_operand(l, in, 0));
    IrRef y = ir_unop(b, extend, TY_I16, lift_get(l, AMD64_RAX, 1));
    IrRef r = ir_binop(b, OP_MUL, x, y);
    if (cc_wanted(in)) {
        IrRef back = ir_unop(b, extend, TY_I16, ir_unop(b, OP_TRUNC, TY_I8, r));
        lift_put_cc(l, in, overflow_flags(l, ir_cmp(b, OP_CMPNE, back, r)));
    }
    lift_put(l, AMD64_RAX, 2, r);
    return true;
}

/** One operand: double-width product in DX:AX and the like. */
static bool multiply_wide(Lift *l, const Insn *in, IrOp high)
{
    IrBlock *b = l->b;
    unsigned bytes = in->operand[0].size;
    if (bytes == 1)
        return multiply_bytes(l, in, high == OP_MULHS);
    IrType t = ir_type_of_size(bytes);
    IrRef x = lift_operand(l, in, 0), y = lift_get(l, AMD64_RAX, bytes);
    IrRef lo = ir_binop(b, OP_MUL, x, y), hi = ir_binop(b, high, x, y);
    if (cc_wanted(in)) {
        IrRef fits = ir_const(b, t, 0);
        if (high == OP_MULHS)
            fits = ir_binop(b, OP_SAR, lo, ir_const(b, TY_I8, bytes * 8 - 1));
        lift_put_cc(l, in, overflow_flags(l, ir_cmp(b, OP_CMPNE, hi, fits)));
    }
    put_product(l, bytes, lo, hi);
    return true;
}

/** mul (sub: OP_MULHU), imul (OP_MULHS) */
bool lift_multiply(Lift *l, const Insn *in, const InsnRow *row)
{
    if (in->n_operands == 1)
        return multiply_wide(l, in, row->sub);
    unsigned last = in->n_operands - 1u, bytes = in->operand[0].size;
    IrType t = ir_type_of_size(bytes);
    IrRef x = lift_operand(l, in, last - 1), y = lift_operand_sized(l, in, last, bytes);
    if (cc_wanted(in))
        lift_put_cc(l, in, ir_flags(l->b, FK_MULS, t, x, y, IR_NONE));
    lift_set_operand(l, in, 0, ir_binop(l->b, OP_MUL, x, y));
    return true;
}

/** mulx: high half to the first operand, low half to the second; no flags */
bool lift_mulx(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrRef x = lift_operand(l, in, 2), y = lift_get(l, AMD64_RDX, in->operand[0].size);
    IrRef lo = ir_binop(l->b, OP_MUL, x, y), hi = ir_binop(l->b, OP_MULHU, x, y);
    lift_set_operand(l, in, 1, lo);
    lift_set_operand(l, in, 0, hi); /* wins if both are the same register */
    return true;
}

/**
 * cmpxchg of registers.  The one that is not written keeps its upper half even if the operands
 * are 32 bits wide.
 */
bool lift_cmpxchg(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrBlock *b = l->b;
    const Operand *dst = &in->operand[0];
    if (in->has_mem || dst->size < 4)
        return false;
    IrType t = type_of(dst);
    IrRef old = lift_operand(l, in, 0), acc = lift_get(l, AMD64_RAX, dst->size);
    IrRef src = lift_resize(l, lift_operand(l, in, 1), TY_I64);
    IrRef equal = ir_cmp(b, OP_CMPEQ, acc, old);
    IrRef new_dst = ir_select(b, equal, src, lift_get(l, dst->reg, 8));
    IrRef new_acc = ir_select(b, equal, lift_get(l, AMD64_RAX, 8), lift_resize(l, old, TY_I64));
    IrRef f = cc_wanted(in) ? ir_flags(b, FK_SUB, t, acc, old, IR_NONE) : IR_NONE;
    ir_put(b, AMD64_RAX, new_acc);
    ir_put(b, dst->reg, new_dst);
    if (f != IR_NONE)
        lift_put_cc(l, in, f);
    return true;
}
