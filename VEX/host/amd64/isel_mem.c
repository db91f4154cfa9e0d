/* SPDX-License-Identifier: MIT */
/*
 * Registers of the guest, and memory: GET and PUT through homes, LOAD and STORE with the IR's
 * memory operands as host operands, read-modify-write of words of the state.
 */
#include "codegen.h"

/** A host register within reach of @p addr through a displacement, which is set; or H_NONE. */
static int near_constant(Cg *g, uint64_t addr, int32_t *disp)
{
    for (uint32_t m = g->const_mask; m; m &= m - 1) {
        int r = __builtin_ctz(m);
        int64_t d = (int64_t)(addr - g->const_in[r]);
        if (fits_i32(d) && code_data_kind(g, addr) == code_data_kind(g, g->const_in[r])) {
            *disp = (int32_t)d;
            g->locked |= 1u << r;
            return r;
        }
    }
    return H_NONE;
}

static int new_constant(Cg *g, uint64_t v)
{
    int r = tmp_gpr(g);
    emit_constant(g, (unsigned)r, v);
    g->const_in[r] = v;
    g->const_mask |= 1u << r;
    return r;
}

/** Memory at a constant address (plus an index). */
static HMem mem_const(Cg *g, uint64_t addr, HMem m)
{
    if (fits_i32((int64_t)addr)) {
        m.base = H_NONE;
        m.disp = (int32_t)addr;
        return m;
    }
    int r = near_constant(g, addr, &m.disp);
    if (r == H_NONE) {
        r = new_constant(g, addr);
        m.disp = 0;
    }
    m.base = (int8_t)r;
    return m;
}

/** base + disp where disp does not fit: a temporary takes the sum. */
static HMem mem_far(Cg *g, int base, int64_t disp, HMem m)
{
    int t = tmp_gpr(g);
    emit_mov_imm(g->c, (unsigned)t, (uint64_t)disp);
    if (base != H_NONE) {
        HMem sum = { (int8_t)t, (int8_t)base, 0, false, 0 };
        emit_lea(g->c, 8, (unsigned)t, &sum);
        if (base != m.index)
            g->locked &= ~(1u << base);
    }
    m.base = (int8_t)t;
    m.disp = 0;
    return m;
}

HMem host_mem(Cg *g, const IrInsn *i)
{
    if (i->space == SPACE_STATE && i->op != OP_NATIVE)
        return mem_state((int32_t)i->disp);
    HMem m = { H_NONE, H_NONE, 0, i->space == SPACE_SHADOW, 0 };
    IrRef base = i->arg[0], index = i->arg[1];
    int64_t disp = i->disp;
    if (index != IR_NONE && is_const(g, index)) {
        disp += (int64_t)((uint64_t)const_value(g, index) << i->scale);
        index = IR_NONE;
    }
    if (index != IR_NONE) {
        m.index = (int8_t)use_gpr(g, index);
        m.scale = i->scale;
    }
    if (base != IR_NONE && is_const(g, base)) {
        uint64_t at = (uint64_t)const_value(g, base) + (uint64_t)disp;
        CHECK(!m.gs || i->op == OP_STORE || !code_is_near(g, at), "near data can only be added to");
        return mem_const(g, at, m);
    }
    int rb = base == IR_NONE ? H_NONE : use_gpr(g, base);
    if (!fits_i32(disp))
        return mem_far(g, rb, disp, m);
    m.base = (int8_t)rb;
    m.disp = (int32_t)disp;
    return m;
}

HMem host_mem_of_load(Cg *g, IrRef v) { return host_mem(g, insn_of(g, v)); }

/* ---- registers of the guest ---- */

void gen_get(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    uint8_t rx = rx_of(insn->aux);
    if (is_vec((IrType)insn->type) || rx_home(g, rx) >= H_XMM0 || is_avx512_home(g, rx)) {
        gen_vec_get(g, i);
        return;
    }
    def_alias(g, i, rx);
    if (rx == AMD64_CC && g->cc_until < g->val[i].last)
        g->cc_until = g->val[i].last;
}

/** The operations that may be read-modify-write. */
static const uint8_t alu_of[OP_COUNT] = {
    [OP_ADD] = ALU_ADD, [OP_SUB] = ALU_SUB, [OP_AND] = ALU_AND, [OP_OR] = ALU_OR,
    [OP_XOR] = ALU_XOR
};

/** *m += @p imm, in IR_DATA_NEAR. */
static void add_near(Cg *g, const HMem *m, const IrInsn *op)
{
    int64_t imm;
    CHECK(op->op == OP_ADD && op->type == TY_I64 && const_imm(g, op->arg[1], &imm));
    if (cc_busy(g)) {
        int t = tmp_gpr(g);
        emit_load(g->c, 8, (unsigned)t, m);
        code_near_site(g, 0);
        HMem sum = { (int8_t)t, H_NONE, 0, false, (int32_t)imm };
        emit_lea(g->c, 8, (unsigned)t, &sum);
        emit_store(g->c, 8, (unsigned)t, m);
        code_near_site(g, 0);
    } else if (imm == 1) {
        cc_clobber(g);
        emit_rm(g->c, O_GROUP5, 8, 0, m); /* inc */
        code_near_site(g, 0);
    } else {
        cc_clobber(g);
        emit_alu_mi(g->c, ALU_ADD, 8, m, imm);
        code_near_site(g, fits_i8(imm) ? 1 : 4);
    }
}

/** r op= x done in the home of r, if the value read is still there. */
static bool rmw_state(Cg *g, const HMem *m, unsigned size, const IrInsn *op)
{
    AluOp alu = (AluOp)alu_of[op->op];
    int64_t imm;
    bool is_imm = const_imm(g, op->arg[1], &imm);
    if (cc_busy(g) && is_imm && (alu == ALU_ADD || (alu == ALU_SUB && imm != INT32_MIN))) {
        int t = tmp_gpr(g);
        emit_load(g->c, size, (unsigned)t, m);
        HMem sum = { (int8_t)t, H_NONE, 0, false, (int32_t)(alu == ALU_ADD ? imm : -imm) };
        emit_lea(g->c, 8, (unsigned)t, &sum);
        emit_store(g->c, size, (unsigned)t, m);
        return true;
    }
    int r = is_imm ? H_NONE : use_gpr(g, op->arg[1]);
    cc_clobber(g);
    if (is_imm)
        emit_alu_mi(g->c, alu, size, m, imm);
    else
        emit_alu_mr(g->c, alu, size, (unsigned)r, m);
    return true;
}

/** The value of a lazy operation whose read-modify-write form did not come about. */
static int compute_rmw(Cg *g, const IrInsn *op)
{
    int t = tmp_gpr(g);
    copy_gpr(g, t, op->arg[0]);
    int64_t imm;
    HMem m;
    if (!const_imm(g, op->arg[1], &imm) && !mem_of_val(g, op->arg[1], &m))
        use_gpr(g, op->arg[1]);
    cc_clobber(g);
    emit_alu_val(g, (AluOp)alu_of[op->op], size_of((IrType)op->type), t, op->arg[1]);
    return t;
}

/** home op= constant, in the host register that is the home. */
static void rmw_reg(Cg *g, int h, const IrInsn *op)
{
    unsigned size = op->type == TY_I64 ? 8 : 4;
    int64_t imm;
    if (!const_imm(g, op->arg[1], &imm)) {
        int r = use_gpr(g, op->arg[1]);
        cc_clobber(g);
        emit_alu_rr(g->c, (AluOp)alu_of[op->op], size, (unsigned)h, (unsigned)r);
        return;
    }
    bool add = op->op == OP_ADD || (op->op == OP_SUB && imm != INT32_MIN);
    if (add && cc_busy(g)) {
        HMem sum = { (int8_t)h, H_NONE, 0, false, (int32_t)(op->op == OP_ADD ? imm : -imm) };
        emit_lea(g->c, size, (unsigned)h, &sum);
        return;
    }
    cc_clobber(g);
    emit_alu_ri(g->c, (AluOp)alu_of[op->op], size, (unsigned)h, imm);
}

static void put_rmw(Cg *g, uint8_t rx, IrRef v)
{
    const IrInsn *op = insn_of(g, v);
    const Val *src = &g->val[op->arg[0]];
    int h = rx_home(g, rx);
    bool there = src->alias == rx && src->last <= g->now;
    int t = there ? H_NONE : compute_rmw(g, op);
    detach_aliases(g, rx, IR_NONE);
    if (h >= 0) { /* nothing caches it */
        if (there)
            rmw_reg(g, h, op);
        else
            emit_mov_rr(g->c, op->type == TY_I64 ? 8 : 4, (unsigned)h, (unsigned)t);
        return;
    }
    HMem m = mem_state(rx_offset(rx));
    if (there)
        rmw_state(g, &m, 8, op);
    else
        emit_store(g->c, 8, (unsigned)t, &m);
    drop_cache(g, rx, H_NONE);
}

/** After PUT: @p v, if it lives on, can also be had from the home. */
static void alias_after_put(Cg *g, uint8_t rx, IrRef v)
{
    Val *x = &g->val[v];
    if (g->in_cold && v < g->cold_begin)
        return; /* the main path does not do this PUT */
    if (x->last > g->now && x->alias == RX_NONE && !is_const(g, v) &&
        (type_of(g, v) == TY_I64 || rx_home(g, rx) < 0))
        def_alias(g, v, rx);
}

static void put_home(Cg *g, uint8_t rx, int h, IrRef v)
{
    Val *x = &g->val[v];
    if (x->alias == rx && x->reg < 0 && !is_const(g, v))
        return;
    detach_aliases(g, rx, v);
    if (x->reg == h) {
        g->hr[h].val = IR_NONE;
        x->reg = H_NONE;
    } else if (type_of(g, v) == TY_I64 || is_const(g, v)) {
        copy_gpr(g, h, v);
    } else {
        int r = use_gpr(g, v);
        emit_mov_rr(g->c, 4, (unsigned)h, (unsigned)r);
    }
    alias_after_put(g, rx, v);
}

void gen_put(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    IrRef v = insn->arg[0];
    uint8_t rx = rx_of(insn->aux);
    if (is_vec(type_of(g, v)) || rx_home(g, rx) >= H_XMM0 || is_avx512_home(g, rx)) {
        gen_vec_put(g, i);
        return;
    }
    if (rx == AMD64_CC) {
        put_cc(g, v);
        return;
    }
    if (rx == AMD64_PC)
        g->pc_put = true;
    int h = rx_home(g, rx);
    if ((g->val[v].flags & VF_LAZY) && (g->val[v].flags & VF_RMW)) {
        put_rmw(g, rx, v);
        return;
    }
    if (h >= 0) {
        put_home(g, rx, h, v);
        return;
    }
    if (g->val[v].alias == rx && !is_const(g, v) && g->val[v].reg < 0)
        return;
    unsigned size = size_of(type_of(g, v));
    HMem m = mem_state(rx_offset(rx));
    int64_t imm;
    if (const_imm(g, v, &imm) && g->val[v].reg < 0) {
        detach_aliases(g, rx, IR_NONE);
        emit_store_imm(g->c, size, imm, &m);
        drop_cache(g, rx, H_NONE);
        return;
    }
    int r = use_gpr(g, v);
    detach_aliases(g, rx, v);
    emit_store(g->c, size, (unsigned)r, &m);
    drop_cache(g, rx, H_NONE);
    if (size == 8 && (g->allocatable >> r & 1))
        g->hr[r].cache = rx;
    if (size == gimle_reg_size(insn->aux))
        alias_after_put(g, rx, v);
}

/* ---- memory ---- */

void gen_load(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    code_point(g);
    if (is_vec((IrType)insn->type)) {
        gen_vec_load(g, i);
        return;
    }
    HMem m = host_mem(g, insn);
    emit_load(g->c, size_of((IrType)insn->type), (unsigned)def_gpr(g), &m);
    g->val[i].flags |= VF_ZX;
}

void gen_store(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    IrRef v = insn->arg[2];
    code_point(g);
    if (is_vec(type_of(g, v))) {
        gen_vec_store(g, i);
        return;
    }
    unsigned size = size_of(type_of(g, v));
    HMem m = host_mem(g, insn);
    bool near = m.gs && m.base == H_NONE && m.index == H_NONE && code_is_near(g, (uint64_t)m.disp);
    int64_t imm;
    if ((g->val[v].flags & VF_LAZY) && (g->val[v].flags & VF_RMW)) {
        const IrInsn *op = insn_of(g, v);
        bool lazy = g->val[op->arg[0]].flags & VF_LAZY;
        CHECK(lazy || !near, "near data can only be added to");
        if (near)
            add_near(g, &m, op);
        else if (lazy)
            rmw_state(g, &m, size, op);
        else
            emit_store(g->c, size, (unsigned)compute_rmw(g, op), &m);
        return;
    }
    CHECK(!near, "near data can only be added to");
    if (const_imm(g, v, &imm))
        emit_store_imm(g->c, size, imm, &m);
    else
        emit_store(g->c, size, (unsigned)use_gpr(g, v), &m);
}
