/* SPDX-License-Identifier: MIT */
/*
 * System instructions that user mode may use: those that need a helper function, those that
 * concern the segment bases, those that do nothing here, and a few with odd memory operands.
 */
#include "helpers.h"
#include "lift_internal.h"
#include "lifters.h"

static const IrCallee callee_cpuid = { "amd64_cpuid", (void *)amd64_cpuid, CALLEE_PURE, TY_I64, 3 };
static const IrCallee callee_subleaf_bits = { "amd64_cpuid_subleaf_bits",
                                              (void *)amd64_cpuid_subleaf_bits, CALLEE_PURE,
                                              TY_I64, 1 };
static const IrCallee callee_to_memory = { "amd64_state_to_memory", (void *)amd64_state_to_memory,
                                           CALLEE_FULL, TY_NONE, 2 };
static const IrCallee callee_from_memory = { "amd64_state_from_memory",
                                             (void *)amd64_state_from_memory, CALLEE_FULL,
                                             TY_NONE, 2 };

/** Put the low half of @p v into @p lo and the high half into @p hi. */
static void put_halves(Lift *l, IrRef v, RegId lo, RegId hi)
{
    IrRef low = ir_binop(l->b, OP_AND, v, lift_c64(l, 0xffffffffu));
    IrRef high = ir_binop(l->b, OP_SHR, v, ir_const(l->b, TY_I8, 32));
    ir_put(l->b, lo, low);
    ir_put(l->b, hi, high);
}

bool lift_cpuid(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)in, (void)row;
    IrRef leaf = ir_binop(l->b, OP_AND, lift_get(l, AMD64_RAX, 8), lift_c64(l, 0xffffffffu));
    /* most leaves ignore ECX, and programs leave it undefined then */
    IrRef bits = ir_call(l->b, &callee_subleaf_bits, IR_NONE, &leaf, 1);
    IrRef subleaf = ir_binop(l->b, OP_AND, lift_get(l, AMD64_RCX, 8), bits);
    IrRef args[3] = { leaf, subleaf, lift_c64(l, 0) };
    IrRef ab = ir_call(l->b, &callee_cpuid, IR_NONE, args, 3);
    args[2] = lift_c64(l, 1);
    IrRef cd = ir_call(l->b, &callee_cpuid, IR_NONE, args, 3);
    put_halves(l, ab, AMD64_RAX, AMD64_RBX);
    put_halves(l, cd, AMD64_RCX, AMD64_RDX);
    return true;
}

/** XCR0, or as much of it as is in use: all that CPUID shows. */
bool lift_xgetbv(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrRef which = ir_binop(l->b, OP_AND, lift_get(l, AMD64_RCX, 8), lift_c64(l, 0xfffffffeu));
    ir_exit_if(l->b, ir_cmp(l->b, OP_CMPNE, which, lift_c64(l, 0)), in->addr, JK_SIGSEGV, l->mode);
    ir_put(l->b, AMD64_RAX, lift_c64(l, xsave_enabled()));
    ir_put(l->b, AMD64_RDX, lift_c64(l, 0));
    return true;
}

/** Call a helper on the state image at the memory operand, which must be aligned. */
static bool call_with_image(Lift *l, const Insn *in, const InsnRow *row, const IrCallee *c)
{
    IrRef a = lift_effective_address(l, in);
    if (in->mem_seg != REG_NONE)
        a = ir_binop(l->b, OP_ADD, ir_get(l->b, TY_I64, in->mem_seg), a);
    uint64_t align = row->sub == XS_FXSAVE ? 15 : 63;
    IrRef low = ir_binop(l->b, OP_AND, a, lift_c64(l, align));
    ir_exit_if(l->b, ir_cmp(l->b, OP_CMPNE, low, lift_c64(l, 0)), in->addr, JK_SIGSEGV, l->mode);
    IrRef args[2] = { a, lift_c64(l, row->sub) };
    ir_call(l->b, c, IR_NONE, args, 2);
    return true;
}

bool lift_state_to_memory(Lift *l, const Insn *in, const InsnRow *row)
{
    return call_with_image(l, in, row, &callee_to_memory);
}

bool lift_state_from_memory(Lift *l, const Insn *in, const InsnRow *row)
{
    return call_with_image(l, in, row, &callee_from_memory);
}

bool lift_read_base(Lift *l, const Insn *in, const InsnRow *row)
{
    const Operand *o = &in->operand[0];
    lift_put(l, o->reg, o->size, lift_get(l, row->sub, o->size));
    return true;
}

bool lift_write_base(Lift *l, const Insn *in, const InsnRow *row)
{
    const Operand *o = &in->operand[0];
    ir_put(l->b, row->sub, lift_resize(l, lift_get(l, o->reg, o->size), TY_I64));
    return true;
}

bool lift_nothing(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)l, (void)in, (void)row;
    return true;
}

/** A fixed register as an address, with segment and address size of the instruction. */
static IrRef implied_address(Lift *l, const Insn *in, RegId r, IrRef plus)
{
    IrRef a = lift_get(l, r, 8);
    if (plus != IR_NONE)
        a = ir_binop(l->b, OP_ADD, a, plus);
    if (in->prefixes & INP_ADDR32)
        a = lift_resize(l, lift_resize(l, a, TY_I32), TY_I64);
    if (in->mem_seg != REG_NONE)
        a = ir_binop(l->b, OP_ADD, ir_get(l->b, TY_I64, in->mem_seg), a);
    return a;
}

bool lift_xlat(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrRef index = lift_resize(l, lift_get(l, AMD64_RAX, 1), TY_I64);
    IrRef at = implied_address(l, in, AMD64_RBX, index);
    lift_put(l, AMD64_RAX, 1, ir_load(l->b, SPACE_GUEST, TY_I8, lift_at(at, 0)));
    return true;
}

/** Store the bytes of the first operand that the sign bits of the second select at (RDI). */
bool lift_maskmov(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrBlock *b = l->b;
    IrMem at = lift_at(implied_address(l, in, AMD64_RDI, IR_NONE), 0);
    IrRef v = ir_get(b, TY_V128, in->operand[0].reg);
    IrRef sel = ir_get(b, TY_V128, in->operand[1].reg);
    sel = ir_lane_op(b, OP_LCMPGTS, LANE_8, ir_const(b, TY_V128, 0), sel);
    IrRef old = ir_load(b, SPACE_GUEST, TY_V128, at);
    IrRef keep = ir_binop(b, OP_AND, old, ir_unop(b, OP_NOT, TY_V128, sel));
    ir_store(b, SPACE_GUEST, at, ir_binop(b, OP_OR, keep, ir_binop(b, OP_AND, v, sel)));
    return true;
}

bool lift_clzero(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrRef at = implied_address(l, in, AMD64_RAX, IR_NONE);
    at = ir_binop(l->b, OP_AND, at, lift_c64(l, ~63ull));
    IrRef zero = ir_const(l->b, TY_V128, 0);
    for (int i = 0; i < 64; i += 16)
        ir_store(l->b, SPACE_GUEST, lift_at(at, i), zero);
    return true;
}
