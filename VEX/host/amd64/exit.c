/* SPDX-License-Identifier: MIT */
/*
 * Leaving a block.  A direct exit is a jump whose rel32 leads to an out-of-line stub until
 * vex_chain() patches it; an exit to a mode with the other register convention goes through
 * enter_pinned or leave_pinned.  Indirect exits look into the jump cache.  In every exit the
 * guest state is in its homes.
 *
 * There are some ten exits for each one that is ever taken, so their stubs are four bytes: they push
 * a number and jump to code that the block's exits share.
 */
#include "codegen.h"
#include "exit_data.h"
#include "stubs_offsets.h"

#define STATE(field) mem_state((int32_t)offsetof(VexState, field))
#define STUB(name) mem_state((int32_t)offsetof(VexState, stubs.name))

static bool mode_pinned(unsigned mode) { return vex_config()->modes[mode].flags & VM_PINNED; }

static bool is_plain(unsigned kind)
{
    return kind == JK_BORING || kind == JK_CALL || kind == JK_RET;
}

static void emit_jmp_mem(Cg *g, HMem m) { emit_rm(g->c, O_GROUP5, 4, 4, &m); }

/** Before control goes to leave_pinned. */
static void emit_save_tool0(Cg *g)
{
    HMem m = STATE(tool);
    if (g->tool0)
        emit_store(g->c, 8, H_R14, &m);
}

/** Save the condition codes on a path that leaves; the allocator's state stays as it is. */
static void emit_cc_leave(Cg *g, bool wanted, int scratch)
{
    if (wanted && g->cc == CCS_EFLAGS)
        emit_cc_save(g, g->pinned ? scratch : H_NONE);
}

static unsigned regs_word(const Cg *g)
{
    return (g->pinned ? REGS_PINNED : 0) | (g->tool0 ? REGS_TOOL0 : 0);
}

/** Leave through a stub that takes the target in R11 and the rest in R10. */
static void emit_leave(Cg *g, unsigned kind, unsigned mode, HMem stub)
{
    emit_mov_imm(g->c, H_R10, LEAVE_WORD(mode, g->b->mode, regs_word(g), kind));
    emit_jmp_mem(g, stub);
}

static void emit_push_imm(Cg *g, int32_t v)
{
    code_u8(g->c, fits_i8(v) ? 0x6a : 0x68);
    emit_imm(g->c, fits_i8(v) ? 1 : 4, v);
}

/**
 * What runs until exit number @p k is chained: it pushes its number, and the code behind the first
 * one, which all exits of the block share, tells the number of the translation.
 */
static Loc emit_chain_stub(Cg *g, uint32_t k)
{
    Loc at = code_here(g);
    emit_push_imm(g, (int32_t)k);
    if (g->chain_tail_valid) {
        emit_jmp_back(g, g->chain_tail);
        return at;
    }
    g->chain_tail = code_here(g);
    g->chain_tail_valid = true;
    HMem stub = STUB(exit_chain);
    stub.disp += 8; /* for what was pushed */
    emit_rm(g->c, O_GROUP5, 4, 2, &stub);
    g->id_at = code_here(g);
    code_u32(g->c, 0);
    code_u8(g->c, regs_word(g));
    return at;
}

/** Where an exit to a mode with the other register convention is chained to. */
static void emit_cross(Cg *g, VexExitSite *e)
{
    code_u8(g->c, 0x49); /* mov r11, imm64 */
    code_u8(g->c, 0xbb);
    e->cross_off = code_here(g);
    code_u64(g->c, 0);
    HMem mode = STATE(cur_mode);
    emit_store_imm(g->c, 8, e->mode, &mode);
    emit_save_tool0(g);
    emit_jmp_mem(g, g->pinned ? STUB(leave_pinned) : STUB(enter_pinned));
}

/**
 * A jump (@p cc < 0) or conditional jump, here, that can be chained to @p target.  With @p poll it
 * leaves as if it were not chained while something is pending.
 */
static void emit_chainable(Cg *g, int cc, GuestAddr target, unsigned mode, bool poll)
{
    uint32_t poll_fix = 0;
    if (poll) {
        HMem p = STATE(pending);
        emit_alu_mi(g->c, ALU_CMP, 4, &p, 0);
        poll_fix = emit_jcc(g, CC_NE, 0);
    }
    code_align_patch(g, cc < 0 ? 1 : 2);
    if (cc < 0) {
        code_u8(g->c, 0xe9);
    } else {
        code_u8(g->c, 0x0f);
        code_u8(g->c, 0x80 | (unsigned)cc);
    }
    uint32_t number = g->n_exits;
    VexExitSite *e = exit_new(g);
    *e = (VexExitSite){ .patch_off = code_here(g), .target = target, .mode = (uint8_t)mode,
                        .crosses = mode_pinned(mode) != g->pinned };
    uint32_t fix = emit_rel32(g, 0);
    Ool o = { g->c, false, 0 };
    if (cc < 0)
        g->c = &g->buf[1]; /* nothing falls through to the stub */
    else
        o = code_ool_begin(g);
    e->stub_off = emit_chain_stub(g, number);
    if (e->crosses)
        emit_cross(g, e);
    fix_set(g, fix, e->stub_off);
    if (poll)
        fix_set(g, poll_fix, e->stub_off);
    code_ool_end(g, o);
}

/**
 * Every loop has such an edge: the one that leaves the block with the loop's highest address.
 * Doing the present instruction again in another mode is not a step of a loop.
 */
static bool is_backward(const Cg *g, GuestAddr target, unsigned mode)
{
    return target <= g->max_pc && (mode == g->b->mode || target != g->guest_pc);
}

/**
 * Only one mode of a tool expects returns: what it notes about them does not tell the mode.
 */
static bool expects_returns(const Cg *g, const IrInsn *i)
{
    unsigned first = 0;
    while (first < g->b->mode && !mode_pinned(first))
        first++;
    return g->pinned && first == g->b->mode && i->mode == g->b->mode;
}

/** @p index = place of the return to stack pointer @p sp + @p add; the operand of its entry. */
static HMem emit_return_entry(Cg *g, int index, int32_t add)
{
    HMem sp = { (int8_t)rx_home(g, AMD64_RSP), H_NONE, 0, false, add };
    if (add)
        emit_lea(g->c, 4, (unsigned)index, &sp);
    else
        emit_mov_rr(g->c, 4, (unsigned)index, (unsigned)sp.base);
    _Static_assert(sizeof(VexJumpEntry) == 16, "the scale");
    emit_alu_ri(g->c, ALU_AND, 4, (unsigned)index, (VEX_RETURNS - 1) * 8);
    return (HMem){ H_RSP, (int8_t)index, 1, false, (int32_t)offsetof(VexState, returns) };
}

static HMem entry_code(HMem m)
{
    m.disp += (int32_t)offsetof(VexJumpEntry, code);
    return m;
}

/**
 * A call notes under the stack pointer that its return will have where in host code that is to go:
 * to a jump behind a host call instruction.  Returns are host returns, so the host predicts them.
 * R11 keeps its contents.
 */
static void emit_return_site(Cg *g, unsigned mode)
{
    enum { CALL_BYTES = 5, JMP_BYTES = 5, RETURN_ADDRESS_BYTES = 8 };
    GuestAddr back = g->guest_next;
    int known = constant_in(g, back);
    int index = known == H_R10 ? H_R9 : H_R10, tmp = known == H_R10 ? H_R10 : H_R9;
    HMem pc = emit_return_entry(g, index, RETURN_ADDRESS_BYTES), code = entry_code(pc);
    if (known == H_NONE && fits_i32((int64_t)back)) {
        emit_store_imm(g->c, 8, (int64_t)back, &pc);
    } else {
        if (known == H_NONE)
            emit_mov_imm(g->c, (unsigned)tmp, back);
        emit_store(g->c, 8, (unsigned)(known == H_NONE ? tmp : known), &pc);
    }
    code_align_patch(g, CALL_BYTES + 1);
    code_u8(g->c, 0xe8); /* call over the jump that the return comes to */
    code_u32(g->c, JMP_BYTES);
    emit_chainable(g, -1, back, mode, false);
    code_u8(g->c, 0x41); /* pop tmp */
    code_u8(g->c, 0x58 + (unsigned)(tmp - H_R8));
    emit_store(g->c, 8, (unsigned)tmp, &code);
}

/** Everything from here to the target: codes saved, mode changed, service asked. */
static void emit_direct(Cg *g, const IrInsn *i, bool cc_wanted)
{
    emit_cc_leave(g, cc_wanted, H_R11);
    if (is_plain(i->sub)) {
        if (i->sub == JK_CALL && expects_returns(g, i))
            emit_return_site(g, i->mode);
        emit_chainable(g, -1, i->imm, i->mode, is_backward(g, i->imm, i->mode));
        return;
    }
    emit_mov_imm(g->c, H_R11, i->imm);
    emit_leave(g, i->sub, i->mode, STUB(exit_kind));
}

/** Compare R11 with its entry of @p mode's jump cache; the operand of the entry's code. */
static HMem emit_cache_compare(Cg *g, unsigned mode)
{
    int32_t cache = (int32_t)offsetof(VexState, jump_cache) + (int32_t)(mode << JUMP_MODE);
    /* r10 = vex_jump_index(r11) * sizeof(VexJumpEntry) */
    emit_rr(g->c, 0x69, 4, H_R10, H_R11);
    code_u32(g->c, JUMP_HASH);
    emit_shift_ri(g->c, SH_SHR, 4, H_R10, 32 - JUMP_BITS - JUMP_ENTRY);
    emit_alu_ri(g->c, ALU_AND, 4, H_R10, JUMP_MASK);
    HMem pc = { H_RSP, H_R10, 0, false, cache + (int32_t)offsetof(VexJumpEntry, pc) };
    emit_alu_mr(g->c, ALU_CMP, 8, H_R11, &pc);
    return (HMem){ H_RSP, H_R10, 0, false, cache + (int32_t)offsetof(VexJumpEntry, code) };
}

/** Go to the code of the entry found. */
static void emit_cache_hit(Cg *g, unsigned mode, HMem code)
{
    if (mode_pinned(mode) == g->pinned) {
        emit_jmp_mem(g, code);
        return;
    }
    emit_rm(g->c, O_MOV_LOAD, 8, H_R11, &code);
    HMem cur = STATE(cur_mode);
    emit_store_imm(g->c, 8, mode, &cur);
    emit_save_tool0(g);
    emit_jmp_mem(g, g->pinned ? STUB(leave_pinned) : STUB(enter_pinned));
}

/** Can @p i do the present guest instruction again through the redo stub? */
static bool is_redo(const Cg *g, const IrInsn *i)
{
    return g->pinned && !mode_pinned(i->mode) && is_plain(i->sub) && i->imm == g->guest_pc &&
           fits_i32((int64_t)(i->imm - g->b->addr));
}

/**
 * Speculation failed: do the present guest instruction in a mode with the other convention.
 * There are many such exits and few are ever taken: each just pushes its distance from the
 * block's start, and they share the code that finds the way.
 */
static void emit_redo(Cg *g, const IrInsn *i, bool save_cc)
{
    RedoTail *t = &g->redo[save_cc];
    emit_push_imm(g, (int32_t)(i->imm - g->b->addr));
    if (t->valid && t->mode == i->mode) {
        emit_jmp_back(g, t->at);
        return;
    }
    *t = (RedoTail){ true, i->mode, code_here(g) };
    code_u8(g->c, 0x41); /* pop r11 */
    code_u8(g->c, 0x5b);
    HMem pc = { H_R11, H_NONE, 0, false, (int32_t)g->b->addr };
    if (!fits_i32((int64_t)g->b->addr)) {
        emit_mov_imm(g->c, H_R10, g->b->addr);
        pc = (HMem){ H_R11, H_R10, 0, false, 0 };
    }
    emit_lea(g->c, 8, H_R11, &pc);
    emit_cc_leave(g, save_cc, H_R10);
    emit_leave(g, 0, i->mode, STUB(redo));
}

/** An exit of this guest instruction that goes to the same place: its out-of-line code. */
static bool shared_exit(const Cg *g, const IrInsn *i, Loc *at)
{
    const SharedExit *s = &g->shared_exit;
    if (s->valid && s->target == i->imm && s->mode == i->mode && s->kind == i->sub &&
        s->cc == (g->cc == CCS_EFLAGS)) {
        *at = s->at;
        return true;
    }
    return false;
}

void gen_exit_if(Cg *g, IrRef ref)
{
    const IrInsn *i = insn_of(g, ref);
    code_point(g);
    unsigned cc = cond_to_eflags(g, i->arg[0]);
    /* Where the same instruction is done again the codes that it sees now must be seen. */
    bool cc_read = i->aux == 1 || (i->imm == g->guest_pc && g->val[ref].cc_live);
    bool save_cc = cc_read && g->cc == CCS_EFLAGS;
    bool crosses = mode_pinned(i->mode) != g->pinned;
    if (is_plain(i->sub) && !crosses && is_backward(g, i->imm, i->mode)) {
        uint8_t *skip = emit_jcc_short(g->c, cc ^ 1);
        emit_direct(g, i, save_cc);
        patch_short(g->c, skip);
        return;
    }
    if (is_plain(i->sub) && !crosses && !save_cc) {
        emit_chainable(g, (int)cc, i->imm, i->mode, false);
        return;
    }
    Loc at;
    if (shared_exit(g, i, &at)) {
        emit_jcc(g, cc, at);
        return;
    }
    bool in_cold = g->c == &g->buf[1];
    uint32_t fix = emit_jcc(g, in_cold ? cc ^ 1 : cc, 0);
    Code *back = g->c;
    g->c = &g->buf[1];
    at = code_here(g);
    g->shared_exit = (SharedExit){ true, i->mode, i->sub, g->cc == CCS_EFLAGS, i->imm, at };
    if (is_redo(g, i))
        emit_redo(g, i, save_cc);
    else
        emit_direct(g, i, save_cc);
    fix_set(g, fix, in_cold ? code_here(g) : at);
    g->c = back;
}

void gen_jump(Cg *g, IrRef ref)
{
    const IrInsn *i = insn_of(g, ref);
    emit_direct(g, i, i->aux == 1 || g->b->flags_live_out);
}

/** If the return to R11 is the one expected, go there; the fixup of the jump for others. */
static uint32_t emit_expected_return(Cg *g)
{
    HMem pc = emit_return_entry(g, H_R10, 0), code = entry_code(pc);
    emit_alu_mr(g->c, ALU_CMP, 8, H_R11, &pc);
    uint32_t other = emit_jcc(g, CC_NE, 0);
    emit_rm(g->c, O_GROUP5, 4, 6, &code); /* push */
    code_u8(g->c, 0xc3);
    return other;
}

void gen_jump_ind(Cg *g, IrRef ref)
{
    const IrInsn *i = insn_of(g, ref);
    IrRef t = i->arg[0];
    if (g->val[t].reg != H_R11)
        evict(g, H_R11);
    copy_gpr(g, H_R11, t);
    emit_cc_leave(g, i->aux == 1 || g->b->flags_live_out, H_R10);
    if (!is_plain(i->sub)) {
        emit_leave(g, i->sub, i->mode, STUB(exit_kind));
        return;
    }
    if (i->sub == JK_CALL && expects_returns(g, i))
        emit_return_site(g, i->mode);
    if (i->sub == JK_RET && expects_returns(g, i)) {
        /* No poll for expected ones: a loop that has them has a call backward or a jump, too. */
        uint32_t other = emit_expected_return(g);
        g->c = &g->buf[1]; /* nothing follows in the main part */
        fix_set(g, other, code_here(g));
    }
    HMem p = STATE(pending);
    emit_alu_mi(g->c, ALU_CMP, 4, &p, 0);
    uint32_t fix = emit_jcc(g, CC_NE, 0);
    HMem code = emit_cache_compare(g, i->mode);
    uint32_t miss = emit_jcc(g, CC_NE, 0);
    emit_cache_hit(g, i->mode, code);
    g->c = &g->buf[1];
    fix_set(g, fix, code_here(g));
    fix_set(g, miss, code_here(g));
    emit_leave(g, 0, i->mode, STUB(exit_indirect));
    g->c = &g->buf[0];
}
