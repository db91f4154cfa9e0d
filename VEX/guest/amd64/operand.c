/* SPDX-License-Identifier: MIT */
/*
 * Operands of amd64 instructions as IR values: partial registers, immediates, addresses.
 */
#include "base/check.h"
#include "lift_internal.h"

IrRef lift_c64(Lift *l, uint64_t v)
{
    return ir_const(l->b, TY_I64, v);
}

IrRef lift_plus(Lift *l, IrRef a, int64_t v)
{
    return v ? ir_binop(l->b, OP_ADD, a, lift_c64(l, (uint64_t)v)) : a;
}

IrRef lift_resize(Lift *l, IrRef v, IrType t)
{
    IrType from = l->b->insn[v].type;
    if (from == t)
        return v;
    return ir_unop(l->b, ir_type_size(from) > ir_type_size(t) ? OP_TRUNC : OP_ZEXT, t, v);
}

IrRef lift_get(Lift *l, RegId r, unsigned bytes)
{
    return ir_get(l->b, ir_type_of_size(bytes), r);
}

/** Put byte, word @p v of type @p t at bit @p shift of register @p r. */
static void put_partial(Lift *l, RegId r, IrType t, unsigned shift, IrRef v)
{
    IrBlock *b = l->b;
    uint64_t mask = (t == TY_I8 ? 0xffull : 0xffffull) << shift;
    IrRef old = ir_binop(b, OP_AND, ir_get(b, TY_I64, r), lift_c64(l, ~mask));
    IrRef wide = ir_unop(b, OP_ZEXT, TY_I64, v);
    if (shift)
        wide = ir_binop(b, OP_SHL, wide, ir_const(b, TY_I8, shift));
    ir_put(b, r, ir_binop(b, OP_OR, old, wide));
}

void lift_put(Lift *l, RegId r, unsigned bytes, IrRef v)
{
    if (bytes == 8)
        ir_put(l->b, r, v);
    else if (bytes == 4)
        ir_put(l->b, r, ir_unop(l->b, OP_ZEXT, TY_I64, v));
    else
        put_partial(l, r, bytes == 1 ? TY_I8 : TY_I16, 0, v);
}

static IrRef get_register_operand(Lift *l, const Operand *o)
{
    if (o->offset) { /* AH and friends */
        IrRef w = ir_get(l->b, TY_I16, o->reg);
        return ir_unop(l->b, OP_TRUNC, TY_I8,
                       ir_binop(l->b, OP_SHR, w, ir_const(l->b, TY_I8, 8)));
    }
    return lift_get(l, o->reg, o->size);
}

/** Which of the instruction's immediates operand @p i is. */
static unsigned imm_number(const Insn *in, unsigned i)
{
    unsigned n = 0;
    for (unsigned k = 0; k < i; k++)
        n += in->operand[k].kind == OPK_IMM;
    return n;
}

IrRef lift_operand_sized(Lift *l, const Insn *in, unsigned i, unsigned bytes)
{
    const Operand *o = &in->operand[i];
    IrType t = ir_type_of_size(bytes);
    if (o->kind == OPK_IMM)
        return ir_const(l->b, t, in->imm[imm_number(in, i)]);
    return lift_resize(l, lift_operand(l, in, i), t);
}

IrRef lift_operand(Lift *l, const Insn *in, unsigned i)
{
    const Operand *o = &in->operand[i];
    switch (o->kind) {
    case OPK_REG:
        return get_register_operand(l, o);
    case OPK_MEM:
        return ir_load(l->b, SPACE_GUEST, ir_type_of_size(o->size), lift_mem(l, in));
    case OPK_IMM:
        return ir_const(l->b, ir_type_of_size(in->opsize), in->imm[imm_number(in, i)]);
    default:
        UNREACHABLE("operand %u of mnemonic %u", i, in->mnemonic);
    }
}

void lift_set_operand(Lift *l, const Insn *in, unsigned i, IrRef v)
{
    const Operand *o = &in->operand[i];
    if (o->kind == OPK_MEM)
        ir_store(l->b, SPACE_GUEST, lift_mem(l, in), v);
    else if (o->offset)
        put_partial(l, o->reg, TY_I8, 8, v);
    else
        lift_put(l, o->reg, o->size, v);
}

/* ---- addresses ------------------------------------------------------------------------------ */

/** base + index + disp, without segment and before truncation to 32 bits. */
static IrMem raw_mem(Lift *l, const Insn *in)
{
    IrMem m = { IR_NONE, IR_NONE, in->mem_scale, in->mem_disp };
    if (in->mem_base == AMD64_PC) {
        m.base = lift_c64(l, in->next + (uint64_t)in->mem_disp);
        m.disp = 0;
    } else if (in->mem_base != REG_NONE) {
        m.base = ir_get(l->b, TY_I64, in->mem_base);
    }
    if (in->mem_index != REG_NONE)
        m.index = ir_get(l->b, TY_I64, in->mem_index);
    return m;
}

/** One value for @p m. */
static IrRef flatten(Lift *l, IrMem m)
{
    IrRef a = m.base;
    if (m.index != IR_NONE) {
        IrRef x = m.index;
        if (m.scale)
            x = ir_binop(l->b, OP_SHL, x, ir_const(l->b, TY_I8, m.scale));
        a = a == IR_NONE ? x : ir_binop(l->b, OP_ADD, a, x);
    }
    return a == IR_NONE ? lift_c64(l, (uint64_t)m.disp) : lift_plus(l, a, m.disp);
}

static IrRef low32(Lift *l, IrRef a)
{
    return ir_unop(l->b, OP_ZEXT, TY_I64, ir_unop(l->b, OP_TRUNC, TY_I32, a));
}

IrRef lift_effective_address(Lift *l, const Insn *in)
{
    IrRef a = flatten(l, raw_mem(l, in));
    return in->prefixes & INP_ADDR32 ? low32(l, a) : a;
}

IrMem lift_mem(Lift *l, const Insn *in)
{
    IrMem m = raw_mem(l, in);
    bool gather = in->n.flags & NF_VSIB;
    if (in->prefixes & INP_ADDR32 && (!gather || in->mem_seg != REG_NONE)) {
        /* A gather without segment keeps its prefix instead (decode.c). */
        m = lift_at(low32(l, flatten(l, m)), 0);
        m.scale = gather ? in->mem_scale : 0;
    }
    if (in->mem_seg != REG_NONE) {
        IrRef seg = ir_get(l->b, TY_I64, in->mem_seg);
        m.base = m.base == IR_NONE ? seg : ir_binop(l->b, OP_ADD, seg, m.base);
    }
    if (m.base == IR_NONE && m.index == IR_NONE) {
        m.base = lift_c64(l, (uint64_t)m.disp);
        m.disp = 0;
    }
    return m;
}

/* ---- condition codes and control -------------------------------------------------------------- */

IrRef lift_get_cc(Lift *l)
{
    return ir_get(l->b, TY_FLAGS, AMD64_CC);
}

IrRef lift_get_cc_bits(Lift *l)
{
    return ir_unop(l->b, OP_FLAGS_BITS, TY_I64, lift_get_cc(l));
}

void lift_put_cc(Lift *l, const Insn *in, IrRef flags)
{
    if (in->cc_live & in->n.cc_write)
        ir_put(l->b, AMD64_CC, flags);
}

void lift_exit_if(Lift *l, const Insn *in, IrRef cond, GuestAddr target)
{
    ir_exit_if(l->b, cond, target, JK_BORING, l->mode);
    l->b->insn[l->b->n - 1].aux = in->cc_target != 0;
}

void lift_jump(Lift *l, GuestAddr target, IrJumpKind k, bool cc_live)
{
    ir_jump(l->b, target, k, l->mode);
    l->b->insn[l->b->n - 1].aux = cc_live;
}

void lift_jump_ind(Lift *l, IrRef target, IrJumpKind k, bool cc_live)
{
    ir_jump_ind(l->b, target, k, l->mode);
    l->b->insn[l->b->n - 1].aux = cc_live;
}

/* ---- instructions as they are ----------------------------------------------------------------- */

/** Tell the back end when bytes and IR name the same address by registers alone. */
static void note_plain_memory(Insn *in)
{
    NativeInsn *n = &in->n;
    n->mem_plain = in->mem_base <= AMD64_R15 && in->mem_seg == REG_NONE &&
                   !(in->prefixes & INP_ADDR32) && !(n->flags & NF_VSIB);
    n->mem_base = (uint8_t)in->mem_base;
    n->mem_index = in->mem_index <= AMD64_R15 ? (uint8_t)in->mem_index : 0xff;
    n->mem_scale = in->mem_scale;
    n->mem_disp = (int32_t)in->mem_disp;
}

void lift_native(Lift *l, Insn *in)
{
    IrMem m = { IR_NONE, IR_NONE, 0, 0 };
    if (in->has_mem) {
        m = lift_mem(l, in);
        note_plain_memory(in);
    }
    ir_native(l->b, &in->n, m);
}
