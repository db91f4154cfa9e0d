/* SPDX-License-Identifier: MIT */
/*
 * The table of instructions (see insn_table.h) and the corrections that it makes to what the
 * decoder found: idioms that do not read their operands, destinations that may be kept.
 */
#include <Zydis/Mnemonic.h>

#include "insn_table.h"
#include "lifters.h"

#define INSN(m, lifter, sub, props, rule)                                                   \
    [ZYDIS_MNEMONIC_##m] = { lift_##lifter, sub, props, NR_##rule, 0, 0 },
#define PLAIN(m, props, rule) [ZYDIS_MNEMONIC_##m] = { NULL, 0, props, NR_##rule, 0, 0 },

static const InsnRow rows[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#include "int.def"
};

const InsnRow *insn_row(unsigned m)
{
    return &rows[m];
}

static bool same_register(const Operand *a, const Operand *b)
{
    return a->kind == OPK_REG && b->kind == OPK_REG && a->reg == b->reg && a->cls == b->cls &&
           a->offset == b->offset && a->size == b->size;
}

/** xor r, r and the like: nothing is read. */
static void apply_same_register(Insn *in)
{
    const Operand *last = &in->operand[in->n_operands - 1];
    if (in->n_operands < 2 || in->n.flags & NF_AVX512 ||
        !same_register(&in->operand[in->n_operands - 2], last))
        return;
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
    return rows[in->mnemonic].props & RP_STRING && in->prefixes & (INP_REP | INP_REPNE) &&
           !in->n_operands;
}

void insn_apply_table(Insn *in)
{
    const InsnRow *row = &rows[in->mnemonic];
    in->n.rule = row->rule;
    in->n.lane = row->lane;
    in->n.flags |= row->flags;
    if (row->props & RP_SAME)
        apply_same_register(in);
    if (row->props & RP_COUNT_CL)
        apply_shift_count(in);
    if (in->mnemonic == ZYDIS_MNEMONIC_ADD || in->mnemonic == ZYDIS_MNEMONIC_SUB)
        apply_stack_adjustment(in);
    if (insn_is_repeated(in)) /* not even once, perhaps */
        in->n.cc_read |= in->n.cc_write;
    if (row->props & RP_KEEPS && in->n.n_ops && in->n.op[0].access & NA_WRITE)
        in->n.op[0].access |= NA_READ | NA_COND;
}
