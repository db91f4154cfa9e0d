/* SPDX-License-Identifier: MIT */
/*
 * Instructions that change the flow of control.  Each tells at its exits whether the target
 * may read the condition codes (Insn.cc_target, Insn.cc_live, found by flags_flow.c).
 */
#include "lift_internal.h"
#include "lifters.h"

static GuestAddr direct_target(const Insn *in)
{
    return in->next + in->imm[0];
}

static bool is_direct(const Insn *in)
{
    return in->operand[0].kind == OPK_IMM;
}

bool lift_jmp(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    if (is_direct(in))
        lift_jump(l, direct_target(in), JK_BORING, in->cc_target != 0);
    else if (in->operand[0].size == 8)
        lift_jump_ind(l, lift_operand(l, in, 0), JK_BORING, true);
    else /* far, or 16 bits wide */
        lift_jump(l, in->addr, JK_SIGSEGV, true);
    return true;
}

bool lift_call(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    if (!is_direct(in) && in->operand[0].size != 8) {
        lift_jump(l, in->addr, JK_SIGSEGV, true);
        return true;
    }
    IrRef target = is_direct(in) ? IR_NONE : lift_operand(l, in, 0);
    IrRef sp = lift_get(l, AMD64_RSP, 8);
    ir_store(l->b, SPACE_GUEST, lift_at(sp, -8), lift_c64(l, in->next));
    ir_put(l->b, AMD64_RSP, lift_plus(l, sp, -8));
    if (is_direct(in))
        lift_jump(l, direct_target(in), JK_CALL, in->cc_target != 0);
    else
        lift_jump_ind(l, target, JK_CALL, in->cc_target != 0);
    return true;
}

bool lift_ret(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    if (in->opsize != 8 || in->n.bytes[in->n.off_opcode] >= 0xca) { /* far, or 16 bits wide */
        lift_jump(l, in->addr, JK_SIGSEGV, true);
        return true;
    }
    IrRef sp = lift_get(l, AMD64_RSP, 8);
    IrRef target = ir_load(l->b, SPACE_GUEST, TY_I64, lift_at(sp, 0));
    ir_put(l->b, AMD64_RSP, lift_plus(l, sp, 8 + (int64_t)(in->imm[0] & 0xffff)));
    lift_jump_ind(l, target, JK_RET, in->cc_target != 0);
    return true;
}

bool lift_jcc(Lift *l, const Insn *in, const InsnRow *row)
{
    lift_exit_if(l, in, ir_cond(l->b, row->sub, lift_get_cc(l)), direct_target(in));
    return true;
}

bool lift_jrcxz(Lift *l, const Insn *in, const InsnRow *row)
{
    IrType t = ir_type_of_size(row->sub);
    IrRef count = lift_get(l, AMD64_RCX, row->sub);
    lift_exit_if(l, in, ir_cmp(l->b, OP_CMPEQ, count, ir_const(l->b, t, 0)), direct_target(in));
    return true;
}

/*
 * The count changes whether the jump is taken or not, so this cannot be a side exit (registers
 * must not change before it): the next address is chosen by value.
 */
bool lift_loop(Lift *l, const Insn *in, const InsnRow *row)
{
    IrBlock *b = l->b;
    unsigned bytes = in->prefixes & INP_ADDR32 ? 4 : 8;
    IrType t = ir_type_of_size(bytes);
    IrRef count = ir_binop(b, OP_SUB, lift_get(l, AMD64_RCX, bytes), ir_const(b, t, 1));
    IrRef again = ir_cmp(b, OP_CMPNE, count, ir_const(b, t, 0));
    if (row->sub)
        again = ir_binop(b, OP_AND, again, ir_cond(b, row->sub, lift_get_cc(l)));
    IrRef target = ir_select(b, again, lift_c64(l, direct_target(in)), lift_c64(l, in->next));
    lift_put(l, AMD64_RCX, bytes, count);
    lift_jump_ind(l, target, JK_BORING, true);
    return true;
}

bool lift_syscall(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    /* RFLAGS as user mode sees them: the condition codes, IF and the bit that is always 1. */
    IrRef rflags = ir_binop(l->b, OP_OR, lift_get_cc_bits(l), lift_c64(l, 0x202));
    ir_put(l->b, AMD64_RCX, lift_c64(l, in->next));
    ir_put(l->b, AMD64_R11, rflags);
    lift_jump(l, in->next, JK_SYSCALL, true);
    return true;
}

/** A fault: the saved address is that of the instruction. */
bool lift_trap(Lift *l, const Insn *in, const InsnRow *row)
{
    lift_jump(l, in->addr, row->sub, true);
    return true;
}

/** A trap: the saved address is that of the next instruction. */
bool lift_trap_after(Lift *l, const Insn *in, const InsnRow *row)
{
    lift_jump(l, in->next, row->sub, true);
    return true;
}
