/* SPDX-License-Identifier: MIT */
/*
 * Vector instructions that are lifted to IR: moves, bitwise logic, the simplest lane-wise
 * arithmetic.  A legacy instruction leaves the upper part of its destination, a VEX one clears
 * it.  Everything else about vectors is NATIVE with a rule from vec.def.
 */
#include "lift_internal.h"
#include "lifters.h"

/** Forms that stay NATIVE: masks, MMX registers. */
static bool is_liftable(const Insn *in)
{
    if (in->n.enc == NE_EVEX)
        return false;
    for (unsigned i = 0; i < in->n_operands; i++)
        if (in->operand[i].kind == OPK_OTHER)
            return false;
    return true;
}

/** The whole vector register of this processor. */
static IrType full_type(void)
{
    return __builtin_cpu_supports("avx512bw") ? TY_V512 : TY_V256;
}

static void put_vector(Lift *l, const Insn *in, RegId r, IrRef v)
{
    if (in->n.enc == NE_LEGACY) {
        ir_put(l->b, r, v);
        return;
    }
    IrType full = full_type();
    if (l->b->insn[v].type != full)
        v = ir_unop(l->b, OP_VZEXT, full, v);
    ir_put(l->b, r, v);
}

/** An access that must be aligned raises #GP if it is not. */
static void check_alignment(Lift *l, const Insn *in, unsigned bytes)
{
    IrRef a = lift_effective_address(l, in);
    if (in->mem_seg != REG_NONE)
        a = ir_binop(l->b, OP_ADD, a, ir_get(l->b, TY_I64, in->mem_seg));
    IrRef low = ir_binop(l->b, OP_AND, a, lift_c64(l, bytes - 1));
    ir_exit_if(l->b, ir_cmp(l->b, OP_CMPNE, low, lift_c64(l, 0)), in->addr, JK_SIGSEGV, l->mode);
    l->b->insn[l->b->n - 1].aux = 1;
}

/** Vector operand @p i of @p bytes bytes. */
static IrRef vector_operand(Lift *l, const Insn *in, unsigned i, unsigned bytes)
{
    const Operand *o = &in->operand[i];
    IrType t = ir_type_of_size(bytes);
    if (o->kind == OPK_REG)
        return ir_get(l->b, t, o->reg);
    return ir_load(l->b, SPACE_GUEST, t, lift_mem(l, in));
}

/** Moves of whole vectors; sub: 1 if memory must be aligned */
bool lift_vmove(Lift *l, const Insn *in, const InsnRow *row)
{
    if (!is_liftable(in))
        return false;
    unsigned bytes = in->n.vl;
    if (row->sub && in->has_mem)
        check_alignment(l, in, bytes);
    IrRef v = vector_operand(l, in, 1, bytes);
    if (in->operand[0].kind == OPK_MEM)
        ir_store(l->b, SPACE_GUEST, lift_mem(l, in), v);
    else
        put_vector(l, in, in->operand[0].reg, v);
    return true;
}

/** The low @p bytes (4, 8) of a vector register as an integer. */
static IrRef low_integer(Lift *l, RegId r, unsigned bytes)
{
    IrRef v = ir_get(l->b, TY_V128, r);
    v = ir_emit(l->b, &(IrInsn){ .op = OP_VGET64, .type = TY_I64, .arg = { v, IR_NONE, IR_NONE } });
    return bytes == 8 ? v : ir_unop(l->b, OP_TRUNC, ir_type_of_size(bytes), v);
}

static bool is_vector(const Operand *o)
{
    return o->kind == OPK_REG && o->cls == RC_VEC;
}

/** movd, movq (sub: 0; size from the operands), movss (4) and movsd (8) to and from memory */
bool lift_vmove_low(Lift *l, const Insn *in, const InsnRow *row)
{
    const Operand *dst = &in->operand[0], *src = &in->operand[1];
    if (!is_liftable(in) || in->n_operands != 2 || (row->sub && !in->has_mem))
        return false;
    /* The operand that is no vector says how much is moved; between vectors it is MOVQ. */
    unsigned bytes = row->sub ? row->sub
                     : !is_vector(dst) ? dst->size
                     : !is_vector(src) ? src->size : 8u;
    IrRef v = is_vector(src) ? low_integer(l, src->reg, bytes)
                             : lift_operand_sized(l, in, 1, bytes);
    if (is_vector(dst))
        put_vector(l, in, dst->reg, ir_unop(l->b, OP_VZEXT, TY_V128, v));
    else
        lift_set_operand(l, in, 0, v);
    return true;
}

/** Operands of a two-source operation: legacy ones overwrite the first source. */
static bool get_sources(Lift *l, const Insn *in, IrRef *a, IrRef *b)
{
    if (!is_liftable(in) || in->n_operands > 3)
        return false;
    unsigned first = in->n_operands - 2u, bytes = in->n.vl;
    if (in->n.enc == NE_LEGACY && in->has_mem)
        check_alignment(l, in, bytes);
    *a = vector_operand(l, in, first, bytes);
    *b = vector_operand(l, in, first + 1, bytes);
    return true;
}

/** pand, por, pxor and their float names (sub: IrOp) */
bool lift_vlogic(Lift *l, const Insn *in, const InsnRow *row)
{
    IrRef a, b, r;
    if (!get_sources(l, in, &a, &b))
        return false;
    if (row->sub == OP_XOR && in->same_sources)
        r = ir_const(l->b, l->b->insn[a].type, 0);
    else
        r = ir_binop(l->b, row->sub, a, b);
    put_vector(l, in, in->operand[0].reg, r);
    return true;
}

bool lift_vandn(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrRef a, b;
    if (!get_sources(l, in, &a, &b))
        return false;
    a = ir_unop(l->b, OP_NOT, l->b->insn[a].type, a);
    put_vector(l, in, in->operand[0].reg, ir_binop(l->b, OP_AND, a, b));
    return true;
}

/** padd, psub, pcmpeq, pcmpgt (sub: IrOp; lane from the row) */
bool lift_vlanes(Lift *l, const Insn *in, const InsnRow *row)
{
    IrRef a, b, r;
    if (!get_sources(l, in, &a, &b))
        return false;
    IrType t = l->b->insn[a].type;
    if (in->same_sources)
        r = ir_const(l->b, t, row->sub == OP_LCMPEQ ? ~0ull : 0);
    else
        r = ir_lane_op(l->b, row->sub, (IrLane)__builtin_ctz(row->lane), a, b);
    put_vector(l, in, in->operand[0].reg, r);
    return true;
}

/**
 * vzeroupper (sub: 16), vzeroall (0): the bytes of v0-v15 that stay.  Pinned registers are those
 * of the processor, so there it is the instruction itself.
 */
bool lift_vzero(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)in;
    if (l->mode_flags & VM_PINNED)
        return false;
    IrType full = full_type();
    for (RegId r = AMD64_V0; r <= AMD64_V15; r++) {
        IrRef v = row->sub ? ir_unop(l->b, OP_VZEXT, full, ir_get(l->b, TY_V128, r))
                           : ir_const(l->b, full, 0);
        ir_put(l->b, r, v);
    }
    return true;
}
