/* SPDX-License-Identifier: MIT */
/*
 * Shifts and rotates.  Counts are taken modulo 32 or 64 whatever the operand's width, so narrow
 * operands are shifted in 32 bits; a count of 0 leaves the condition codes as they are.
 */
#include "lift_internal.h"
#include "lifters.h"

/** What a shift does, by SH_*. */
static const struct {
    uint8_t op, flags, extend;
} shifts[] = {
    [SH_SHL] = { OP_SHL, FK_SHL, OP_ZEXT }, [SH_SHR] = { OP_SHR, FK_SHR, OP_ZEXT },
    [SH_SAR] = { OP_SAR, FK_SAR, OP_SEXT }, [SH_ROL] = { OP_ROL, FK_ROL, OP_ZEXT },
    [SH_ROR] = { OP_ROR, FK_ROR, OP_ZEXT },
};

static IrRef shift_value(Lift *l, unsigned what, IrType t, IrRef a, IrRef count)
{
    bool narrow = t == TY_I8 || t == TY_I16;
    if (!narrow)
        return ir_binop(l->b, shifts[what].op, a, count);
    if (what >= SH_ROL) { /* rotation is modulo the width */
        IrRef n = ir_binop(l->b, OP_AND, count, ir_const(l->b, TY_I8, ir_type_size(t) * 8 - 1));
        return ir_binop(l->b, shifts[what].op, a, n);
    }
    IrRef wide = ir_unop(l->b, shifts[what].extend, TY_I32, a);
    return ir_unop(l->b, OP_TRUNC, t, ir_binop(l->b, shifts[what].op, wide, count));
}

/** The masked count, I8; sets *@p known to its value if it is constant, else to ~0. */
static IrRef masked_count(Lift *l, const Insn *in, unsigned *known)
{
    unsigned mask = in->operand[0].size == 8 ? 63 : 31;
    const Operand *o = &in->operand[1];
    if (o->kind == OPK_IMM) {
        *known = (unsigned)in->imm[0] & mask;
        return ir_const(l->b, TY_I8, *known);
    }
    *known = ~0u;
    return ir_binop(l->b, OP_AND, lift_get(l, AMD64_RCX, 1), ir_const(l->b, TY_I8, mask));
}

/** A constant count of 0: only the upper half of a 32-bit register changes. */
static void shift_by_zero(Lift *l, const Insn *in)
{
    IrRef a = lift_operand(l, in, 0);
    if (in->operand[0].kind == OPK_MEM || in->operand[0].size == 4)
        lift_set_operand(l, in, 0, a);
}

bool lift_shift(Lift *l, const Insn *in, const InsnRow *row)
{
    unsigned known;
    IrType t = ir_type_of_size(in->operand[0].size);
    IrRef count = masked_count(l, in, &known);
    if (known == 0) {
        shift_by_zero(l, in);
        return true;
    }
    IrRef a = lift_operand(l, in, 0);
    IrRef r;
    if (known < 32 && row->sub >= SH_ROL && known >= ir_type_size(t) * 8)
        r = shift_value(l, row->sub, t, a, ir_const(l->b, TY_I8, known % (ir_type_size(t) * 8)));
    else
        r = shift_value(l, row->sub, t, a, count);
    IrRef f = IR_NONE;
    if (in->cc_live & in->n.cc_write)
        f = ir_flags(l->b, shifts[row->sub].flags, t, a, count, lift_get_cc(l));
    lift_set_operand(l, in, 0, r);
    if (f != IR_NONE)
        lift_put_cc(l, in, f);
    return true;
}

/**
 * shld, shrd: so that each bit of the result is as defined as the one bit that it comes from.
 * With live condition codes, and in 16 bits (where counts may exceed the width), they stay NATIVE.
 */
bool lift_double_shift(Lift *l, const Insn *in, const InsnRow *row)
{
    unsigned size = in->operand[0].size, bits = 8 * size;
    if (size < 4 || (in->cc_live & in->n.cc_write))
        return false;
    bool left = row->sub == SH_SHL;
    const Operand *by = &in->operand[2];
    IrRef count = by->kind == OPK_IMM ? ir_const(l->b, TY_I8, in->imm[0] & (bits - 1))
                : ir_binop(l->b, OP_AND, lift_get(l, AMD64_RCX, 1), ir_const(l->b, TY_I8, bits - 1));
    IrRef a = lift_operand(l, in, 0), from = lift_operand(l, in, 1);
    /* in two steps, since by the whole width, for a count of 0, is no shift */
    IrRef rest = ir_binop(l->b, OP_XOR, count, ir_const(l->b, TY_I8, bits - 1));
    from = ir_binop(l->b, left ? OP_SHR : OP_SHL, from, ir_const(l->b, TY_I8, 1));
    from = ir_binop(l->b, left ? OP_SHR : OP_SHL, from, rest);
    a = ir_binop(l->b, left ? OP_SHL : OP_SHR, a, count);
    lift_set_operand(l, in, 0, ir_binop(l->b, OP_OR, a, from));
    return true;
}

/** shlx, shrx, sarx: count in a register of the operand's size, no flags */
bool lift_shiftx(Lift *l, const Insn *in, const InsnRow *row)
{
    unsigned mask = in->operand[0].size == 8 ? 63 : 31;
    IrRef a = lift_operand(l, in, 1);
    IrRef n = ir_unop(l->b, OP_TRUNC, TY_I8, lift_operand(l, in, 2));
    n = ir_binop(l->b, OP_AND, n, ir_const(l->b, TY_I8, mask));
    lift_set_operand(l, in, 0, ir_binop(l->b, shifts[row->sub].op, a, n));
    return true;
}

bool lift_rorx(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    unsigned mask = in->operand[0].size == 8 ? 63 : 31;
    IrRef n = ir_const(l->b, TY_I8, in->imm[0] & mask);
    lift_set_operand(l, in, 0, ir_binop(l->b, OP_ROR, lift_operand(l, in, 1), n));
    return true;
}
