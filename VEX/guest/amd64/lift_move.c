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
    IrRef a = lift_effective_address(l, in);
    lift_put(l, dst->reg, dst->size, lift_resize(l, a, ir_type_of_size(dst->size)));
    return true;
}
