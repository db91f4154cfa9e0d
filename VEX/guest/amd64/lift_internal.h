/* SPDX-License-Identifier: MIT */
/*
 * What the lifters of amd64 instructions share: the context, and the small vocabulary in which
 * they are written (operands in and out, addresses, pushes).  Every lifter keeps the precise
 * state rule of ir.h: it PUTs guest registers after its last access that can fault.
 */
#ifndef VEX_GUEST_AMD64_LIFT_INTERNAL_H
#define VEX_GUEST_AMD64_LIFT_INTERNAL_H

#include <Zydis/Mnemonic.h>

#include "insn.h"
#include "insn_table.h"
#include "vex.h"

/** One block being lifted. */
typedef struct Lift {
    IrBlock *b;
    struct Arena *arena;
    uint8_t mode;        /**< translation mode number */
    unsigned mode_flags; /**< VM_* */
} Lift;

static inline bool lift_is_native(const Lift *l)
{
    return l->mode_flags & VM_NATIVE;
}

/* ---- registers (operand.c) ---- */

/** Value of the low @p bytes of register @p r. */
IrRef lift_get(Lift *l, RegId r, unsigned bytes);
/** Write integer @p v of @p bytes bytes to general register @p r the way amd64 does. */
void lift_put(Lift *l, RegId r, unsigned bytes, IrRef v);
/** Value of operand @p i: register, immediate or (loaded) memory. */
IrRef lift_operand(Lift *l, const Insn *in, unsigned i);
/** Value of general or immediate operand @p i as an integer of @p bytes bytes. */
IrRef lift_operand_sized(Lift *l, const Insn *in, unsigned i, unsigned bytes);
/** Write @p v to operand @p i, a register or memory. */
void lift_set_operand(Lift *l, const Insn *in, unsigned i, IrRef v);

/* ---- constants and addresses ---- */

IrRef lift_c64(Lift *l, uint64_t v);
/** @p a + @p v, 64 bits. */
IrRef lift_plus(Lift *l, IrRef a, int64_t v);
/** Zero-extend or truncate @p v to @p t. */
IrRef lift_resize(Lift *l, IrRef v, IrType t);
/** The address of the memory operand in the form of LOAD, STORE and NATIVE. */
IrMem lift_mem(Lift *l, const Insn *in);
/** The address of the memory operand as one value, without a segment base. */
IrRef lift_effective_address(Lift *l, const Insn *in);
static inline IrMem lift_at(IrRef base, int64_t disp)
{
    return (IrMem){ base, IR_NONE, 0, disp };
}

/* ---- condition codes ---- */

/** The condition codes as they are now. */
IrRef lift_get_cc(Lift *l);
/** The condition codes as a word of CCB_* bits. */
IrRef lift_get_cc_bits(Lift *l);
/** Set the condition codes unless nobody reads them. */
void lift_put_cc(Lift *l, const Insn *in, IrRef flags);

/* ---- control ---- */

/** Leave for @p target; the instruction's cc_target tells which condition codes are live there. */
void lift_exit_if(Lift *l, const Insn *in, IrRef cond, GuestAddr target);
void lift_jump(Lift *l, GuestAddr target, IrJumpKind k, bool cc_live);
void lift_jump_ind(Lift *l, IrRef target, IrJumpKind k, bool cc_live);

/* ---- instructions as they are ---- */

void lift_native(Lift *l, Insn *in);

#endif
