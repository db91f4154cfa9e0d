/* SPDX-License-Identifier: MIT */
/*
 * String instructions.  A repeated one does one element each time its block runs and then goes
 * on at itself, so it is precise and can be interrupted between any two elements, as on the
 * processor.  Where nobody looks at its memory accesses a repeated move or fill is one
 * instruction of the processor, which is many times faster.
 */
#include "helpers.h"
#include "lift_internal.h"
#include "lifters.h"

/** Addresses are 64 bits wide, or 32 with an address-size override. */
static unsigned address_bytes(const Insn *in)
{
    return in->prefixes & INP_ADDR32 ? 4 : 8;
}

/** A string pointer as an address; @p seg: its segment base or REG_NONE. */
static IrRef pointer(Lift *l, const Insn *in, RegId r, RegId seg)
{
    IrRef a = lift_get(l, r, address_bytes(in));
    a = lift_resize(l, a, TY_I64);
    return seg == REG_NONE ? a : ir_binop(l->b, OP_ADD, ir_get(l->b, TY_I64, seg), a);
}

static IrRef source(Lift *l, const Insn *in, unsigned size_log2)
{
    IrRef a = pointer(l, in, AMD64_RSI, in->mem_seg);
    return ir_load(l->b, SPACE_GUEST, ir_type_of_size(1u << size_log2), lift_at(a, 0));
}

/** Move string pointer @p r on by one element. */
static void advance(Lift *l, const Insn *in, RegId r, unsigned size_log2)
{
    unsigned bytes = address_bytes(in);
    IrRef step = lift_get(l, AMD64_DF, bytes);
    if (size_log2)
        step = ir_binop(l->b, OP_SHL, step, ir_const(l->b, TY_I8, size_log2));
    lift_put(l, r, bytes, ir_binop(l->b, OP_ADD, lift_get(l, r, bytes), step));
}

/** At the start of a repeated instruction: nothing happens if the count is 0. */
static void leave_if_done(Lift *l, const Insn *in)
{
    if (!insn_is_repeated(in))
        return;
    unsigned bytes = address_bytes(in);
    IrRef zero = ir_const(l->b, ir_type_of_size(bytes), 0);
    IrRef done = ir_cmp(l->b, OP_CMPEQ, lift_get(l, AMD64_RCX, bytes), zero);
    ir_exit_if(l->b, done, in->next, JK_BORING, l->mode);
    l->b->insn[l->b->n - 1].aux = in->cc_live != 0;
}

static IrRef count_down(Lift *l, const Insn *in)
{
    unsigned bytes = address_bytes(in);
    IrRef one = ir_const(l->b, ir_type_of_size(bytes), 1);
    return ir_binop(l->b, OP_SUB, lift_get(l, AMD64_RCX, bytes), one);
}

static const IrCallee callee_backwards = { "amd64_string_backwards",
                                           (void *)amd64_string_backwards, CALLEE_FULL, TY_NONE,
                                           2 };

/** May the instruction itself run?  Its registers must be those of the processor. */
static bool may_be_native(const Lift *l, const Insn *in)
{
    const VexMode *m = &vex_config()->modes[l->mode];
    unsigned want = VM_PINNED | VM_NATIVE;
    return (l->mode_flags & want) == want && insn_is_repeated(in) &&
           !(in->prefixes & INP_ADDR32) && in->mem_seg == REG_NONE &&
           (l->mode_flags & VM_NATIVE_STRINGS || !m->instrument);
}

/**
 * Let the instruction itself follow.  The processor's direction flag is always clear: if the
 * guest's is set a function does the work, after which the count is 0 and nothing is left.
 */
static void run_backwards(Lift *l, StringKind kind, unsigned size_log2)
{
    IrRef back = ir_cmp(l->b, OP_CMPNE, lift_get(l, AMD64_DF, 8), lift_c64(l, 1));
    ir_cold_begin(l->b, back);
    IrRef args[2] = { lift_c64(l, kind), lift_c64(l, 1u << size_log2) };
    ir_call(l->b, &callee_backwards, IR_NONE, args, 2);
    ir_cold_end(l->b);
}

/** At the end: count, and do the next element. */
static void repeat(Lift *l, const Insn *in)
{
    if (!insn_is_repeated(in))
        return;
    lift_put(l, AMD64_RCX, address_bytes(in), count_down(l, in));
    lift_jump(l, in->addr, JK_BORING, in->cc_live != 0);
}

/**
 * At the end of a comparison of @p a and @p b: go on while the count lasts and the elements are
 * equal (REPE) or differ (REPNE).  Registers change on both ways, so this is no side exit.
 */
static void repeat_while(Lift *l, const Insn *in, IrRef a, IrRef b)
{
    unsigned bytes = address_bytes(in);
    IrRef count = count_down(l, in);
    IrRef more = ir_cmp(l->b, OP_CMPNE, count, ir_const(l->b, ir_type_of_size(bytes), 0));
    IrRef match = ir_cmp(l->b, in->prefixes & INP_REPNE ? OP_CMPNE : OP_CMPEQ, a, b);
    IrRef again = ir_binop(l->b, OP_AND, more, match);
    IrRef target = ir_select(l->b, again, lift_c64(l, in->addr), lift_c64(l, in->next));
    lift_put(l, AMD64_RCX, bytes, count);
    lift_jump_ind(l, target, JK_BORING, in->cc_live != 0);
}

bool lift_movs(Lift *l, const Insn *in, const InsnRow *row)
{
    if (in->n_operands) /* the vector instruction of the same name */
        return !lift_is_native(l) && lift_vmove_low(l, in, &(InsnRow){ .sub = 8 });
    if (may_be_native(l, in)) {
        run_backwards(l, STRING_MOVE, row->sub);
        return false;
    }
    leave_if_done(l, in);
    IrRef v = source(l, in, row->sub);
    ir_store(l->b, SPACE_GUEST, lift_at(pointer(l, in, AMD64_RDI, REG_NONE), 0), v);
    advance(l, in, AMD64_RSI, row->sub);
    advance(l, in, AMD64_RDI, row->sub);
    repeat(l, in);
    return true;
}

bool lift_stos(Lift *l, const Insn *in, const InsnRow *row)
{
    if (may_be_native(l, in)) {
        run_backwards(l, STRING_STORE, row->sub);
        return false;
    }
    leave_if_done(l, in);
    IrRef v = lift_get(l, AMD64_RAX, 1u << row->sub);
    ir_store(l->b, SPACE_GUEST, lift_at(pointer(l, in, AMD64_RDI, REG_NONE), 0), v);
    advance(l, in, AMD64_RDI, row->sub);
    repeat(l, in);
    return true;
}

bool lift_lods(Lift *l, const Insn *in, const InsnRow *row)
{
    if (may_be_native(l, in)) {
        run_backwards(l, STRING_LOAD, row->sub);
        return false;
    }
    leave_if_done(l, in);
    IrRef v = source(l, in, row->sub);
    lift_put(l, AMD64_RAX, 1u << row->sub, v);
    advance(l, in, AMD64_RSI, row->sub);
    repeat(l, in);
    return true;
}

/** Flags of @p a - @p b, then go on. */
static void compare_elements(Lift *l, const Insn *in, unsigned size_log2, IrRef a, IrRef b)
{
    IrType t = ir_type_of_size(1u << size_log2);
    IrRef flags = IR_NONE;
    if (in->cc_live & in->n.cc_write)
        flags = ir_flags(l->b, FK_SUB, t, a, b, IR_NONE);
    advance(l, in, AMD64_RDI, size_log2);
    if (flags != IR_NONE)
        ir_put(l->b, AMD64_CC, flags);
    if (insn_is_repeated(in))
        repeat_while(l, in, a, b);
}

bool lift_cmps(Lift *l, const Insn *in, const InsnRow *row)
{
    if (in->n_operands)
        return false; /* the vector instruction */
    leave_if_done(l, in);
    IrRef a = source(l, in, row->sub);
    IrRef at = pointer(l, in, AMD64_RDI, REG_NONE);
    IrRef b = ir_load(l->b, SPACE_GUEST, ir_type_of_size(1u << row->sub), lift_at(at, 0));
    advance(l, in, AMD64_RSI, row->sub);
    compare_elements(l, in, row->sub, a, b);
    return true;
}

bool lift_scas(Lift *l, const Insn *in, const InsnRow *row)
{
    leave_if_done(l, in);
    IrRef a = lift_get(l, AMD64_RAX, 1u << row->sub);
    IrRef at = pointer(l, in, AMD64_RDI, REG_NONE);
    IrRef b = ir_load(l->b, SPACE_GUEST, ir_type_of_size(1u << row->sub), lift_at(at, 0));
    compare_elements(l, in, row->sub, a, b);
    return true;
}

bool lift_direction(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)in;
    ir_put(l->b, AMD64_DF, lift_c64(l, row->sub ? ~0ull : 1));
    return true;
}
