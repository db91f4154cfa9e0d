/* SPDX-License-Identifier: MIT */
/*
 * Condition codes.  The guest's are in EFLAGS, in the state, or both (Cg.cc); they are moved
 * to the state only when something is about to change EFLAGS while they are live.  FLAGS and
 * truth values are made where they are consumed.
 */
#include "codegen.h"

static const HMem cc_mem = { H_RSP, H_NONE, 0, false, (int32_t)offsetof(VexState, guest.cc) };
#define CC_FLAGS_BYTE mem_state((int32_t)offsetof(VexState, guest.cc) + 1)
#define SCRATCH(i) mem_state((int32_t)offsetof(VexState, scratch) + 8 * (i))

/** Does someone read the guest's codes after this instruction, or in it? */
static bool cc_needed(const Cg *g)
{
    return (!g->cc_overwrite && g->val[g->now].cc_live != 0) ||
           (g->cc_until >= g->now && g->alias[AMD64_CC] != IR_NONE);
}

/** The present instruction has read the guest's codes from EFLAGS and changes those next. */
static void cc_clobber_read(Cg *g)
{
    if (g->cc == CCS_EFLAGS && ((!g->cc_overwrite && g->val[g->now].cc_live != 0) ||
                                (g->cc_until > g->now && g->alias[AMD64_CC] != IR_NONE)))
        cc_to_state(g);
    g->cc &= (uint8_t)~CCS_EFLAGS;
}

bool cc_busy(const Cg *g) { return g->cc == CCS_EFLAGS && cc_needed(g); }

void cc_clobber(Cg *g)
{
    if (cc_busy(g))
        cc_to_state(g);
    g->cc &= (uint8_t)~CCS_EFLAGS;
}

/* ---- the RAX dance of LAHF and SAHF ---- */

/** Where RAX waits meanwhile. */
typedef struct RaxSave {
    int reg; /**< H_NONE: nowhere, H_RSP: in the state */
} RaxSave;

static RaxSave rax_borrow(Cg *g)
{
    if ((g->allocatable & 1) && g->hr[H_RAX].val == IR_NONE && !(g->locked & 1)) {
        reg_clobbered(g, H_RAX);
        return (RaxSave){ H_NONE };
    }
    for (uint32_t m = g->allocatable & 0xfffe & ~g->locked; m; m &= m - 1) {
        int r = __builtin_ctz(m);
        if (g->hr[r].val == IR_NONE) {
            reg_clobbered(g, r);
            emit_mov(g->c, (unsigned)r, H_RAX);
            return (RaxSave){ r };
        }
    }
    HMem m = SCRATCH(5);
    emit_store(g->c, 8, H_RAX, &m);
    return (RaxSave){ H_RSP };
}

static void rax_return(Cg *g, RaxSave s)
{
    HMem m = SCRATCH(5);
    if (s.reg == H_RSP)
        emit_rm(g->c, O_MOV_LOAD, 8, H_RAX, &m);
    else if (s.reg != H_NONE)
        emit_mov(g->c, H_RAX, (unsigned)s.reg);
}

static void emit_lahf_seto(Cg *g)
{
    code_u8(g->c, 0x9f);
    emit_setcc(g->c, CC_O, H_RAX);
}

/** EFLAGS from AX in CC format. */
static void emit_sahf_of(Cg *g)
{
    emit_alu_ri(g->c, ALU_ADD, 1, H_RAX, 0x7f);
    code_u8(g->c, 0x9e);
}

void emit_cc_save(Cg *g, int scratch)
{
    if (scratch >= 0)
        emit_mov(g->c, (unsigned)scratch, H_RAX);
    emit_lahf_seto(g);
    emit_store(g->c, 2, H_RAX, &cc_mem);
    if (scratch >= 0)
        emit_mov(g->c, H_RAX, (unsigned)scratch);
}

void cc_to_state(Cg *g)
{
    if (g->cc & CCS_STATE)
        return;
    RaxSave s = rax_borrow(g);
    emit_cc_save(g, H_NONE);
    rax_return(g, s);
    g->cc |= CCS_STATE;
}

void cc_restore(Cg *g, uint8_t want)
{
    if ((want & CCS_EFLAGS) && cc_needed(g))
        cc_to_eflags(g);
    if ((want & CCS_STATE) && cc_needed(g))
        cc_to_state(g);
    g->cc = want;
}

void cc_to_eflags(Cg *g)
{
    if (g->cc & CCS_EFLAGS)
        return;
    RaxSave s = rax_borrow(g);
    emit_load(g->c, 2, H_RAX, &cc_mem);
    emit_sahf_of(g);
    rax_return(g, s);
    g->cc |= CCS_EFLAGS;
}

/** EFLAGS from FLAGS value @p f that is a word in CC format somewhere. */
static void word_to_eflags(Cg *g, IrRef f)
{
    cc_clobber(g);
    HMem m;
    if (mem_of_val(g, f, &m)) {
        RaxSave s = rax_borrow(g);
        emit_load(g->c, 2, H_RAX, &m);
        emit_sahf_of(g);
        rax_return(g, s);
        return;
    }
    int r = use_gpr(g, f);
    RaxSave s = rax_borrow(g);
    emit_mov(g->c, H_RAX, (unsigned)r);
    emit_sahf_of(g);
    rax_return(g, s);
}

/* ---- FLAGS values into EFLAGS ---- */

static void flags_to_eflags(Cg *g, IrRef f);

/** r op= v, with v a register, memory or constant. */
void emit_alu_val(Cg *g, AluOp op, unsigned size, int r, IrRef v)
{
    int64_t imm;
    HMem m;
    if (const_imm(g, v, &imm))
        emit_alu_ri(g->c, op, size, (unsigned)r, imm);
    else if (mem_of_val(g, v, &m))
        emit_alu_rm(g->c, op, size, (unsigned)r, &m);
    else
        emit_alu_rr(g->c, op, size, (unsigned)r, (unsigned)use_gpr(g, v));
}

/** A scratch copy of @p v, whoever else needs v. */
static int scratch_copy(Cg *g, IrRef v)
{
    int r = tmp_gpr(g);
    copy_gpr(g, r, v);
    return r;
}

static void flags_of_add(Cg *g, const IrInsn *i, AluOp op)
{
    unsigned size = size_of((IrType)i->aux);
    int t = scratch_copy(g, i->arg[0]);
    int64_t imm;
    HMem m;
    /* What needs registers comes first: EFLAGS must not change once the carry is set. */
    if (!const_imm(g, i->arg[1], &imm) && !mem_of_val(g, i->arg[1], &m))
        use_gpr(g, i->arg[1]);
    if (op != ALU_ADC && op != ALU_SBB) {
        cc_clobber(g);
    } else {
        int c = use_gpr(g, i->arg[2]);
        cc_clobber(g);
        emit_rr(g->c, 0xba | O_0F, 4, 4, (unsigned)c); /* bt c, 0 */
        code_u8(g->c, 0);
    }
    emit_alu_val(g, op, size, t, i->arg[1]);
    tmp_free(g, t);
}

/** cmp a, b in EFLAGS; true if the operands were swapped. */
static bool emit_compare(Cg *g, unsigned size, IrRef a, IrRef b)
{
    bool swapped = is_const(g, a) && !is_const(g, b);
    if (swapped) {
        IrRef t = a;
        a = b;
        b = t;
    }
    int64_t imm;
    HMem m;
    if (const_imm(g, b, &imm)) {
        if (mem_of_val(g, a, &m)) {
            cc_clobber(g);
            emit_alu_mi(g->c, ALU_CMP, size, &m, imm);
            return swapped;
        }
        int r = use_gpr(g, a);
        cc_clobber(g);
        if (imm == 0)
            emit_test_rr(g->c, size, (unsigned)r, (unsigned)r);
        else
            emit_alu_ri(g->c, ALU_CMP, size, (unsigned)r, imm);
        return swapped;
    }
    if (mem_of_val(g, b, &m)) {
        int r = use_gpr(g, a);
        cc_clobber(g);
        emit_alu_rm(g->c, ALU_CMP, size, (unsigned)r, &m);
    } else if (mem_of_val(g, a, &m)) {
        int r = use_gpr(g, b);
        cc_clobber(g);
        emit_alu_mr(g->c, ALU_CMP, size, (unsigned)r, &m);
    } else {
        int ra = use_gpr(g, a), rb = use_gpr(g, b);
        cc_clobber(g);
        emit_alu_rr(g->c, ALU_CMP, size, (unsigned)ra, (unsigned)rb);
    }
    return swapped;
}

static void flags_of_sub(Cg *g, const IrInsn *i)
{
    unsigned size = size_of((IrType)i->aux);
    IrRef a = i->arg[0];
    if (is_const(g, a)) {
        /* The operands must not be swapped here. */
        int r = use_gpr(g, a);
        cc_clobber(g);
        emit_alu_val(g, ALU_CMP, size, r, i->arg[1]);
        return;
    }
    int64_t imm;
    if (const_imm(g, i->arg[1], &imm) && imm == 0) {
        int r = use_gpr(g, a);
        cc_clobber(g);
        emit_alu_ri(g->c, ALU_CMP, size, (unsigned)r, 0);
        return;
    }
    emit_compare(g, size, a, i->arg[1]);
}

static void flags_of_logic(Cg *g, const IrInsn *i)
{
    int r = use_gpr(g, i->arg[0]);
    cc_clobber(g);
    emit_test_rr(g->c, size_of((IrType)i->aux), (unsigned)r, (unsigned)r);
}

/**
 * The codes that the operation passes on in EFLAGS, then a copy of its operand: in this order,
 * so that both together never need more than three registers. Moves leave EFLAGS alone.
 */
static int operand_after_codes(Cg *g, IrRef a, IrRef codes)
{
    uint32_t locked = g->locked;
    if (codes != IR_NONE)
        flags_to_eflags(g, codes);
    g->locked = locked;
    return scratch_copy(g, a);
}

static void flags_of_inc(Cg *g, const IrInsn *i)
{
    int t = operand_after_codes(g, i->arg[0], i->arg[2]);
    emit_rr(g->c, 0xfe | O_WB, size_of((IrType)i->aux), i->sub == FK_DEC, (unsigned)t);
    tmp_free(g, t);
}

static void flags_of_const_shift(Cg *g, const IrInsn *i, ShiftOp op, unsigned n)
{
    if (n == 0) {
        flags_to_eflags(g, i->arg[2]);
        return;
    }
    bool rotate = op == SH_ROL || op == SH_ROR;
    int t = operand_after_codes(g, i->arg[0], rotate ? i->arg[2] : IR_NONE);
    cc_clobber(g);
    emit_shift_ri(g->c, op, size_of((IrType)i->aux), (unsigned)t, n);
    tmp_free(g, t);
}

static void flags_of_shift(Cg *g, const IrInsn *i)
{
    static const uint8_t shift_of[FK_COUNT] = {
        [FK_SHL] = SH_SHL, [FK_SHR] = SH_SHR, [FK_SAR] = SH_SAR, [FK_ROL] = SH_ROL,
        [FK_ROR] = SH_ROR
    };
    ShiftOp op = (ShiftOp)shift_of[i->sub];
    IrRef n = i->arg[1];
    if (is_const(g, n)) {
        flags_of_const_shift(g, i, op, (unsigned)insn_of(g, n)->imm & 63);
        return;
    }
    uint32_t locked = g->locked;
    HMem save = SCRATCH(6), count = SCRATCH(7);
    flags_to_eflags(g, i->arg[2]); /* may use the same scratch words: first */
    g->locked = locked;
    emit_store(g->c, 8, (unsigned)use_gpr(g, n), &count);
    g->locked = locked;
    int t = scratch_copy(g, i->arg[0]);
    if (t == H_RCX) {
        t = tmp_gpr(g);
        emit_mov(g->c, (unsigned)t, H_RCX);
    }
    cc_clobber(g);
    emit_store(g->c, 8, H_RCX, &save);
    emit_rm(g->c, O_MOV_LOAD, 8, H_RCX, &count);
    emit_shift_cl(g->c, op, size_of((IrType)i->aux), (unsigned)t);
    emit_rm(g->c, O_MOV_LOAD, 8, H_RCX, &save);
    tmp_free(g, t);
}

static void flags_of_muls(Cg *g, const IrInsn *i)
{
    unsigned size = size_of((IrType)i->aux);
    int t = scratch_copy(g, i->arg[0]);
    int u = scratch_copy(g, i->arg[1]);
    cc_clobber(g);
    if (size == 1) {
        /* (a << 8) * b overflows 16 bits exactly when a * b overflows 8 */
        emit_shift_ri(g->c, SH_SHL, 4, (unsigned)t, 8);
        emit_rr(g->c, O_MOVSX8, 4, (unsigned)u, (unsigned)u);
        size = 2;
    }
    emit_rr(g->c, O_IMUL, size, (unsigned)t, (unsigned)u);
    tmp_free(g, t);
    tmp_free(g, u);
}

/** The codes of a FLAGS operation. */
static void op_to_eflags(Cg *g, const IrInsn *i)
{
    switch (i->sub) {
    case FK_ADD:
        flags_of_add(g, i, ALU_ADD);
        break;
    case FK_ADC:
        flags_of_add(g, i, ALU_ADC);
        break;
    case FK_SBB:
        flags_of_add(g, i, ALU_SBB);
        break;
    case FK_SUB:
        flags_of_sub(g, i);
        break;
    case FK_LOGIC:
        flags_of_logic(g, i);
        break;
    case FK_INC:
    case FK_DEC:
        flags_of_inc(g, i);
        break;
    case FK_MULS:
        flags_of_muls(g, i);
        break;
    default:
        flags_of_shift(g, i);
    }
}

static bool aliases_cc(const Cg *g, IrRef f)
{
    return g->val[f].alias == AMD64_CC && g->val[f].reg < 0 && g->val[f].slot < 0;
}

/** All six codes of @p f in EFLAGS. */
static void flags_to_eflags(Cg *g, IrRef f)
{
    const IrInsn *i = insn_of(g, f);
    if (i->op == OP_FLAGS) {
        op_to_eflags(g, i);
    } else if (aliases_cc(g, f)) {
        cc_to_eflags(g);
        cc_clobber_read(g);
    } else {
        word_to_eflags(g, f);
    }
}

/** Masks of conditions O, B, E, BE, S, P within the CC word; 0: not one test. */
static const uint16_t cond_mask[8] = { 0x1, 0x100, 0x4000, 0x4100, 0x8000, 0x400, 0, 0 };

/** EFLAGS such that the returned condition is the truth of @p cc over @p f. */
static unsigned cond_of_flags(Cg *g, IrRef f, unsigned cc)
{
    const IrInsn *i = insn_of(g, f);
    if (i->op == OP_FLAGS) {
        op_to_eflags(g, i);
        return cc;
    }
    if (aliases_cc(g, f) && (g->cc & CCS_EFLAGS))
        return cc;
    unsigned mask = cond_mask[cc >> 1];
    if (!mask) {
        if (aliases_cc(g, f))
            cc_to_eflags(g);
        else
            word_to_eflags(g, f);
        return cc;
    }
    HMem m = aliases_cc(g, f) ? cc_mem : (HMem){ 0 };
    if (aliases_cc(g, f) || mem_of_val(g, f, &m)) {
        cc_clobber(g);
        if (mask >> 8) {
            m.disp++;
            mask >>= 8;
        }
        emit_test_mi(g->c, 1, &m, (int64_t)mask);
    } else {
        int r = use_gpr(g, f);
        cc_clobber(g);
        emit_test_ri(g->c, 4, (unsigned)r, (int64_t)mask);
    }
    return cc & 1 ? CC_E : CC_NE;
}

/* ---- truth values ---- */

/** AND with EFLAGS as its only result. */
static void emit_and_test(Cg *g, IrRef v)
{
    const IrInsn *i = insn_of(g, v);
    unsigned size = size_of((IrType)i->type);
    IrRef a = i->arg[0], b = i->arg[1];
    if (is_const(g, a)) {
        a = i->arg[1];
        b = i->arg[0];
    }
    int64_t imm;
    HMem m;
    if (const_imm(g, b, &imm)) {
        if (mem_of_val(g, a, &m)) {
            cc_clobber(g);
            emit_test_mi(g->c, size, &m, imm);
        } else {
            int r = use_gpr(g, a);
            cc_clobber(g);
            emit_test_ri(g->c, size, (unsigned)r, imm);
        }
        return;
    }
    int rb = use_gpr(g, b);
    if (mem_of_val(g, a, &m)) {
        cc_clobber(g);
        emit_rm(g->c, O_TEST, size, (unsigned)rb, &m);
    } else {
        int ra = use_gpr(g, a);
        cc_clobber(g);
        emit_test_rr(g->c, size, (unsigned)ra, (unsigned)rb);
    }
}

static const uint8_t cmp_cond[OP_CMPLES - OP_CMPEQ + 1] = { CC_E, CC_NE, CC_B, CC_BE, CC_L, CC_LE };
static const uint8_t cmp_cond_swapped[OP_CMPLES - OP_CMPEQ + 1] = {
    CC_E, CC_NE, CC_A, CC_AE, CC_G, CC_GE
};

/** OR whose result only counts as zero or not. */
static void emit_or_test(Cg *g, IrRef v)
{
    const IrInsn *i = insn_of(g, v);
    unsigned size = size_of((IrType)i->type);
    IrRef a = i->arg[0], b = i->arg[1];
    if (g->val[a].flags & VF_LAZY) {
        a = i->arg[1];
        b = i->arg[0];
    }
    int64_t imm;
    HMem m;
    int rb = H_NONE;
    bool is_imm = const_imm(g, b, &imm), in_mem = !is_imm && mem_of_val(g, b, &m);
    if (!is_imm && !in_mem)
        rb = use_gpr(g, b);
    int t = scratch_copy(g, a);
    cc_clobber(g);
    if (is_imm)
        emit_alu_ri(g->c, ALU_OR, size, (unsigned)t, imm);
    else if (in_mem)
        emit_alu_rm(g->c, ALU_OR, size, (unsigned)t, &m);
    else
        emit_alu_rr(g->c, ALU_OR, size, (unsigned)t, (unsigned)rb);
    tmp_free(g, t);
}

static unsigned cmp_to_eflags(Cg *g, const IrInsn *i)
{
    IrRef a = i->arg[0], b = i->arg[1];
    unsigned k = i->op - OP_CMPEQ;
    if (is_vec(type_of(g, a))) {
        vec_equal_to_eflags(g, a, b);
        return cmp_cond[k];
    }
    if ((g->val[a].flags & VF_LAZY) && insn_of(g, a)->op == OP_AND) {
        emit_and_test(g, a);
        return cmp_cond[k];
    }
    if ((g->val[a].flags & VF_LAZY) && insn_of(g, a)->op == OP_OR) {
        emit_or_test(g, a);
        return cmp_cond[k];
    }
    return (emit_compare(g, size_of(type_of(g, a)), a, b) ? cmp_cond_swapped : cmp_cond)[k];
}

unsigned cond_to_eflags(Cg *g, IrRef v)
{
    const IrInsn *i = insn_of(g, v);
    if (g->val[v].flags & VF_LAZY) {
        if (i->op == OP_COND)
            return cond_of_flags(g, i->arg[0], i->sub);
        return cmp_to_eflags(g, i);
    }
    if (is_const(g, v)) {
        cc_clobber(g);
        emit_test_rr(g->c, 8, H_RSP, H_RSP); /* RSP is never 0 */
        return i->imm & 1 ? CC_NE : CC_E;
    }
    HMem m;
    if (mem_of_val(g, v, &m)) {
        cc_clobber(g);
        emit_test_mi(g->c, 1, &m, 1);
    } else {
        int r = use_gpr(g, v);
        cc_clobber(g);
        emit_test_rr(g->c, 1, (unsigned)r, (unsigned)r);
    }
    return CC_NE;
}

static void def_setcc(Cg *g, unsigned cc)
{
    g->locked = 0; /* the operands are read */
    emit_setcc(g->c, cc, (unsigned)def_gpr(g));
}

void gen_cmp(Cg *g, IrRef i) { def_setcc(g, cmp_to_eflags(g, insn_of(g, i))); }

void gen_cond(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    def_setcc(g, cond_of_flags(g, insn->arg[0], insn->sub));
}

/* ---- FLAGS as data ---- */

int flags_to_word(Cg *g, IrRef f)
{
    uint32_t locked = g->locked;
    bool is_op = insn_of(g, f)->op == OP_FLAGS;
    if (is_op)
        flags_to_eflags(g, f);
    g->locked = locked;
    int d = tmp_gpr(g);
    if (is_op) {
        RaxSave s = d == H_RAX ? (RaxSave){ H_NONE } : rax_borrow(g);
        emit_lahf_seto(g);
        emit_rr(g->c, O_MOVZX16, 4, (unsigned)d, H_RAX);
        rax_return(g, s);
    } else {
        copy_gpr(g, d, f);
        emit_rr(g->c, O_MOVZX16, 4, (unsigned)d, (unsigned)d);
    }
    return d;
}

static void select_flags(Cg *g, const IrInsn *insn)
{
    HMem a = SCRATCH(4);
    int r = flags_to_word(g, insn->arg[1]);
    emit_store(g->c, 8, (unsigned)r, &a);
    tmp_free(g, r);
    int d = flags_to_word(g, insn->arg[2]);
    unsigned cc = cond_to_eflags(g, insn->arg[0]);
    emit_rm(g->c, O_CMOV | cc, 4, (unsigned)d, &a);
    def_is(g, d);
}

void gen_select(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    IrRef a = insn->arg[1], b = insn->arg[2];
    if (is_vec((IrType)insn->type)) {
        gen_vec_select(g, i);
        return;
    }
    if (insn->type == TY_FLAGS) {
        select_flags(g, insn);
        return;
    }
    unsigned size = size_of((IrType)insn->type) == 8 ? 8 : 4;
    unsigned cc = cond_to_eflags(g, insn->arg[0]);
    /* Only moves from here on: EFLAGS hold the condition. */
    g->locked = 0;
    HMem m;
    if (a != b && size == size_of((IrType)insn->type) && mem_of_val(g, a, &m)) {
        int d = def_from(g, b, mem_regs(&m));
        emit_rm(g->c, O_CMOV | cc, size, (unsigned)d, &m);
        return;
    }
    int ra = use_gpr(g, a);
    int d = def_from(g, b, 1u << ra);
    emit_rr(g->c, O_CMOV | cc, size, (unsigned)d, (unsigned)ra);
}

void gen_flags_conv(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    bool to_bits = insn->op == OP_FLAGS_BITS;
    int d = to_bits ? flags_to_word(g, insn->arg[0]) : take_gpr(g, insn->arg[0]);
    int t = tmp_gpr(g);
    cc_clobber(g);
    emit_mov_rr(g->c, 4, (unsigned)t, (unsigned)d);
    if (to_bits) {
        emit_shift_ri(g->c, SH_SHL, 4, (unsigned)t, 11);
        emit_alu_ri(g->c, ALU_AND, 4, (unsigned)t, 0x800);
        emit_shift_ri(g->c, SH_SHR, 4, (unsigned)d, 8);
        emit_alu_ri(g->c, ALU_AND, 4, (unsigned)d, 0xd5);
    } else {
        emit_shift_ri(g->c, SH_SHR, 4, (unsigned)t, 11);
        emit_alu_ri(g->c, ALU_AND, 4, (unsigned)t, 1);
        emit_alu_ri(g->c, ALU_AND, 4, (unsigned)d, 0xd5);
        emit_alu_ri(g->c, ALU_OR, 4, (unsigned)d, 2);
        emit_shift_ri(g->c, SH_SHL, 4, (unsigned)d, 8);
    }
    emit_alu_rr(g->c, ALU_OR, 4, (unsigned)d, (unsigned)t);
    tmp_free(g, t);
    def_is(g, d);
    g->val[i].flags |= VF_ZX;
}

void put_cc(Cg *g, IrRef v)
{
    if (aliases_cc(g, v))
        return;
    cc_write_begin(g);
    if (insn_of(g, v)->op == OP_FLAGS) {
        /* In EFLAGS they may stay until something changes those. */
        bool live = g->val[g->now].cc_live != 0;
        if (live)
            flags_to_eflags(g, v);
        g->cc = live ? CCS_EFLAGS : CCS_STATE;
    } else {
        int64_t imm;
        if (const_imm(g, v, &imm))
            emit_store_imm(g->c, 8, imm, &cc_mem);
        else
            emit_store(g->c, 8, (unsigned)use_gpr(g, v), &cc_mem);
        g->cc = CCS_STATE;
    }
    g->cc_overwrite = false;
}

void cc_write_begin(Cg *g)
{
    if (g->alias[AMD64_CC] != IR_NONE && g->cc_until > g->now)
        cc_to_state(g);
    detach_aliases(g, AMD64_CC, IR_NONE);
    g->cc_overwrite = true;
}
