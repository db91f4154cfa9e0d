/* SPDX-License-Identifier: MIT */
/* The forward pass: one function per IR op, run in the order of the block. */
#include "codegen.h"

static void gen_imark(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    g->guest_pc = insn->imm;
    g->guest_next = insn->imm + insn->aux;
    if (g->max_pc < insn->imm)
        g->max_pc = insn->imm;
    g->shared_exit.valid = false;
    code_point(g);
}

/** Constants are made where they are used. */
static void gen_nothing(Cg *g, IrRef i)
{
    (void)g;
    (void)i;
}

static const GenFn gen_fn[OP_COUNT] = {
    [OP_IMARK] = gen_imark, [OP_CONST] = gen_nothing, [OP_GET] = gen_get, [OP_PUT] = gen_put,
    [OP_LOAD] = gen_load, [OP_STORE] = gen_store, [OP_NATIVE] = gen_native, [OP_CALL] = gen_call,
    [OP_EXIT_IF] = gen_exit_if, [OP_JUMP] = gen_jump, [OP_JUMP_IND] = gen_jump_ind,
    [OP_COLD_BEGIN] = gen_cold_begin, [OP_COLD_END] = gen_cold_end,
    [OP_AND] = gen_int_bin, [OP_OR] = gen_int_bin, [OP_XOR] = gen_int_bin,
    [OP_NOT] = gen_not_neg, [OP_NEG] = gen_not_neg, [OP_ADD] = gen_add, [OP_SUB] = gen_sub,
    [OP_MUL] = gen_mul, [OP_MULHU] = gen_mulh, [OP_MULHS] = gen_mulh,
    [OP_SHL] = gen_shift, [OP_SHR] = gen_shift, [OP_SAR] = gen_shift, [OP_ROL] = gen_shift,
    [OP_ROR] = gen_shift, [OP_BSWAP] = gen_bswap, [OP_CLZ] = gen_bitcount,
    [OP_CTZ] = gen_bitcount, [OP_POPCNT] = gen_bitcount,
    [OP_CMPEQ] = gen_cmp, [OP_CMPNE] = gen_cmp, [OP_CMPLTU] = gen_cmp, [OP_CMPLEU] = gen_cmp,
    [OP_CMPLTS] = gen_cmp, [OP_CMPLES] = gen_cmp,
    [OP_ZEXT] = gen_convert, [OP_SEXT] = gen_convert, [OP_TRUNC] = gen_convert,
    [OP_SELECT] = gen_select, [OP_FLAGS] = gen_nothing, [OP_COND] = gen_cond,
    [OP_FLAGS_BITS] = gen_flags_conv, [OP_BITS_FLAGS] = gen_flags_conv,
    [OP_LADD] = gen_vec, [OP_LSUB] = gen_vec, [OP_LCMPEQ] = gen_vec, [OP_LCMPGTS] = gen_vec,
    [OP_LNEZ] = gen_vec, [OP_LSHLI] = gen_vec, [OP_LSHRI] = gen_vec, [OP_LSARI] = gen_vec,
    [OP_VGET64] = gen_vec, [OP_VMAKE64] = gen_vec, [OP_VHALF] = gen_vec, [OP_VJOIN] = gen_vec,
    [OP_VZEXT] = gen_vec,
};

/** Host register + 1 of each home in pinned modes, without and with REG_TOOL(0), and in others. */
static const int8_t home_table[3][RX_COUNT] = {
#define HOME(guest, host) [AMD64_##guest] = (host) + 1,
#define V(n) [AMD64_V##n] = H_XMM0 + (n) + 1,
#define VECTORS                                                                            \
    V(0) V(1) V(2) V(3) V(4) V(5) V(6) V(7) V(8) V(9) V(10) V(11) V(12) V(13) V(14) V(15)
    {
#include "regs.def"
        VECTORS
    },
    {
#include "regs.def"
        VECTORS [RX_TOOL] = H_R14 + 1
    },
#undef HOME
    { 0 }
};

enum { PINNED_TEMPS = 1u << H_R9 | 1u << H_R10 | 1u << H_R11 };

/** Which registers are whose. */
static void set_homes(Cg *g, unsigned mode_flags)
{
    g->pinned = (mode_flags & VM_PINNED) != 0;
    g->tool0 = g->pinned && (mode_flags & VM_PIN_TOOL0);
    g->home = home_table[g->pinned ? g->tool0 : 2];
    if (!g->pinned)
        g->allocatable = 0xffffffff & ~(1u << H_RSP);
    else
        g->allocatable = PINNED_TEMPS | (g->tool0 ? 0 : 1u << H_R14);
}

static inline void compile_insn(Cg *g, IrRef i)
{
    const Val *x = &g->val[i];
    if (x->flags & VF_SKIP)
        return;
    g->now = i;
    code_reserve(g);
    if (!g->failed)
        gen_fn[insn_of(g, i)->op](g, i);
    end_insn(g);
}

bool host_compile(const IrBlock *b, unsigned mode_flags, uint8_t *buf, size_t size,
                  const uint8_t *run_addr, struct Arena *arena, VexTranslation *out)
{
    Cg *g = arena_new(arena, Cg);
    g->b = b;
    g->insn = b->insn;
    g->n = b->n;
    g->arena = arena;
    g->run_addr = run_addr;
    g->guest_pc = g->max_pc = b->addr;
    g->val = arena_alloc_raw(arena, b->n * sizeof(Val));
    g->buf[0] = (Code){ buf, buf, buf + size };
    g->c = &g->buf[0];
    g->cc = CCS_STATE;
    if (vex_config()->chaos_regalloc)
        g->random = (uint32_t)b->addr | 1;
    set_homes(g, mode_flags);
    regalloc_init(g);
    analyse(g);
    for (IrRef i = 0; i < b->n && !g->failed; i++)
        compile_insn(g, i);
    return code_finish(g, out);
}
