/* SPDX-License-Identifier: MIT */
/*
 * Bit tests, bit counts, bit fields, and instructions on single condition codes.
 */
#include "lift_internal.h"
#include "lifters.h"

static bool cc_wanted(const Insn *in)
{
    return in->cc_live & in->n.cc_write;
}

static IrType type_of(const Operand *o)
{
    return ir_type_of_size(o->size);
}

static IrRef flags_of_bits(Lift *l, IrRef bits)
{
    return ir_unop(l->b, OP_BITS_FLAGS, TY_FLAGS, bits);
}

/** Set condition code @p bit to @p on (I1); @p keep: those of the old ones that stay. */
static void put_one(Lift *l, const Insn *in, unsigned bit, IrRef on, unsigned keep)
{
    IrRef v = ir_select(l->b, on, lift_c64(l, bit), lift_c64(l, 0));
    if (keep & in->cc_live)
        v = ir_binop(l->b, OP_OR, v,
                     ir_binop(l->b, OP_AND, lift_get_cc_bits(l), lift_c64(l, keep)));
    lift_put_cc(l, in, flags_of_bits(l, v));
}

static IrRef is_zero(Lift *l, IrRef v)
{
    return ir_cmp(l->b, OP_CMPEQ, v, ir_const(l->b, l->b->insn[v].type, 0));
}

/* ---- bit tests --------------------------------------------------------------------------- */

static IrRef changed(Lift *l, unsigned what, IrRef v, IrRef mask)
{
    switch (what) {
    case BT_SET:
        return ir_binop(l->b, OP_OR, v, mask);
    case BT_RESET:
        return ir_binop(l->b, OP_AND, v, ir_unop(l->b, OP_NOT, l->b->insn[v].type, mask));
    default:
        return ir_binop(l->b, OP_XOR, v, mask);
    }
}

/**
 * The byte that holds bit @p index (signed, any value) of the bit string at the operand.  Whether
 * the processor reads more around it is its own affair; programs have strings of odd sizes.
 */
static IrMem byte_of_string(Lift *l, const Insn *in, IrRef index)
{
    IrBlock *b = l->b;
    IrRef i = b->insn[index].type == TY_I64 ? index : ir_unop(b, OP_SEXT, TY_I64, index);
    i = ir_binop(b, OP_SAR, i, ir_const(b, TY_I8, 3));
    IrRef a = ir_binop(b, OP_ADD, lift_effective_address(l, in), i);
    if (in->prefixes & INP_ADDR32)
        a = lift_resize(l, lift_resize(l, a, TY_I32), TY_I64);
    if (in->mem_seg != REG_NONE)
        a = ir_binop(b, OP_ADD, a, ir_get(b, TY_I64, in->mem_seg));
    return lift_at(a, 0);
}

bool lift_bit_test(Lift *l, const Insn *in, const InsnRow *row)
{
    IrBlock *b = l->b;
    bool string = in->operand[0].kind == OPK_MEM && in->operand[1].kind == OPK_REG;
    if (in->n.flags & NF_LOCK || (lift_is_native(l) && !string))
        return false;
    IrRef index = lift_operand_sized(l, in, 1, in->operand[0].size);
    unsigned bytes = string ? 1 : in->operand[0].size;
    IrType t = ir_type_of_size(bytes);
    IrMem m = { 0 };
    if (string)
        m = byte_of_string(l, in, index);
    IrRef v = string ? ir_load(b, SPACE_GUEST, t, m) : lift_operand(l, in, 0);
    IrRef n = ir_binop(b, OP_AND, lift_resize(l, index, TY_I8), ir_const(b, TY_I8, bytes * 8 - 1));
    if (in->operand[1].kind == OPK_IMM)
        n = ir_const(b, TY_I8, in->imm[0] & (bytes * 8 - 1));
    IrRef bit = ir_unop(b, OP_TRUNC, TY_I1, ir_binop(b, OP_SHR, v, n));
    if (row->sub != BT_TEST) {
        IrRef r = changed(l, row->sub, v, ir_binop(b, OP_SHL, ir_const(b, t, 1), n));
        if (string)
            ir_store(b, SPACE_GUEST, m, r);
        else
            lift_set_operand(l, in, 0, r);
    }
    if (cc_wanted(in))
        put_one(l, in, CCB_CF, bit, CCB_ALL & ~CCB_CF);
    return true;
}

/* ---- bit counts -------------------------------------------------------------------------- */

/** lzcnt (sub: OP_CLZ), tzcnt (OP_CTZ): CF if the source is 0, ZF if the result is */
bool lift_count_zeros(Lift *l, const Insn *in, const InsnRow *row)
{
    IrType t = type_of(&in->operand[0]);
    IrRef a = lift_operand(l, in, 1);
    IrRef r = ir_unop(l->b, row->sub, t, a);
    if (cc_wanted(in)) {
        IrRef zf = ir_select(l->b, is_zero(l, r), lift_c64(l, CCB_ZF), lift_c64(l, 0));
        IrRef cf = ir_unop(l->b, OP_ZEXT, TY_I64, is_zero(l, a));
        lift_put_cc(l, in, flags_of_bits(l, ir_binop(l->b, OP_OR, zf, cf)));
    }
    lift_set_operand(l, in, 0, r);
    return true;
}

/** popcnt: ZF if the source is 0, the others 0 */
bool lift_popcnt(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrRef a = lift_operand(l, in, 1);
    IrRef r = ir_unop(l->b, OP_POPCNT, type_of(&in->operand[0]), a);
    if (cc_wanted(in))
        put_one(l, in, CCB_ZF, is_zero(l, a), 0);
    lift_set_operand(l, in, 0, r);
    return true;
}

/** bsf (sub: OP_CTZ), bsr (OP_CLZ): the destination keeps its value if the source is 0 */
bool lift_bit_scan(Lift *l, const Insn *in, const InsnRow *row)
{
    IrBlock *b = l->b;
    const Operand *dst = &in->operand[0];
    IrType t = type_of(dst);
    IrRef a = lift_operand(l, in, 1);
    IrRef r = ir_unop(b, row->sub, t, a);
    if (row->sub == OP_CLZ)
        r = ir_binop(b, OP_SUB, ir_const(b, t, dst->size * 8u - 1), r);
    IrRef none = is_zero(l, a);
    if (cc_wanted(in))
        put_one(l, in, CCB_ZF, none, 0);
    if (dst->size == 2) {
        lift_put(l, dst->reg, 2, ir_select(b, none, lift_get(l, dst->reg, 2), r));
    } else {
        IrRef old = lift_get(l, dst->reg, 8);
        ir_put(b, dst->reg, ir_select(b, none, old, lift_resize(l, r, TY_I64)));
    }
    return true;
}

/* ---- bit fields --------------------------------------------------------------------------- */

/** Codes of logic result @p r with CF = @p cf (I1 or IR_NONE for 0). */
static void put_logic(Lift *l, const Insn *in, IrRef r, IrRef cf)
{
    if (!cc_wanted(in))
        return;
    IrRef f = ir_flags(l->b, FK_LOGIC, l->b->insn[r].type, r, IR_NONE, IR_NONE);
    if (cf != IR_NONE) {
        IrRef bits = ir_unop(l->b, OP_FLAGS_BITS, TY_I64, f);
        bits = ir_binop(l->b, OP_OR, bits, ir_unop(l->b, OP_ZEXT, TY_I64, cf));
        f = flags_of_bits(l, bits);
    }
    lift_put_cc(l, in, f);
}

bool lift_andn(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrRef a = lift_operand(l, in, 1), b = lift_operand(l, in, 2);
    IrRef r = ir_binop(l->b, OP_AND, ir_unop(l->b, OP_NOT, type_of(&in->operand[0]), a), b);
    put_logic(l, in, r, IR_NONE);
    lift_set_operand(l, in, 0, r);
    return true;
}

/** blsi, blsr, blsmsk: what is done with x and -x or x - 1 (sub: OP_AND, OP_SUB, OP_XOR) */
bool lift_lowest_bit(Lift *l, const Insn *in, const InsnRow *row)
{
    IrType t = type_of(&in->operand[0]);
    IrRef x = lift_operand(l, in, 1);
    IrRef less = ir_binop(l->b, OP_SUB, x, ir_const(l->b, t, 1));
    IrRef r, cf = is_zero(l, x);
    if (in->mnemonic == ZYDIS_MNEMONIC_BLSI) {
        r = ir_binop(l->b, OP_AND, x, ir_unop(l->b, OP_NEG, t, x));
        cf = ir_cmp(l->b, OP_CMPNE, x, ir_const(l->b, t, 0));
    } else {
        r = ir_binop(l->b, row->sub, x, less);
    }
    put_logic(l, in, r, cf);
    lift_set_operand(l, in, 0, r);
    return true;
}

/** The low @p n bits (an I64, any value) of @p v. */
static IrRef low_bits(Lift *l, IrRef v, IrRef n)
{
    IrBlock *b = l->b;
    IrType t = b->insn[v].type;
    unsigned width = ir_type_size(t) * 8;
    IrRef all = ir_cmp(b, OP_CMPLEU, lift_c64(l, width), n);
    IrRef count = ir_binop(b, OP_AND, lift_resize(l, n, TY_I8), ir_const(b, TY_I8, width - 1));
    IrRef bit = ir_binop(b, OP_SHL, ir_const(b, t, 1), count);
    IrRef mask = ir_binop(b, OP_SUB, bit, ir_const(b, t, 1));
    return ir_select(b, all, v, ir_binop(b, OP_AND, v, mask));
}

bool lift_bzhi(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrRef v = lift_operand(l, in, 1);
    IrRef n = lift_resize(l, lift_resize(l, lift_operand(l, in, 2), TY_I8), TY_I64);
    IrRef r = low_bits(l, v, n);
    IrRef cf = ir_cmp(l->b, OP_CMPLEU, lift_c64(l, in->operand[0].size * 8u), n);
    put_logic(l, in, r, cf);
    lift_set_operand(l, in, 0, r);
    return true;
}

bool lift_bextr(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrBlock *b = l->b;
    if (in->operand[2].kind != OPK_REG)
        return false; /* the TBM form */
    unsigned width = in->operand[0].size * 8u;
    IrType t = type_of(&in->operand[0]);
    IrRef v = lift_operand(l, in, 1), control = lift_operand_sized(l, in, 2, 8);
    IrRef start = ir_binop(b, OP_AND, control, lift_c64(l, 0xff));
    IrRef len = ir_binop(b, OP_SHR, control, ir_const(b, TY_I8, 8));
    len = ir_binop(b, OP_AND, len, lift_c64(l, 0xff));
    IrRef count = ir_binop(b, OP_AND, lift_resize(l, start, TY_I8), ir_const(b, TY_I8, width - 1));
    IrRef inside = ir_cmp(b, OP_CMPLTU, start, lift_c64(l, width));
    v = ir_select(b, inside, ir_binop(b, OP_SHR, v, count), ir_const(b, t, 0));
    IrRef r = low_bits(l, v, len);
    put_logic(l, in, r, IR_NONE);
    lift_set_operand(l, in, 0, r);
    return true;
}

/* ---- single condition codes ------------------------------------------------------------------ */

bool lift_carry_flag(Lift *l, const Insn *in, const InsnRow *row)
{
    if (!cc_wanted(in))
        return true;
    IrRef bits = lift_get_cc_bits(l), cf = lift_c64(l, CCB_CF);
    if (row->sub == CF_CLEAR)
        bits = ir_binop(l->b, OP_AND, bits, lift_c64(l, CCB_ALL & ~CCB_CF));
    else
        bits = ir_binop(l->b, row->sub == CF_SET ? OP_OR : OP_XOR, bits, cf);
    lift_put_cc(l, in, flags_of_bits(l, bits));
    return true;
}

/** The condition codes that LAHF and SAHF move, and the bit that is always 1. */
enum { AH_CODES = CCB_ALL & ~CCB_OF, AH_ONE = 2 };

bool lift_lahf(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)in, (void)row;
    IrBlock *b = l->b;
    IrRef v = ir_binop(b, OP_AND, lift_get_cc_bits(l), lift_c64(l, AH_CODES));
    v = ir_binop(b, OP_SHL, ir_binop(b, OP_OR, v, lift_c64(l, AH_ONE)), ir_const(b, TY_I8, 8));
    IrRef rest = ir_binop(b, OP_AND, lift_get(l, AMD64_RAX, 8), lift_c64(l, ~0xff00ull));
    ir_put(b, AMD64_RAX, ir_binop(b, OP_OR, rest, v));
    return true;
}

bool lift_sahf(Lift *l, const Insn *in, const InsnRow *row)
{
    (void)row;
    IrBlock *b = l->b;
    if (!cc_wanted(in))
        return true;
    IrRef ah = ir_binop(b, OP_SHR, lift_get(l, AMD64_RAX, 8), ir_const(b, TY_I8, 8));
    IrRef bits = ir_binop(b, OP_AND, ah, lift_c64(l, AH_CODES));
    IrRef of = ir_binop(b, OP_AND, lift_get_cc_bits(l), lift_c64(l, CCB_OF));
    lift_put_cc(l, in, flags_of_bits(l, ir_binop(b, OP_OR, bits, of)));
    return true;
}

bool lift_setcc(Lift *l, const Insn *in, const InsnRow *row)
{
    IrRef c = ir_cond(l->b, row->sub, lift_get_cc(l));
    lift_set_operand(l, in, 0, ir_unop(l->b, OP_ZEXT, TY_I8, c));
    return true;
}

bool lift_cmov(Lift *l, const Insn *in, const InsnRow *row)
{
    IrRef src = lift_operand(l, in, 1), old = lift_operand(l, in, 0);
    IrRef c = ir_cond(l->b, row->sub, lift_get_cc(l));
    lift_set_operand(l, in, 0, ir_select(l->b, c, src, old));
    return true;
}
