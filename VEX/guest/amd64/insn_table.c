/* SPDX-License-Identifier: MIT */
/*
 * The table of instructions (see insn_table.h) and the corrections that it makes to what the
 * decoder found: idioms that do not read their operands, destinations that may be kept.
 */
#include <Zydis/Mnemonic.h>

#include "insn_table.h"
#include "lifters.h"

#define INSN(m, lifter, sub, props, rule)                                                   \
    [ZYDIS_MNEMONIC_##m] = { lift_##lifter, sub, props, NR_##rule, 0 },
#define PLAIN(m, props, rule) [ZYDIS_MNEMONIC_##m] = { NULL, 0, props, NR_##rule, 0 },

#define ROW(m, ...) [ZYDIS_MNEMONIC_##m] = { __VA_ARGS__ },
#define HIGH(m, rule, lane)                                                                 \
    ROW(m, NULL, 0, RP_HIGH, NR_##rule, lane)                                               \
    ROW(V##m, NULL, 0, RP_HIGH, NR_##rule, lane)
#define SSE(m, rule, lane) ROW(m, NULL, 0, 0, NR_##rule, lane)
#define AVX(m, rule, lane) ROW(V##m, NULL, 0, 0, NR_##rule, lane)
#define BOTH(m, rule, lane) SSE(m, rule, lane) AVX(m, rule, lane)
#define AVXLIFT(m, lifter, sub, props, rule, lane)                                          \
    ROW(V##m, lift_##lifter, sub, props, NR_##rule, lane)
#define LIFT(m, lifter, sub, props, rule, lane)                                             \
    ROW(m, lift_##lifter, sub, props, NR_##rule, lane)                                   \
    AVXLIFT(m, lifter, sub, props, rule, lane)

const InsnRow insn_rows[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#include "int.def"
#include "vec.def"
};

/** Properties of NATIVE instructions that few have. */
static const struct {
    uint16_t mnemonic, flags;
} extra_flags[] = {
    { ZYDIS_MNEMONIC_LDMXCSR, NF_MXCSR_W },   { ZYDIS_MNEMONIC_VLDMXCSR, NF_MXCSR_W },
    { ZYDIS_MNEMONIC_MOVNTI, NF_NT },         { ZYDIS_MNEMONIC_MOVNTQ, NF_NT },
    { ZYDIS_MNEMONIC_MOVNTDQ, NF_NT },        { ZYDIS_MNEMONIC_VMOVNTDQ, NF_NT },
    { ZYDIS_MNEMONIC_MOVNTDQA, NF_NT },       { ZYDIS_MNEMONIC_VMOVNTDQA, NF_NT },
    { ZYDIS_MNEMONIC_MOVNTPS, NF_NT },        { ZYDIS_MNEMONIC_VMOVNTPS, NF_NT },
    { ZYDIS_MNEMONIC_MOVNTPD, NF_NT },        { ZYDIS_MNEMONIC_VMOVNTPD, NF_NT },
    { ZYDIS_MNEMONIC_MOVNTSS, NF_NT },        { ZYDIS_MNEMONIC_MOVNTSD, NF_NT },
    { ZYDIS_MNEMONIC_VMASKMOVPS, NF_MASKED_MEM }, { ZYDIS_MNEMONIC_VMASKMOVPD, NF_MASKED_MEM },
    { ZYDIS_MNEMONIC_VPMASKMOVD, NF_MASKED_MEM }, { ZYDIS_MNEMONIC_VPMASKMOVQ, NF_MASKED_MEM },
};

static bool same_register(const Operand *a, const Operand *b)
{
    return a->kind == OPK_REG && b->kind == OPK_REG && a->reg == b->reg && a->cls == b->cls &&
           a->offset == b->offset && a->size == b->size;
}

/** Is it EVEX with a mask? */
static bool is_masked(const NativeInsn *n)
{
    for (unsigned i = 0; i < n->n_ops; i++)
        if (n->op[i].slot == NS_AAA)
            return true;
    return false;
}

/** xor r, r and the like: nothing is read. */
static void apply_same_register(Insn *in)
{
    const Operand *last = &in->operand[in->n_operands - 1];
    if (in->n_operands < 2 || is_masked(&in->n) ||
        !same_register(&in->operand[in->n_operands - 2], last))
        return;
    in->same_sources = true;
    if (!in->n.cc_read && in->n.rule != NR_MASK) /* sbb r, r yields CF */
        in->n.rule = NR_ZEROING;
    for (unsigned i = 0; i < in->n.n_ops; i++)
        in->n.op[i].access &= (uint8_t)~NA_READ;
}

/** A count in CL, or a count of zero, may leave everything as it is. */
static void apply_shift_count(Insn *in)
{
    const Operand *count = &in->operand[in->n_operands - 1];
    if (count->kind == OPK_REG) {
        in->n.flags |= NF_FLAGS_MAYBE;
        in->n.cc_read |= in->n.cc_write;
    } else if (count->kind == OPK_IMM && !(in->imm[0] & (in->opsize == 8 ? 63 : 31))) {
        in->n.cc_write = 0;
    }
}

/** add, sub of a constant to RSP: tools follow the stack by it. */
static void apply_stack_adjustment(Insn *in)
{
    const Operand *dst = &in->operand[0];
    int64_t by = (int64_t)in->imm[0];
    if (dst->kind != OPK_REG || dst->reg != AMD64_RSP || dst->size != 8 ||
        in->operand[1].kind != OPK_IMM || by <= INT32_MIN)
        return;
    in->n.flags |= NF_SP_CONST;
    in->n.sp_adjust = (int32_t)(in->n.rule == NR_SUB ? -by : by);
}

bool insn_is_repeated(const Insn *in)
{
    return insn_row(in->mnemonic)->props & RP_STRING && in->prefixes & (INP_REP | INP_REPNE) &&
           !in->n_operands;
}

InsnEffect insn_effect(const Insn *in)
{
    return (InsnEffect){ .next = in->next, .target = in->next + in->imm[0],
                         .mnemonic = in->mnemonic, .cc_read = in->n.cc_read,
                         .cc_write = in->n.cc_write, .direct = in->operand[0].kind == OPK_IMM,
                         .cc_maybe = in->n.flags & NF_FLAGS_MAYBE || insn_is_repeated(in) };
}

void insn_apply_row(Insn *in)
{
    const InsnRow *row = insn_row(in->mnemonic);
    NativeInsn *n = &in->n;
    n->rule = row->rule;
    n->lane = row->lane;
    if (row->props & RP_MOVE)
        n->flags |= NF_MOVE;
    for (unsigned i = 0; i < sizeof extra_flags / sizeof extra_flags[0]; i++)
        if (extra_flags[i].mnemonic == in->mnemonic)
            n->flags |= extra_flags[i].flags;
    if (is_masked(n) && n->op[0].cls != RC_MASK) /* most rules know no masks */
        n->rule = NR_WHOLE;
    if (insn_is_repeated(in)) /* not even once, perhaps */
        n->cc_read |= n->cc_write;
    if (!n->n_ops || !(n->op[0].access & NA_WRITE))
        return;
    /* The rest of the destination stays: it is an input that moves through. */
    if (n->enc == NE_LEGACY && n->op[0].cls == RC_VEC &&
        (row->props & RP_HIGH || row->rule == NR_LANE_SCALAR))
        n->op[0].access |= NA_READ;
    if (row->props & RP_KEEPS)
        n->op[0].access |= NA_READ | NA_COND;
}

/** VPTERNLOG as the idiom for all zeros or all ones. */
static void apply_ternary_constant(Insn *in)
{
    if (is_masked(&in->n) || (in->imm[0] != 0 && in->imm[0] != 0xff) || in->n.mem_access)
        return;
    in->n.rule = NR_ZEROING;
    for (unsigned i = 0; i < in->n.n_ops; i++)
        in->n.op[i].access &= (uint8_t)~NA_READ;
}

/** VP2INTERSECT writes a pair of masks, of which the encoding names either one. */
static void apply_mask_pair(Insn *in)
{
    NativeInsn *n = &in->n;
    n->op[0].reg = (RegId)(AMD64_K0 + ((n->op[0].reg - AMD64_K0) & ~1u));
    n->op[n->n_ops] = n->op[0];
    n->op[n->n_ops].reg++;
    n->op[n->n_ops++].slot = NS_FIXED;
}

void insn_apply_operands(Insn *in)
{
    if (in->mnemonic == ZYDIS_MNEMONIC_VP2INTERSECTD || in->mnemonic == ZYDIS_MNEMONIC_VP2INTERSECTQ)
        apply_mask_pair(in);
    if (in->mnemonic == ZYDIS_MNEMONIC_VPTERNLOGD || in->mnemonic == ZYDIS_MNEMONIC_VPTERNLOGQ)
        apply_ternary_constant(in);
    unsigned props = insn_row(in->mnemonic)->props;
    if (props & RP_SAME)
        apply_same_register(in);
    if (props & RP_COUNT_CL)
        apply_shift_count(in);
    if (in->mnemonic == ZYDIS_MNEMONIC_ADD || in->mnemonic == ZYDIS_MNEMONIC_SUB)
        apply_stack_adjustment(in);
}
