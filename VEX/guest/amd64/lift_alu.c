/* SPDX-License-Identifier: MIT */
/*
 * Integer arithmetic and logic with condition codes.
 */
#include "lift_internal.h"
#include "lifters.h"

/** Does the instruction move RSP by a constant? */
static bool is_stack_adjustment(const Insn *in)
{
    const Operand *dst = &in->operand[0];
    return dst->kind == OPK_REG && dst->reg == AMD64_RSP && dst->size == 8 &&
           in->operand[1].kind == OPK_IMM;
}

bool lift_add(Lift *l, const Insn *in, const InsnRow *row)
{
    if (!is_stack_adjustment(in) || in->cc_live & in->n.cc_write)
        return false;
    IrRef imm = lift_c64(l, in->imm[0]);
    ir_put(l->b, AMD64_RSP, ir_binop(l->b, row->sub, lift_get(l, AMD64_RSP, 8), imm));
    return true;
}
