/* SPDX-License-Identifier: MIT */
/*
 * Instructions that push and pop.  RSP changes after the access, so that a fault finds it as it
 * was.
 */
#include "lift_internal.h"
#include "lifters.h"

/** RFLAGS: interrupts enabled and the bit that is always 1; the direction flag. */
enum { RF_FIXED = 0x202, RF_DF = 0x400 };
/** Those that ACFLAG holds; the last two are changed by 16 bits too. */
enum { RF_AC = 0x40000, RF_NT_TF = 0x4100 };

static unsigned stack_width(const Insn *in)
{
    return in->opsize == 2 ? 2 : 8;
}

static void push_value(Lift *l, unsigned width, IrRef v)
{
    IrRef sp = lift_get(l, AMD64_RSP, 8);
    ir_store(l->b, SPACE_GUEST, lift_at(sp, -(int64_t)width), v);
    ir_put(l->b, AMD64_RSP, lift_plus(l, sp, -(int64_t)width));
}

bool lift_push(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    unsigned width = stack_width(in);
    IrRef v = in->operand[0].kind == OPK_OTHER /* FS, GS: the null selector */
                  ? ir_const(l->b, ir_type_of_size(width), 0)
                  : lift_operand_sized(l, in, 0, width);
    push_value(l, width, v);
    return true;
}

/** POP to memory: an address that uses RSP uses its new value. */
static void pop_to_memory(Lift *l, const Insn *in, unsigned width, IrRef v)
{
    IrMem m = lift_mem(l, in);
    if (in->mem_base == AMD64_RSP)
        m.disp += width;
    ir_store(l->b, SPACE_GUEST, m, v);
}

bool lift_pop(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    unsigned width = stack_width(in);
    IrRef sp = lift_get(l, AMD64_RSP, 8);
    IrRef v = ir_load(l->b, SPACE_GUEST, ir_type_of_size(width), lift_at(sp, 0));
    if (in->operand[0].kind == OPK_MEM)
        pop_to_memory(l, in, width, v);
    ir_put(l->b, AMD64_RSP, lift_plus(l, sp, width));
    if (in->operand[0].kind == OPK_REG) /* POP RSP: this write wins */
        lift_put(l, in->operand[0].reg, width, v);
    return true;
}

/** One bit of RFLAGS from a register that is 0 or 1. */
static IrRef flag_bit(Lift *l, RegId r, unsigned shift)
{
    return ir_binop(l->b, OP_SHL, lift_get(l, r, 8), ir_const(l->b, TY_I8, shift));
}

bool lift_pushf(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)in;
    IrBlock *b = l->b;
    /* DF is 1 or -1: its sign is the flag. */
    IrRef down = ir_cmp(b, OP_CMPLTS, lift_get(l, AMD64_DF, 8), lift_c64(l, 0));
    IrRef df = ir_select(b, down, lift_c64(l, RF_DF), lift_c64(l, 0));
    IrRef v = ir_binop(b, OP_OR, lift_get_cc_bits(l), lift_c64(l, RF_FIXED));
    v = ir_binop(b, OP_OR, v, df);
    v = ir_binop(b, OP_OR, v, lift_get(l, AMD64_ACFLAG, 8));
    v = ir_binop(b, OP_OR, v, flag_bit(l, AMD64_IDFLAG, 21));
    push_value(l, row->sub, lift_resize(l, v, ir_type_of_size(row->sub)));
    return true;
}

static IrRef bit_of(Lift *l, IrRef v, unsigned shift)
{
    IrRef s = ir_binop(l->b, OP_SHR, v, ir_const(l->b, TY_I8, shift));
    return ir_binop(l->b, OP_AND, s, lift_c64(l, 1));
}

bool lift_popf(Lift *l, const Insn *in, const InsnRow *row)
{
    IrBlock *b = l->b;
    IrRef sp = lift_get(l, AMD64_RSP, 8);
    IrRef v = ir_load(b, SPACE_GUEST, ir_type_of_size(row->sub), lift_at(sp, 0));
    v = lift_resize(l, v, TY_I64);
    IrRef down = ir_cmp(b, OP_CMPNE, bit_of(l, v, 10), lift_c64(l, 0));
    ir_put(b, AMD64_RSP, lift_plus(l, sp, row->sub));
    ir_put(b, AMD64_DF, ir_select(b, down, lift_c64(l, ~0ull), lift_c64(l, 1)));
    if (row->sub == 8) {
        ir_put(b, AMD64_ACFLAG, ir_binop(b, OP_AND, v, lift_c64(l, RF_AC | RF_NT_TF)));
        ir_put(b, AMD64_IDFLAG, bit_of(l, v, 21));
    } else {
        IrRef kept = ir_binop(b, OP_AND, lift_get(l, AMD64_ACFLAG, 8), lift_c64(l, RF_AC));
        ir_put(b, AMD64_ACFLAG, ir_binop(b, OP_OR, kept, ir_binop(b, OP_AND, v, lift_c64(l, RF_NT_TF))));
    }
    lift_put_cc(l, in, ir_unop(b, OP_BITS_FLAGS, TY_FLAGS, v));
    lift_jump(l, in->next, JK_TRAP_FLAG, in->cc_live != 0);
    return true;
}

bool lift_leave(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    unsigned width = stack_width(in);
    IrRef fp = lift_get(l, AMD64_RBP, 8);
    IrRef v = ir_load(l->b, SPACE_GUEST, ir_type_of_size(width), lift_at(fp, 0));
    ir_put(l->b, AMD64_RSP, lift_plus(l, fp, width));
    lift_put(l, AMD64_RBP, width, v);
    return true;
}

/** ENTER size, level: level frame pointers are copied, then room is made. */
bool lift_enter(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrBlock *b = l->b;
    int64_t width = stack_width(in);
    IrType t = ir_type_of_size((unsigned)width);
    unsigned level = in->imm[1] & 31;
    IrRef sp = lift_get(l, AMD64_RSP, 8), fp = lift_get(l, AMD64_RBP, 8);
    IrRef frame = lift_plus(l, sp, -width);
    int64_t down = -width;
    ir_store(b, SPACE_GUEST, lift_at(sp, down), lift_resize(l, fp, t));
    for (unsigned i = 1; i < level; i++) {
        IrRef outer = ir_load(b, SPACE_GUEST, t, lift_at(fp, -width * (int64_t)i));
        down -= width;
        ir_store(b, SPACE_GUEST, lift_at(sp, down), outer);
    }
    if (level) {
        down -= width;
        ir_store(b, SPACE_GUEST, lift_at(sp, down), lift_resize(l, frame, t));
    }
    ir_put(b, AMD64_RSP, lift_plus(l, sp, down - (int64_t)(in->imm[0] & 0xffff)));
    lift_put(l, AMD64_RBP, (unsigned)width, width == 8 ? frame : lift_resize(l, frame, t));
    return true;
}
