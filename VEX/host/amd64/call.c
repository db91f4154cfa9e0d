/* SPDX-License-Identifier: MIT */
/*
 * Calls of helpers, and cold regions.  PURE and LIGHT helpers keep all vector registers and are
 * called directly; FULL ones go through a stub that puts the whole guest state in its place, QUICK ones
 * through one that first tries without the vector registers.
 * Code that runs only under a condition is out of line and gives back the allocator's state
 * that the main path has.
 */
#include "codegen.h"

#define STATE(field) mem_state((int32_t)offsetof(VexState, field))
#define SCRATCH(i) mem_state((int32_t)offsetof(VexState, scratch) + 8 * (int32_t)(i))

enum { MAX_ARGS = 5, RESULT_SCRATCH = 4 };

static const uint8_t c_arg_reg[MAX_ARGS] = { H_RSI, H_RDX, H_RCX, H_R8, H_R9 };

enum {
    CALLER_SAVED = 1u << H_RAX | 1u << H_RCX | 1u << H_RDX | 1u << H_RSI | 1u << H_RDI |
                   1u << H_R8 | 1u << H_R9 | 1u << H_R10 | 1u << H_R11,
    ALL_VEC = (int)0xffff0000u
};

static IrRef call_arg(const Cg *g, const IrInsn *i, unsigned k)
{
    return g->b->extra[i->arg[0] + k];
}

/** Store the homes whose host registers are in @p regs to the state, or load them back. */
static void move_homes(Cg *g, uint32_t regs, bool store)
{
    for (uint8_t rx = AMD64_RAX; rx <= AMD64_R15; rx++) {
        int h = rx_home(g, rx);
        if (h < 0 || !(regs >> h & 1))
            continue;
        HMem m = mem_state(rx_offset(rx));
        if (store)
            emit_store(g->c, 8, (unsigned)h, &m);
        else
            emit_rm(g->c, O_MOV_LOAD, 8, (unsigned)h, &m);
    }
}

/** Where an argument comes from: a register, else copy_gpr() brings it. */
static int arg_source(Cg *g, IrRef v)
{
    const Val *x = &g->val[v];
    if (x->reg >= 0)
        return x->reg;
    if (x->alias != RX_NONE && !is_const(g, v) && x->alias != AMD64_CC)
        return rx_home(g, x->alias);
    return H_NONE;
}

/** Zero-extend the argument in @p r to 64 bits. */
static void extend_arg(Cg *g, unsigned r, IrRef v)
{
    static const unsigned opc[5] = { 0, O_MOVZX8, O_MOVZX16, 0, O_MOV_LOAD };
    IrType t = type_of(g, v);
    if (t == TY_I64 || (g->val[v].flags & VF_ZX))
        return;
    emit_rr(g->c, opc[size_of(t)], 4, r, r);
}

/** Move all register arguments at once: a move waits until nobody reads its destination. */
static void move_reg_args(Cg *g, const uint8_t *arg_reg, int src[MAX_ARGS], unsigned n)
{
    uint32_t todo = 0;
    for (unsigned k = 0; k < n; k++)
        todo |= src[k] >= 0 && src[k] != arg_reg[k] ? 1u << k : 0;
    while (todo) {
        bool moved = false;
        for (unsigned k = 0; k < n; k++) {
            if (!(todo >> k & 1))
                continue;
            bool wanted = false;
            for (unsigned j = 0; j < n; j++)
                wanted = wanted || (j != k && (todo >> j & 1) && src[j] == arg_reg[k]);
            if (wanted)
                continue;
            emit_mov(g->c, arg_reg[k], (unsigned)src[k]);
            todo &= ~(1u << k);
            moved = true;
        }
        if (moved || !todo)
            continue;
        /* only cycles are left: swap one in */
        unsigned k = (unsigned)__builtin_ctz(todo);
        emit_rr(g->c, O_XCHG, 8, arg_reg[k], (unsigned)src[k]);
        for (unsigned j = 0; j < n; j++) {
            if (j == k || !(todo >> j & 1))
                continue;
            if (src[j] == arg_reg[k])
                src[j] = src[k];
            else if (src[j] == src[k])
                src[j] = arg_reg[k];
        }
        todo &= ~(1u << k);
        for (unsigned j = 0; j < n; j++) {
            if ((todo >> j & 1) && src[j] == arg_reg[j])
                todo &= ~(1u << j);
        }
    }
}

static void pass_args(Cg *g, const IrInsn *i, const uint8_t *arg_reg)
{
    int src[MAX_ARGS];
    for (unsigned k = 0; k < i->sub; k++)
        src[k] = arg_source(g, call_arg(g, i, k));
    /* What is in memory now must not be looked up in registers that the moves overwrite. */
    move_reg_args(g, arg_reg, src, i->sub);
    for (unsigned k = 0; k < i->sub; k++) {
        IrRef v = call_arg(g, i, k);
        if (src[k] < 0)
            copy_gpr(g, arg_reg[k], v);
        if (!is_const(g, v))
            extend_arg(g, arg_reg[k], v);
        else if (type_of(g, v) != TY_I64 && const_value(g, v) < 0)
            extend_arg(g, arg_reg[k], v);
    }
}

/** No host register in @p regs holds a copy of a guest register or constant any more. */
static void forget(Cg *g, uint32_t regs)
{
    for (uint32_t m = regs & g->allocatable; m; m &= m - 1)
        reg_clobbered(g, __builtin_ctz(m));
}

/** Values that die with the call need no registers after it. */
static void drop_dead(Cg *g, uint32_t regs)
{
    for (uint32_t m = regs & g->allocatable; m; m &= m - 1) {
        int r = __builtin_ctz(m);
        IrRef v = g->hr[r].val;
        if (v != IR_NONE) {
            g->val[v].reg = H_NONE;
            g->hr[r].val = IR_NONE;
        }
    }
}

/** Result, if any, in RAX: into a temporary. */
static int result_reg(Cg *g, const IrInsn *i)
{
    if (i->type == TY_NONE || g->val[g->now].uses == 0)
        return H_NONE;
    g->locked = 0;
    return tmp_gpr(g);
}

/** PURE and LIGHT: returns where the result is. */
static int call_light(Cg *g, const IrInsn *i)
{
    bool light = i->callee->kind != CALLEE_PURE;
    if (light && !g->pinned) {
        if (g->val[g->now].cc_live)
            cc_to_state(g);
        detach_all(g);
    }
    cc_clobber(g);
    code_point(g);
    spill_mask(g, CALLER_SAVED & g->allocatable);
    forget(g, CALLER_SAVED);
    move_homes(g, light ? 0xffff : CALLER_SAVED, true);
    pass_args(g, i, c_arg_reg);
    emit_mov(g->c, H_RDI, H_RSP);
    emit_function_address(g, H_RAX, i->callee->fn);
    emit_rr(g->c, O_GROUP5, 4, 2, H_RAX);
    drop_dead(g, CALLER_SAVED);
    forget(g, light && !g->pinned ? 0xffff : CALLER_SAVED);
    int d = result_reg(g, i);
    if (d != H_NONE)
        emit_mov(g->c, (unsigned)d, H_RAX);
    move_homes(g, CALLER_SAVED, false);
    return d;
}

/** FULL: arguments through the scratch words; returns where the result is. */
/** ENTRY, in pinned code: all that it changes are the temporaries. */
static void call_entry(Cg *g, const IrInsn *i)
{
    enum { CHANGED = 1u << H_R9 | 1u << H_R10 | 1u << H_R11 };
    static const uint8_t reg[2] = { H_R10, H_R11 };
    const IrEntry *e = (const IrEntry *)(const void *)i->callee;
    int src[MAX_ARGS];
    cc_clobber(g);
    code_point(g);
    spill_mask(g, CHANGED);
    for (unsigned k = 0; k < i->sub; k++)
        src[k] = arg_source(g, call_arg(g, i, k));
    move_reg_args(g, reg, src, i->sub);
    for (unsigned k = 0; k < i->sub; k++)
        if (src[k] < 0) {
            g->locked |= CHANGED & ~(1u << H_R9);
            copy_gpr(g, reg[k], call_arg(g, i, k));
        }
    emit_function_address(g, H_R9, (const void *)e->entry);
    emit_rr(g->c, O_GROUP5, 4, 2, H_R9);
    drop_dead(g, CHANGED);
    forget(g, CHANGED);
}

static int call_full(Cg *g, const IrInsn *i)
{
    static const uint64_t high = 0x80000000u;
    uint32_t lost = (g->pinned ? CALLER_SAVED : CALLER_SAVED | (uint32_t)ALL_VEC) & g->allocatable;
    HMem stub = !g->pinned                            ? STATE(stubs.call_full)
                : i->callee->kind == CALLEE_QUICK ? STATE(stubs.call_quick)
                                                  : STATE(stubs.call_full_pinned);
    HMem pc = STATE(guest.pc), tool0 = STATE(tool);
    if (g->val[g->now].cc_live)
        cc_to_state(g);
    detach_all(g);
    cc_clobber(g);
    g->cc = CCS_STATE;
    code_point(g);
    for (unsigned k = 0; k < i->sub; k++) {
        IrRef v = call_arg(g, i, k);
        HMem m = SCRATCH(k);
        int t = tmp_gpr(g);
        copy_gpr(g, t, v);
        extend_arg(g, (unsigned)t, v);
        emit_store(g->c, 8, (unsigned)t, &m);
        tmp_free(g, t);
    }
    spill_mask(g, lost);
    drop_dead(g, lost);
    if (!g->pc_put && g->guest_pc < high) {
        emit_store_imm(g->c, 8, (int64_t)g->guest_pc, &pc);
    } else if (!g->pc_put) {
        emit_mov_imm(g->c, H_R11, g->guest_pc);
        emit_store(g->c, 8, H_R11, &pc);
    }
    if (g->tool0)
        emit_store(g->c, 8, H_R14, &tool0);
    emit_function_address(g, H_R11, i->callee->fn);
    emit_rm(g->c, O_GROUP5, 4, 2, &stub);
    if (g->tool0)
        emit_rm(g->c, O_MOV_LOAD, 8, H_R14, &tool0);
    forget(g, 0xffff);
    g->fpu_tested = false;
    int d = result_reg(g, i);
    if (d != H_NONE)
        emit_mov(g->c, (unsigned)d, H_R11);
    return d;
}

static bool is_full(const IrInsn *i)
{
    return i->callee->kind == CALLEE_FULL || i->callee->kind == CALLEE_QUICK;
}

static int call_any(Cg *g, const IrInsn *i)
{
    if (i->callee->kind == CALLEE_ENTRY && g->pinned) {
        call_entry(g, i);
        return H_NONE;
    }
    return is_full(i) ? call_full(g, i) : call_light(g, i);
}

/** May the helper change guest registers behind our back? */
static bool changes_guest(const Cg *g, const IrInsn *i)
{
    return is_full(i) || (i->callee->kind != CALLEE_PURE && !g->pinned);
}

void gen_call(Cg *g, IrRef ref)
{
    const IrInsn *i = insn_of(g, ref);
    if (i->arg[1] == IR_NONE) {
        int d = call_any(g, i);
        if (d != H_NONE)
            def_is(g, d);
        return;
    }
    if (changes_guest(g, i)) {
        if (g->cc_until > g->now)
            cc_to_state(g);
        detach_all(g);
    }
    unsigned cc = cond_to_eflags(g, i->arg[1]);
    g->locked = 0;
    int d = i->type != TY_NONE && g->val[ref].uses ? def_gpr(g) : H_NONE;
    g->locked = 0;
    Snapshot s;
    snapshot_take(g, &s);
    uint32_t fix = emit_jcc(g, cc, 0);
    Loc join = code_here(g);
    Ool o = code_ool_begin(g);
    fix_set(g, fix, code_here(g));
    int r = call_any(g, i);
    HMem m = SCRATCH(RESULT_SCRATCH);
    if (r != H_NONE) {
        emit_store(g->c, 8, (unsigned)r, &m);
        tmp_free(g, r);
    }
    snapshot_restore(g, &s);
    if (d != H_NONE)
        emit_rm(g->c, O_MOV_LOAD, 8, (unsigned)d, &m);
    cc_restore(g, s.cc);
    if (!o.was_cold)
        emit_jmp(g, join);
    code_ool_end(g, o);
    g->fpu_tested = s.fpu_tested && g->fpu_tested;
}

/* ---- cold regions ---- */

/** Values that the region's code would cut off from their homes move away on the main path. */
static void detach_for_region(Cg *g, IrRef begin)
{
    for (IrRef k = begin + 1; k < g->n && g->insn[k].op != OP_COLD_END; k++) {
        const IrInsn *i = &g->insn[k];
        if (i->op == OP_PUT) {
            if (i->aux == AMD64_CC && g->cc_until > g->now)
                cc_to_state(g);
            detach_aliases_until(g, rx_of(i->aux), IR_NONE, k);
        } else if (i->op == OP_CALL && changes_guest(g, i)) {
            if (g->cc_until > g->now)
                cc_to_state(g);
            detach_all(g);
        } else if (i->op == OP_NATIVE) {
            const NativeInsn *n = g->b->native[i->aux];
            if (n->cc_write && g->cc_until > g->now)
                cc_to_state(g);
            if (n->cc_write)
                detach_aliases(g, AMD64_CC, IR_NONE);
            for (unsigned j = 0; j < n->n_ops; j++) {
                if ((n->op[j].access & NA_WRITE) && n->op[j].cls != RC_FPU)
                    detach_aliases(g, rx_of(n->op[j].reg), IR_NONE);
            }
        }
    }
}

void gen_cold_begin(Cg *g, IrRef ref)
{
    detach_for_region(g, ref);
    unsigned cc = cond_to_eflags(g, insn_of(g, ref)->arg[0]);
    g->locked = 0;
    snapshot_take(g, &g->snap);
    uint32_t fix = emit_jcc(g, cc, 0);
    g->cold_join = code_here(g);
    g->in_cold = true;
    g->cold_begin = ref;
    g->c = &g->buf[1];
    fix_set(g, fix, code_here(g));
    g->shared_exit.valid = false;
    code_point(g);
}

void gen_cold_end(Cg *g, IrRef ref)
{
    (void)ref;
    snapshot_restore(g, &g->snap);
    cc_restore(g, g->snap.cc);
    emit_jmp(g, g->cold_join);
    g->in_cold = false;
    g->c = &g->buf[0];
    g->shared_exit.valid = false;
    g->fpu_tested = g->snap.fpu_tested && g->fpu_tested;
    g->pc_put = g->snap.pc_put;
}
