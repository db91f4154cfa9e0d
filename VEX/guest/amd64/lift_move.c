/* SPDX-License-Identifier: MIT */
/*
 * Moves of integers.
 */
#include <Zydis/Register.h>

#include "lift_internal.h"
#include "lifters.h"

/** What 64-bit Linux has in the segment registers. */
static uint64_t selector(unsigned zydis_register)
{
    return zydis_register == ZYDIS_REGISTER_CS ? 0x33 : zydis_register == ZYDIS_REGISTER_SS ? 0x2b : 0;
}

static bool is_segment(const Operand *o)
{
    return o->kind == OPK_OTHER && o->reg >= ZYDIS_REGISTER_ES && o->reg <= ZYDIS_REGISTER_GS;
}

bool lift_mov(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    const Operand *dst = &in->operand[0], *src = &in->operand[1];
    if (is_segment(dst)) { /* the bases do not depend on selectors in 64-bit mode */
        if (src->kind == OPK_MEM)
            ir_load(l->b, SPACE_GUEST, TY_I16, lift_mem(l, in));
        return true;
    }
    if (is_segment(src)) {
        IrType t = dst->kind == OPK_MEM ? TY_I16 : ir_type_of_size(dst->size);
        lift_set_operand(l, in, 0, ir_const(l->b, t, selector(src->reg)));
        return true;
    }
    if (dst->kind == OPK_OTHER || src->kind == OPK_OTHER) { /* control and debug registers */
        lift_jump(l, in->addr, JK_SIGSEGV, true);
        return true;
    }
    if (lift_is_native(l) && (in->n.off_modrm || !in->has_mem))
        return false;
    lift_set_operand(l, in, 0, lift_operand_sized(l, in, 1, dst->size));
    return true;
}

bool lift_lea(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    const Operand *dst = &in->operand[0];
    /* The instruction itself is best; IR where the result is a constant or tools follow RSP. */
    if (lift_is_native(l) && in->mem_base != AMD64_PC && dst->reg != AMD64_RSP &&
        !(in->prefixes & INP_ADDR32))
        return false;
    IrRef a = lift_effective_address(l, in);
    lift_put(l, dst->reg, dst->size, lift_resize(l, a, ir_type_of_size(dst->size)));
    return true;
}

/** movzx (sub: OP_ZEXT), movsx, movsxd (OP_SEXT) */
bool lift_extend(Lift *l, const Insn *in, const InsnRow *row)
{
    const Operand *dst = &in->operand[0], *src = &in->operand[1];
    /* MOVSXD with a 16-bit operand reads and moves 16 bits. */
    IrRef v = src->size > dst->size ? ir_load(l->b, SPACE_GUEST, ir_type_of_size(dst->size),
                                              lift_mem(l, in))
                                    : lift_operand(l, in, 1);
    if (src->size < dst->size)
        v = ir_unop(l->b, row->sub, ir_type_of_size(dst->size), v);
    lift_set_operand(l, in, 0, v);
    return true;
}

/** cbw, cwde, cdqe (sub: size of the result) */
bool lift_extend_ax(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)in;
    IrRef v = lift_get(l, AMD64_RAX, row->sub / 2u);
    lift_put(l, AMD64_RAX, row->sub, ir_unop(l->b, OP_SEXT, ir_type_of_size(row->sub), v));
    return true;
}

/** cwd, cdq, cqo (sub: size of the operand): the sign of the accumulator to DX */
bool lift_extend_dx(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)in;
    IrRef v = lift_get(l, AMD64_RAX, row->sub);
    v = ir_binop(l->b, OP_SAR, v, ir_const(l->b, TY_I8, row->sub * 8u - 1));
    lift_put(l, AMD64_RDX, row->sub, v);
    return true;
}

bool lift_bswap(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    const Operand *o = &in->operand[0];
    if (o->size == 2)
        return false; /* undefined by the manuals: do what the processor does */
    lift_set_operand(l, in, 0, ir_unop(l->b, OP_BSWAP, ir_type_of_size(o->size),
                                       lift_operand(l, in, 0)));
    return true;
}

bool lift_movbe(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrType t = ir_type_of_size(in->operand[0].size);
    lift_set_operand(l, in, 0, ir_unop(l->b, OP_BSWAP, t, lift_operand(l, in, 1)));
    return true;
}

/** xchg of registers; with memory it is locked and stays as it is */
bool lift_xchg(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    if (in->has_mem)
        return false;
    IrRef a = lift_operand(l, in, 0), b = lift_operand(l, in, 1);
    lift_set_operand(l, in, 0, b);
    lift_set_operand(l, in, 1, a);
    return true;
}
