/* SPDX-License-Identifier: MIT */
/* Integer arithmetic: two-address forms, LEA and MOV where the flags must stay. */
#include "codegen.h"

#define SCRATCH(i) mem_state((int32_t)offsetof(VexState, scratch) + 8 * (i))

/** Operation width: narrow integers are computed in 32 bits. */
static unsigned op_size(const IrInsn *i) { return i->type == TY_I64 ? 8 : 4; }

static void set_zx(Cg *g, const IrInsn *i)
{
    if (i->type == TY_I32)
        g->val[g->now].flags |= VF_ZX;
}

static bool is_zx(const Cg *g, IrRef v)
{
    if (is_const(g, v))
        return const_value(g, v) >= 0;
    return (g->val[v].flags & VF_ZX) && g->val[v].reg >= 0;
}

/** For commutative ops: constants, memory operands and values that live on go second. */
static void order_operands(Cg *g, IrRef *a, IrRef *b)
{
    int64_t imm;
    if (const_imm(g, *b, &imm))
        return;
    bool a_lazy = (g->val[*a].flags & VF_LAZY) != 0, b_lazy = (g->val[*b].flags & VF_LAZY) != 0;
    bool swap = const_imm(g, *a, &imm) || (is_const(g, *a) && !b_lazy) || (a_lazy && !b_lazy);
    if (!swap && !b_lazy) {
        bool a_dies = dies_now(g, *a) && g->val[*a].reg >= 0;
        bool b_dies = dies_now(g, *b) && g->val[*b].reg >= 0;
        int h = g->val[g->now].hint, hb = g->val[*b].reg;
        if (hb < 0 && g->val[*b].alias != RX_NONE)
            hb = rx_home(g, g->val[*b].alias);
        swap = (!a_dies && b_dies) || (h != H_NONE && hb == h);
    }
    if (swap) {
        IrRef t = *a;
        *a = *b;
        *b = t;
    }
}

/** Register where @p v already is, or H_NONE. */
static int reg_now(const Cg *g, IrRef v)
{
    const Val *x = &g->val[v];
    if (x->reg >= 0)
        return x->reg;
    return x->alias != RX_NONE && !is_const(g, v) ? rx_home(g, x->alias) : H_NONE;
}

/** Result = a op b through the two-address form. */
static void two_address(Cg *g, AluOp op, unsigned size, IrRef a, IrRef b)
{
    int64_t imm;
    HMem m;
    if (const_imm(g, b, &imm)) {
        int d = def_from(g, a, 0);
        cc_clobber(g);
        emit_alu_ri(g->c, op, size, (unsigned)d, imm);
    } else if (mem_of_val(g, b, &m)) {
        int d = def_from(g, a, mem_regs(&m));
        cc_clobber(g);
        emit_alu_rm(g->c, op, size, (unsigned)d, &m);
    } else {
        int rb = use_gpr(g, b);
        int d = def_from(g, a, a == b ? 0 : 1u << rb);
        cc_clobber(g);
        emit_alu_rr(g->c, op, size, (unsigned)d, a == b ? (unsigned)d : (unsigned)rb);
    }
}

void gen_int_bin(Cg *g, IrRef i)
{
    static const uint8_t alu_of[] = { [OP_AND - OP_AND] = ALU_AND, [OP_OR - OP_AND] = ALU_OR,
                                      [OP_XOR - OP_AND] = ALU_XOR };
    const IrInsn *insn = insn_of(g, i);
    if (is_vec((IrType)insn->type)) {
        gen_vec(g, i);
        return;
    }
    IrRef a = insn->arg[0], b = insn->arg[1];
    order_operands(g, &a, &b);
    unsigned size = op_size(insn);
    if (insn->op == OP_AND && is_const(g, b)) {
        uint64_t k = (uint64_t)const_value(g, b);
        if (insn->type == TY_I64 && k == 0xffffffff) {
            int ra = use_gpr(g, a);
            emit_mov_rr(g->c, 4, (unsigned)def_gpr(g), (unsigned)ra);
            return;
        }
        if (k <= 0x7fffffff)
            size = 4; /* clears the upper half just the same */
    }
    bool zx = is_zx(g, a) && is_zx(g, b);
    two_address(g, (AluOp)alu_of[insn->op - OP_AND], size, a, b);
    set_zx(g, insn);
    if (zx)
        g->val[i].flags |= VF_ZX;
}

/** Result = [m] by LEA. */
static void def_lea(Cg *g, unsigned size, HMem m)
{
    emit_lea(g->c, size, (unsigned)def_gpr(g), &m);
}

/** a + imm. */
static void add_imm(Cg *g, unsigned size, IrRef a, int32_t imm)
{
    int ra = use_gpr(g, a);
    int h = g->val[g->now].hint;
    bool in_place = h == ra || (h == H_NONE && g->val[a].reg >= 0 && dies_now(g, a));
    if (in_place && !cc_busy(g)) {
        int d = def_from(g, a, 0);
        cc_clobber(g);
        emit_alu_ri(g->c, ALU_ADD, size, (unsigned)d, imm);
        return;
    }
    def_lea(g, size, (HMem){ (int8_t)ra, H_NONE, 0, false, imm });
}

void gen_add(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    IrRef a = insn->arg[0], b = insn->arg[1];
    unsigned size = op_size(insn);
    order_operands(g, &a, &b);
    set_zx(g, insn);
    int64_t imm;
    HMem m;
    if (const_imm(g, b, &imm)) {
        add_imm(g, size, a, (int32_t)imm);
    } else if (!cc_busy(g) && ((dies_now(g, a) && g->val[a].reg >= 0) || mem_of_val(g, b, &m) ||
                               (g->val[i].hint != H_NONE && reg_now(g, a) == g->val[i].hint))) {
        two_address(g, ALU_ADD, size, a, b);
    } else {
        int ra = use_gpr(g, a), rb = use_gpr(g, b);
        def_lea(g, size, (HMem){ (int8_t)ra, (int8_t)rb, 0, false, 0 });
    }
}

void gen_sub(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    unsigned size = op_size(insn);
    int64_t imm;
    set_zx(g, insn);
    if (const_imm(g, insn->arg[1], &imm) && imm != INT32_MIN) {
        add_imm(g, size, insn->arg[0], (int32_t)-imm);
        return;
    }
    two_address(g, ALU_SUB, size, insn->arg[0], insn->arg[1]);
}

void gen_mul(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    IrRef a = insn->arg[0], b = insn->arg[1];
    unsigned size = op_size(insn);
    order_operands(g, &a, &b);
    set_zx(g, insn);
    int64_t imm;
    if (const_imm(g, b, &imm)) {
        int ra = use_gpr(g, a);
        cc_clobber(g);
        int d = def_gpr(g);
        emit_rr(g->c, fits_i8(imm) ? 0x6b : 0x69, size, (unsigned)d, (unsigned)ra);
        emit_imm(g->c, fits_i8(imm) ? 1 : 4, imm);
        return;
    }
    HMem m;
    if (insn->type >= TY_I32 && mem_of_val(g, b, &m)) {
        int d = def_from(g, a, mem_regs(&m));
        cc_clobber(g);
        emit_rm(g->c, O_IMUL, size, (unsigned)d, &m);
        return;
    }
    int rb = use_gpr(g, b);
    int d = def_from(g, a, a == b ? 0 : 1u << rb);
    cc_clobber(g);
    emit_rr(g->c, O_IMUL, size, (unsigned)d, a == b ? (unsigned)d : (unsigned)rb);
}

/** Extend register @p r, whose low @p bytes count, to 64 bits. */
static void extend(Cg *g, bool sign, unsigned bytes, int d, int s)
{
    static const unsigned sx[5] = { 0, O_MOVSX8, O_MOVSX16, 0, O_MOVSXD };
    static const unsigned zx[5] = { 0, O_MOVZX8, O_MOVZX16, 0, O_MOV_LOAD };
    emit_rr(g->c, sign ? sx[bytes] : zx[bytes], sign ? 8 : 4, (unsigned)d, (unsigned)s);
}

static void mulh_narrow(Cg *g, const IrInsn *insn, bool sign)
{
    unsigned bytes = size_of((IrType)insn->type);
    int d = tmp_gpr(g), t = tmp_gpr(g);
    copy_gpr(g, d, insn->arg[0]);
    copy_gpr(g, t, insn->arg[1]);
    cc_clobber(g);
    extend(g, sign, bytes, d, d);
    extend(g, sign, bytes, t, t);
    emit_rr(g->c, O_IMUL, 8, (unsigned)d, (unsigned)t);
    emit_shift_ri(g->c, SH_SHR, 8, (unsigned)d, bytes * 8);
    tmp_free(g, t);
    def_is(g, d);
}

/** High half of 64 x 64 bits: RAX and RDX are borrowed, operands go through memory. */
void gen_mulh(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    bool sign = insn->op == OP_MULHS;
    if (insn->type != TY_I64) {
        mulh_narrow(g, insn, sign);
        return;
    }
    HMem ma = SCRATCH(0), mb = SCRATCH(1), mrax = SCRATCH(2), mrdx = SCRATCH(3);
    emit_store(g->c, 8, (unsigned)use_gpr(g, insn->arg[0]), &ma);
    emit_store(g->c, 8, (unsigned)use_gpr(g, insn->arg[1]), &mb);
    cc_clobber(g);
    g->locked = 0;
    int d = tmp_gpr(g);
    emit_store(g->c, 8, H_RAX, &mrax);
    emit_store(g->c, 8, H_RDX, &mrdx);
    emit_rm(g->c, O_MOV_LOAD, 8, H_RAX, &ma);
    emit_rm(g->c, O_GROUP3, 8, sign ? 5 : 4, &mb);
    emit_store(g->c, 8, H_RDX, &ma);
    emit_rm(g->c, O_MOV_LOAD, 8, H_RAX, &mrax);
    emit_rm(g->c, O_MOV_LOAD, 8, H_RDX, &mrdx);
    emit_rm(g->c, O_MOV_LOAD, 8, (unsigned)d, &ma);
    def_is(g, d);
}

void gen_not_neg(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    if (is_vec((IrType)insn->type)) {
        gen_vec(g, i);
        return;
    }
    int d = def_from(g, insn->arg[0], 0);
    set_zx(g, insn);
    if (insn->type == TY_I1) {
        cc_clobber(g);
        emit_alu_ri(g->c, ALU_XOR, 4, (unsigned)d, 1);
        return;
    }
    if (insn->op == OP_NEG)
        cc_clobber(g);
    emit_group3(g->c, insn->op == OP_NEG ? 3 : 2, op_size(insn), (unsigned)d);
}

/* ---- shifts ---- */

static void shift_by_const(Cg *g, const IrInsn *insn, ShiftOp op, unsigned size, unsigned n)
{
    int d = def_from(g, insn->arg[0], 0);
    if (n == 0) {
        g->val[g->now].flags &= (uint8_t)~VF_ZX; /* a copy of all 64 bits */
        return;
    }
    cc_clobber(g);
    emit_shift_ri(g->c, op, size, (unsigned)d, n);
}

/** SHLX and so on: no flags, any count register. */
static void shift_bmi2(Cg *g, const IrInsn *insn, ShiftOp op)
{
    unsigned bytes = size_of((IrType)insn->type), size = bytes == 8 ? 8 : 4;
    unsigned opc = 0xf7 | O_0F38 | (op == SH_SHL ? O_66 : op == SH_SHR ? O_F2 : O_F3);
    int n = use_gpr(g, insn->arg[1]), a = use_gpr(g, insn->arg[0]);
    int d;
    if (bytes < 4 && op != SH_SHL) {
        d = tmp_gpr(g);
        extend(g, op == SH_SAR, bytes, d, a);
        a = d;
        def_is(g, d);
    } else {
        d = def_gpr(g);
    }
    emit_vex_rr(g->c, opc, size == 8, 16, (unsigned)d, (unsigned)n, (unsigned)a);
}

static void shift_by_cl(Cg *g, const IrInsn *insn, ShiftOp op, unsigned size)
{
    HMem count = SCRATCH(7), save = SCRATCH(6);
    emit_store(g->c, 8, (unsigned)use_gpr(g, insn->arg[1]), &count);
    int d = tmp_gpr(g);
    copy_gpr(g, d, insn->arg[0]);
    cc_clobber(g);
    if (d == H_RCX) {
        int u = tmp_gpr(g);
        emit_mov(g->c, (unsigned)u, H_RCX);
        d = u;
    }
    emit_store(g->c, 8, H_RCX, &save);
    emit_rm(g->c, O_MOV_LOAD, 8, H_RCX, &count);
    emit_shift_cl(g->c, op, size, (unsigned)d);
    emit_rm(g->c, O_MOV_LOAD, 8, H_RCX, &save);
    def_is(g, d);
}

void gen_shift(Cg *g, IrRef i)
{
    static const uint8_t shift_of[] = { SH_SHL, SH_SHR, SH_SAR, SH_ROL, SH_ROR };
    const IrInsn *insn = insn_of(g, i);
    ShiftOp op = (ShiftOp)shift_of[insn->op - OP_SHL];
    unsigned bytes = size_of((IrType)insn->type), size = op == SH_SHL && bytes < 4 ? 4 : bytes;
    IrRef n = insn->arg[1];
    set_zx(g, insn);
    if (is_const(g, n))
        shift_by_const(g, insn, op, size, (unsigned)insn_of(g, n)->imm & (bytes * 8 - 1));
    else if (host_cpu.bmi2 && op >= SH_SHL)
        shift_bmi2(g, insn, op);
    else
        shift_by_cl(g, insn, op, size);
}

void gen_bswap(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    int d = def_from(g, insn->arg[0], 0);
    set_zx(g, insn);
    if (insn->type == TY_I16) {
        cc_clobber(g);
        emit_shift_ri(g->c, SH_ROL, 2, (unsigned)d, 8);
        return;
    }
    unsigned rex = (insn->type == TY_I64 ? 8 : 0) | (unsigned)d >> 3;
    if (rex)
        code_u8(g->c, 0x40 | rex);
    code_u8(g->c, 0x0f);
    code_u8(g->c, 0xc8 | (d & 7));
}

/* ---- counting bits ---- */

/** Leading zeros in @p size (4, 8) bytes without LZCNT: BSR leaves its result open for zero. */
static void clz_by_bsr(Cg *g, unsigned size, int d, int t)
{
    unsigned w = size * 8;
    emit_rr(g->c, O_BSR, size, (unsigned)d, (unsigned)d);
    emit_mov_imm(g->c, (unsigned)t, 2 * w - 1);
    emit_rr(g->c, O_CMOV | CC_E, size, (unsigned)d, (unsigned)t);
    emit_alu_ri(g->c, ALU_XOR, size, (unsigned)d, w - 1);
}

static void ctz_by_bsf(Cg *g, unsigned size, int d, int t)
{
    emit_rr(g->c, O_BSF, size, (unsigned)d, (unsigned)d);
    emit_mov_imm(g->c, (unsigned)t, size * 8);
    emit_rr(g->c, O_CMOV | CC_E, size, (unsigned)d, (unsigned)t);
}

void gen_bitcount(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    unsigned bytes = size_of((IrType)insn->type), size = bytes == 8 ? 8 : 4;
    int ra = use_gpr(g, insn->arg[0]);
    int d = tmp_gpr(g), t = tmp_gpr(g);
    cc_clobber(g);
    if (bytes < 4)
        extend(g, false, bytes, d, ra);
    else
        emit_mov_rr(g->c, size, (unsigned)d, (unsigned)ra);
    if (insn->op == OP_POPCNT) {
        emit_rr(g->c, O_POPCNT, size, (unsigned)d, (unsigned)d);
    } else if (insn->op == OP_CLZ) {
        if (host_cpu.lzcnt)
            emit_rr(g->c, O_LZCNT, size, (unsigned)d, (unsigned)d);
        else
            clz_by_bsr(g, size, d, t);
        if (bytes < 4)
            emit_alu_ri(g->c, ALU_SUB, 4, (unsigned)d, 32 - bytes * 8);
    } else {
        if (bytes < 4)
            emit_alu_ri(g->c, ALU_OR, 4, (unsigned)d, 1 << (bytes * 8));
        if (host_cpu.bmi1)
            emit_rr(g->c, O_TZCNT, size, (unsigned)d, (unsigned)d);
        else
            ctz_by_bsf(g, size, d, t);
    }
    tmp_free(g, t);
    def_is(g, d);
    g->val[i].flags |= VF_ZX;
}

/* ---- conversions ---- */

static void gen_trunc(Cg *g, IrRef i, const IrInsn *insn)
{
    IrRef a = insn->arg[0];
    const Val *x = &g->val[a];
    if (insn->type == TY_I1) {
        int d = def_from(g, a, 0);
        cc_clobber(g);
        emit_alu_ri(g->c, ALU_AND, 4, (unsigned)d, 1);
        return;
    }
    if (x->alias != RX_NONE && !is_const(g, a))
        def_alias(g, i, x->alias);
    else
        def_from(g, a, 0);
}

void gen_convert(Cg *g, IrRef i)
{
    const IrInsn *insn = insn_of(g, i);
    if (insn->op == OP_TRUNC) {
        gen_trunc(g, i, insn);
        return;
    }
    IrRef a = insn->arg[0];
    bool sign = insn->op == OP_SEXT;
    unsigned from = size_of(type_of(g, a));
    if (!sign && (g->val[a].flags & VF_ZX) && g->val[a].reg >= 0) {
        def_from(g, a, 0);
    } else {
        HMem m;
        unsigned opc = sign ? (unsigned[]){ 0, O_MOVSX8, O_MOVSX16, 0, O_MOVSXD }[from]
                            : (unsigned[]){ 0, O_MOVZX8, O_MOVZX16, 0, O_MOV_LOAD }[from];
        bool is_i1 = type_of(g, a) == TY_I1 && sign;
        if (is_i1)
            opc = O_MOVZX8;
        unsigned size = sign && insn->type == TY_I64 && !is_i1 ? 8 : 4;
        if (mem_of_val(g, a, &m)) {
            emit_rm(g->c, opc, size, (unsigned)def_gpr(g), &m);
        } else {
            int ra = use_gpr(g, a);
            emit_rr(g->c, opc, size, (unsigned)def_gpr(g), (unsigned)ra);
        }
        if (is_i1) {
            cc_clobber(g);
            emit_group3(g->c, 3, 8, (unsigned)g->val[i].reg);
        }
    }
    if (!sign)
        g->val[i].flags |= VF_ZX;
}
