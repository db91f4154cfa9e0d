/* SPDX-License-Identifier: MIT */
/*
 * V bits of condition codes.  Comparisons that are used in the block they are made in have
 * become CMPEQ and the like before we see them; what comes here are flags that live longer.
 * Zero and sign are exact, carry of additions and subtractions too; overflow is undefined as
 * soon as a sign that it depends on is.
 */
#include "vbits.h"

/* Bits as in FLAGS_BITS. */
enum { F_C = 0x1, F_P = 0x4, F_A = 0x10, F_Z = 0x40, F_S = 0x80, F_O = 0x800, F_ALL = 0x8d5 };

static IrType type_of(const IrBlock *b, IrRef r) { return (IrType)b->insn[r].type; }

/** @p bit (a bit of FLAGS_BITS, or several) if the I1 @p cond. */
static IrRef bit_if(IrBlock *b, IrRef cond, uint64_t bit)
{
    return ir_binop(b, OP_AND, ir_unop(b, OP_SEXT, TY_I64, cond), ir_const(b, TY_I64, bit));
}

/** I1: bits @p mask of @p v are not all zero. */
static IrRef any_of(IrBlock *b, IrRef v, uint64_t mask)
{
    IrType t = type_of(b, v);
    return vbits_any(b, ir_binop(b, OP_AND, v, ir_const(b, t, mask)));
}

static uint64_t sign_mask(IrType t) { return 1ULL << (8 * ir_type_size(t) - 1); }

/** Zero, sign and parity of a result @p r with V bits @p vr. */
static IrRef of_result(IrBlock *b, IrRef r, IrRef vr)
{
    IrType t = type_of(b, vr);
    IrRef z = vbits_equality(b, r, ir_const(b, t, 0), vr);
    IrRef f = bit_if(b, z, F_Z);
    f = ir_binop(b, OP_OR, f, bit_if(b, any_of(b, vr, sign_mask(t)), F_S));
    return ir_binop(b, OP_OR, f, bit_if(b, any_of(b, vr, 0xff), F_P));
}

/** I1: is x < y (unsigned) undefined? */
static IrRef less_undefined(IrBlock *b, IrRef x, IrRef y, IrRef vx, IrRef vy)
{
    IrInsn less = { .op = OP_CMPLTU, .type = TY_I1, .arg = { x, y, IR_NONE } };
    return vbits_of(b, &less, (IrRef[3]){ vx, vy, IR_NONE });
}

static IrRef flags_of_sum(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    bool add = in->sub == FK_ADD;
    IrRef x = in->arg[0], y = in->arg[1];
    IrType t = (IrType)in->aux;
    IrRef r = ir_binop(b, add ? OP_ADD : OP_SUB, x, y);
    IrRef vr = add ? vbits_add(b, x, y, v[0], v[1]) : vbits_sub(b, x, y, v[0], v[1]);
    IrRef either = vbits_or(b, v[0], v[1]);
    IrRef f = of_result(b, r, vr);
    if (!add) {
        /* Equality knows more than the difference. */
        f = ir_binop(b, OP_AND, f, ir_const(b, TY_I64, F_ALL & ~F_Z));
        f = ir_binop(b, OP_OR, f, bit_if(b, vbits_equality(b, x, y, either), F_Z));
    }
    /* Carry of x + y: ~y < x.  Borrow of x - y: x < y. */
    IrRef carry = add ? less_undefined(b, ir_unop(b, OP_NOT, t, y), x, v[1], v[0])
                      : less_undefined(b, x, y, v[0], v[1]);
    f = ir_binop(b, OP_OR, f, bit_if(b, carry, F_C));
    IrRef all = ir_binop(b, OP_OR, either, vr);
    f = ir_binop(b, OP_OR, f, bit_if(b, any_of(b, all, sign_mask(t)), F_O));
    return ir_binop(b, OP_OR, f, bit_if(b, any_of(b, all, 0x10), F_A));
}

static IrRef flags_of_step(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    IrRef carry = v[2] == IR_NONE
                      ? IR_NONE
                      : ir_binop(b, OP_AND, v[2], ir_const(b, TY_I64, F_C));
    if (v[0] == IR_NONE)
        return carry;
    IrInsn sum = *in;
    sum.sub = in->sub == FK_INC ? FK_ADD : FK_SUB;
    sum.arg[1] = ir_const(b, (IrType)in->aux, 1);
    IrRef f = flags_of_sum(b, &sum, (IrRef[3]){ v[0], IR_NONE, IR_NONE });
    f = ir_binop(b, OP_AND, f, ir_const(b, TY_I64, F_ALL & ~F_C));
    return vbits_or(b, f, carry);
}

static IrRef flags_of_logic(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    return of_result(b, in->arg[0], v[0]);
}

/** All of them if any input is undefined at all. */
static IrRef flags_of_any(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    (void)in;
    IrRef any = IR_NONE;
    for (int k = 0; k < 3; k++) {
        if (v[k] == IR_NONE)
            continue;
        any = any == IR_NONE ? vbits_any(b, v[k]) : ir_binop(b, OP_OR, any, vbits_any(b, v[k]));
    }
    return bit_if(b, any, F_ALL);
}

static IrRef flags_of_shift(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    IrRef before = vbits_full(b, TY_I64, v[2]);
    IrRef new = ir_const(b, TY_I64, 0);
    if (v[0] != IR_NONE) {
        static const uint8_t op[] = { [FK_SHL] = OP_SHL, [FK_SHR] = OP_SHR, [FK_SAR] = OP_SAR };
        IrRef r = ir_binop(b, (IrOp)op[in->sub], in->arg[0], in->arg[1]);
        IrRef vr = ir_binop(b, (IrOp)op[in->sub], v[0], in->arg[1]);
        new = ir_binop(b, OP_OR, of_result(b, r, vr),
                       bit_if(b, vbits_any(b, v[0]), F_C | F_O | F_A));
    }
    IrRef none = ir_cmp(b, OP_CMPEQ, in->arg[1], ir_const(b, TY_I8, 0));
    IrRef f = ir_select(b, none, before, new);
    return v[1] == IR_NONE ? f : vbits_or(b, f, bit_if(b, vbits_any(b, v[1]), F_ALL));
}

static IrRef flags_of_rotate(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    (void)in;
    IrRef f = vbits_full(b, TY_I64, v[2]);
    for (int k = 0; k < 2; k++)
        if (v[k] != IR_NONE)
            f = ir_binop(b, OP_OR, f, bit_if(b, vbits_any(b, v[k]), F_C | F_O));
    return f;
}

static IrRef flags_of_carry_sum(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    /* Only the lowest bit of the carry operand counts. */
    IrRef carry = IR_NONE;
    if (v[2] != IR_NONE)
        carry = ir_binop(b, OP_AND, v[2], ir_const(b, TY_I64, 1));
    return flags_of_any(b, in, (IrRef[3]){ v[0], v[1], carry });
}

typedef IrRef (*FlagRule)(IrBlock *b, const IrInsn *in, const IrRef v[3]);

static const FlagRule flag_rules[FK_COUNT] = {
    [FK_ADD] = flags_of_sum,     [FK_SUB] = flags_of_sum,
    [FK_ADC] = flags_of_carry_sum, [FK_SBB] = flags_of_carry_sum,
    [FK_LOGIC] = flags_of_logic, [FK_INC] = flags_of_step,
    [FK_DEC] = flags_of_step,    [FK_SHL] = flags_of_shift,
    [FK_SHR] = flags_of_shift,   [FK_SAR] = flags_of_shift,
    [FK_ROL] = flags_of_rotate,  [FK_ROR] = flags_of_rotate,
    [FK_MULS] = flags_of_any,
};

IrRef vbits_flags(IrBlock *b, const IrInsn *in, const IrRef v[3])
{
    return flag_rules[in->sub](b, in, v);
}

IrRef vbits_cond(IrBlock *b, IrCond cc, IrRef vflags)
{
    /* Flags that each pair of conditions reads. */
    static const uint16_t reads[8] = { F_O, F_C, F_Z, F_C | F_Z, F_S, F_P, F_S | F_O,
                                       F_Z | F_S | F_O };
    return any_of(b, vflags, reads[cc >> 1]);
}
