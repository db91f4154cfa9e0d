/* SPDX-License-Identifier: MIT */
/*
 * Vector values.  In non-pinned modes those that fit a host vector register live in one; wider
 * ones, and in pinned modes (where all vector registers are the guest's) all of them, live in
 * spill slots and are worked on piece by piece in borrowed registers.
 */
#include "codegen.h"


/* ---- moves of whole registers ---- */

void emit_vec_load(Cg *g, unsigned bytes, unsigned x, const HMem *m)
{
    if (bytes == 64)
        emit_evex_movups(g->c, 0x10, x, m);
    else if (host_cpu.avx)
        emit_vex_rm(g->c, 0x10 | O_0F, 0, bytes, x, 0, m);
    else
        emit_sse_rm(g->c, 0x10 | O_0F, 0, x, m);
}

void emit_vec_store(Cg *g, unsigned bytes, unsigned x, const HMem *m)
{
    if (bytes == 64)
        emit_evex_movups(g->c, 0x11, x, m);
    else if (host_cpu.avx)
        emit_vex_rm(g->c, 0x11 | O_0F, 0, bytes, x, 0, m);
    else
        emit_sse_rm(g->c, 0x11 | O_0F, 0, x, m);
}

void emit_vec_mov(Cg *g, unsigned dst, unsigned src)
{
    if (host_cpu.avx)
        emit_vex_rr(g->c, 0x28 | O_0F, 0, host_cpu.avx2 ? 32 : 16, dst, 0, src);
    else
        emit_sse_rr(g->c, 0x28 | O_0F, 0, dst, src);
}

/** Widest vector that lives in a register of this mode; 0: none. */
static unsigned reg_bytes(const Cg *g)
{
    return g->pinned ? 0 : host_cpu.avx2 ? 32 : 16;
}

/** Size of the pieces that wide values are worked on in. */
static unsigned piece_bytes(void) { return host_cpu.avx2 ? 32 : 16; }

static bool is_wide(const Cg *g, IrType t) { return ir_type_size(t) > reg_bytes(g); }

/* ---- one operation on registers ---- */

/** d = a op b with opcode @p opc; without AVX d must not be b. */
static void emit_op(Cg *g, unsigned opc, unsigned bytes, unsigned d, unsigned a, unsigned b)
{
    if (host_cpu.avx) {
        emit_vex_rr(g->c, opc, 0, bytes, d, a, b);
        return;
    }
    if (d != a)
        emit_sse_rr(g->c, 0x28 | O_0F, 0, d, a);
    emit_sse_rr(g->c, opc, 0, d, b);
}

/** Shift of all lanes by a constant: opcode and /digit. */
static void emit_shift(Cg *g, unsigned opc, unsigned digit, unsigned bytes, unsigned d, unsigned a,
                       unsigned n)
{
    if (host_cpu.avx) {
        emit_vex_rr(g->c, opc, 0, bytes, digit, d, a);
    } else {
        if (d != a)
            emit_sse_rr(g->c, 0x28 | O_0F, 0, d, a);
        emit_sse_rr(g->c, opc, 0, digit, d);
    }
    code_u8(g->c, n);
}

enum {
    V_PAND = 0xdb | O_0F | O_66, V_POR = 0xeb | O_0F | O_66, V_PXOR = 0xef | O_0F | O_66,
    V_PCMPEQD = 0x76 | O_0F | O_66, V_PTEST = 0x17 | O_0F38 | O_66
};

/** Opcodes by lane width. */
static const uint16_t lane_opc[][4] = {
#define ROW(a, b, c, d) { (a) | O_66, (b) | O_66, (c) | O_66, (d) | O_66 }
    [OP_LADD - OP_LADD] = ROW(0xfc | O_0F, 0xfd | O_0F, 0xfe | O_0F, 0xd4 | O_0F),
    [OP_LSUB - OP_LADD] = ROW(0xf8 | O_0F, 0xf9 | O_0F, 0xfa | O_0F, 0xfb | O_0F),
    [OP_LCMPEQ - OP_LADD] = ROW(0x74 | O_0F, 0x75 | O_0F, 0x76 | O_0F, 0x29 | O_0F38),
    [OP_LCMPGTS - OP_LADD] = ROW(0x64 | O_0F, 0x65 | O_0F, 0x66 | O_0F, 0x37 | O_0F38),
    [OP_LNEZ - OP_LADD] = ROW(0x74 | O_0F, 0x75 | O_0F, 0x76 | O_0F, 0x29 | O_0F38),
    [OP_LSHLI - OP_LADD] = ROW(0, 0x71 | O_0F, 0x72 | O_0F, 0x73 | O_0F),
    [OP_LSHRI - OP_LADD] = ROW(0, 0x71 | O_0F, 0x72 | O_0F, 0x73 | O_0F),
    [OP_LSARI - OP_LADD] = ROW(0, 0x71 | O_0F, 0x72 | O_0F, 0),
#undef ROW
};

/** d = op(a, b), registers; t: scratch, neither a nor b nor d. */
static void emit_lane_op(Cg *g, const IrInsn *i, unsigned bytes, unsigned d, unsigned a,
                         unsigned b, unsigned t)
{
    static const uint8_t shift_digit[] = { 6, 2, 4 };
    switch (i->op) {
    case OP_AND:
        emit_op(g, V_PAND, bytes, d, a, b);
        return;
    case OP_OR:
        emit_op(g, V_POR, bytes, d, a, b);
        return;
    case OP_XOR:
        emit_op(g, V_PXOR, bytes, d, a, b);
        return;
    case OP_NOT:
        emit_op(g, V_PCMPEQD, bytes, t, t, t);
        emit_op(g, V_PXOR, bytes, d, a, t);
        return;
    case OP_LSHLI:
    case OP_LSHRI:
    case OP_LSARI: {
        unsigned n = i->imm < 64 ? (unsigned)i->imm : 64;
        emit_shift(g, lane_opc[i->op - OP_LADD][i->sub], shift_digit[i->op - OP_LSHLI], bytes, d,
                   a, n);
        return;
    }
    case OP_LNEZ:
        /* not (lane == 0) */
        emit_op(g, V_PXOR, bytes, t, t, t);
        emit_op(g, lane_opc[OP_LNEZ - OP_LADD][i->sub], bytes, d, a, t);
        emit_op(g, V_PCMPEQD, bytes, t, t, t);
        emit_op(g, V_PXOR, bytes, d, d, t);
        return;
    }
    emit_op(g, lane_opc[i->op - OP_LADD][i->sub], bytes, d, a, b);
}

void vec_const(Cg *g, unsigned bytes, unsigned x, uint64_t v)
{
    if (v == 0) {
        emit_op(g, V_PXOR, bytes, x, x, x);
        return;
    }
    if (v == ~0ull) {
        emit_op(g, V_PCMPEQD, bytes, x, x, x);
        return;
    }
    int t = tmp_gpr(g);
    emit_mov_imm(g->c, (unsigned)t, v);
    HMem m = mem_state((int32_t)offsetof(VexState, scratch));
    for (unsigned k = 0; k < bytes / 8; k++) {
        m.disp = (int32_t)offsetof(VexState, scratch) + (int32_t)k * 8;
        emit_store(g->c, 8, (unsigned)t, &m);
    }
    tmp_free(g, t);
    m.disp = (int32_t)offsetof(VexState, scratch);
    emit_vec_load(g, bytes, x, &m);
}

/* ---- borrowed registers ---- */

/** Vector registers for the time of one instruction. */
typedef struct Borrow {
    unsigned x[3], n;
    int slot; /**< where the guest's contents wait in pinned modes, else -1 */
} Borrow;

static Borrow borrow(Cg *g, unsigned n)
{
    Borrow b = { .n = n, .slot = -1 };
    if (!g->pinned) {
        for (unsigned k = 0; k < n; k++)
            b.x[k] = (unsigned)tmp_vec(g) - H_XMM0;
        return b;
    }
    b.slot = slot_alloc(g, 2 * n);
    for (unsigned k = 0; k < n; k++) {
        b.x[k] = 15 - k;
        HMem m = slot_mem(b.slot + 2 * (int)k);
        emit_vec_store(g, host_cpu.vec_bytes, b.x[k], &m);
    }
    return b;
}

static void give_back(Cg *g, Borrow b)
{
    if (b.slot < 0)
        return;
    for (unsigned k = 0; k < b.n; k++) {
        HMem m = slot_mem(b.slot + 2 * (int)k);
        emit_vec_load(g, host_cpu.vec_bytes, b.x[k], &m);
    }
    slot_free(g, b.slot, 2 * b.n);
}

/* ---- wide values ---- */

/** The result gets slots of its own. */
static HMem def_wide(Cg *g)
{
    Val *x = &g->val[g->now];
    unsigned n = g->insn[g->now].type == TY_V512 ? 2 : 1;
    x->slot = (int16_t)slot_alloc(g, n);
    x->flags |= VF_WIDE;
    return slot_mem(x->slot);
}

/** Where the bytes of @p v at @p off are in memory; constants are not. */
static HMem piece(Cg *g, IrRef v, unsigned off)
{
    const Val *x = &g->val[v];
    HMem m;
    if (x->reg >= H_XMM0) {
        /* a narrow one in a register: through its slot */
        if (x->slot < 0) {
            g->val[v].slot = (int16_t)slot_alloc(g, 1);
            m = slot_mem(x->slot);
            emit_vec_store(g, ir_type_size(type_of(g, v)), (unsigned)x->reg - H_XMM0, &m);
        }
        m = slot_mem(x->slot);
    } else if (x->slot >= 0) {
        m = slot_mem(x->slot);
    } else {
        CHECK(x->alias != RX_NONE, "vector value %u is nowhere", v);
        m = mem_state(rx_offset(x->alias));
    }
    m.disp += (int32_t)off;
    return m;
}

static void load_piece(Cg *g, IrRef v, unsigned off, unsigned bytes, unsigned x)
{
    if (is_const(g, v)) {
        vec_const(g, bytes, x, g->insn[v].imm);
        return;
    }
    HMem m = piece(g, v, off);
    emit_vec_load(g, bytes, x, &m);
}

/** Copy @p bytes (a multiple of 8) between memory operands through a general register. */
static void copy_words(Cg *g, HMem to, HMem from, unsigned bytes)
{
    int t = tmp_gpr(g);
    for (unsigned off = 0; off < bytes; off += 8) {
        emit_rm(g->c, O_MOV_LOAD, 8, (unsigned)t, &from);
        emit_store(g->c, 8, (unsigned)t, &to);
        from.disp += 8;
        to.disp += 8;
    }
    tmp_free(g, t);
}

void vec_move_away(Cg *g, IrRef v)
{
    Val *x = &g->val[v];
    if (!is_wide(g, type_of(g, v))) {
        g->locked &= ~(1u << (use_vec(g, v) + H_XMM0));
        return;
    }
    HMem from = mem_state(rx_offset(x->alias));
    x->slot = (int16_t)slot_alloc(g, type_of(g, v) == TY_V512 ? 2 : 1);
    x->flags |= VF_WIDE;
    copy_words(g, slot_mem(x->slot), from, ir_type_size(type_of(g, v)));
}

static void at(HMem *m, int32_t base, unsigned off) { m->disp = base + (int32_t)off; }

static void wide_lanes(Cg *g, const IrInsn *i)
{
    unsigned size = ir_type_size((IrType)i->type), step = piece_bytes();
    if (step > size)
        step = size;
    HMem d = def_wide(g);
    Borrow b = borrow(g, 3);
    for (unsigned off = 0; off < size; off += step) {
        load_piece(g, i->arg[0], off, step, b.x[0]);
        if (ir_op_nargs((IrOp)i->op) > 1)
            load_piece(g, i->arg[1], off, step, b.x[1]);
        emit_lane_op(g, i, step, b.x[0], b.x[0], b.x[1], b.x[2]);
        HMem m = d;
        at(&m, d.disp, off);
        emit_vec_store(g, step, b.x[0], &m);
    }
    give_back(g, b);
}

static void store_words(Cg *g, HMem to, uint64_t v, unsigned bytes)
{
    bool imm = fits_i32((int64_t)v);
    int t = imm ? H_NONE : tmp_gpr(g);
    if (!imm)
        emit_mov_imm(g->c, (unsigned)t, v);
    for (unsigned off = 0; off < bytes; off += 8, to.disp += 8) {
        if (imm)
            emit_store_imm(g->c, 8, (int64_t)v, &to);
        else
            emit_store(g->c, 8, (unsigned)t, &to);
    }
    if (!imm)
        tmp_free(g, t);
}

/** Write @p v, whatever it is, to memory at @p to. */
static void value_to_mem(Cg *g, HMem to, IrRef v)
{
    IrType t = type_of(g, v);
    if (is_const(g, v) && ir_type_size(t) >= 8)
        store_words(g, to, g->insn[v].imm, ir_type_size(t));
    else if (!is_vec(t))
        emit_store(g->c, size_of(t), (unsigned)use_gpr(g, v), &to);
    else
        copy_words(g, to, piece(g, v, 0), ir_type_size(t));
}

/** Conversions whose result or argument is in slots: by words. */
static void wide_convert(Cg *g, const IrInsn *i)
{
    IrRef a = i->arg[0];
    unsigned size = ir_type_size((IrType)i->type), from = size_of(type_of(g, a));
    if (i->op == OP_VGET64) {
        int d = is_const(g, a) ? tmp_gpr(g) : H_NONE;
        if (d != H_NONE) {
            emit_mov_imm(g->c, (unsigned)d, g->insn[a].imm);
            def_is(g, d);
            return;
        }
        HMem m = piece(g, a, (unsigned)i->imm * 8);
        emit_rm(g->c, O_MOV_LOAD, 8, (unsigned)def_gpr(g), &m);
        return;
    }
    HMem d = def_wide(g);
    HMem up = d;
    at(&up, d.disp, from);
    switch (i->op) {
    case OP_VHALF:
        if (is_const(g, a))
            store_words(g, d, g->insn[a].imm, size);
        else
            copy_words(g, d, piece(g, a, (unsigned)i->imm * size), size);
        return;
    case OP_VZEXT:
        if (from < 8)
            store_words(g, d, 0, 8);
        at(&up, d.disp, from < 8 ? 8 : from);
        value_to_mem(g, d, a);
        store_words(g, up, 0, size - (from < 8 ? 8 : from));
        return;
    default: /* VMAKE64, VJOIN */
        value_to_mem(g, d, a);
        value_to_mem(g, up, i->arg[1]);
    }
}

/* ---- narrow values in registers ---- */

static void narrow_lanes(Cg *g, const IrInsn *i)
{
    unsigned bytes = ir_type_size((IrType)i->type);
    unsigned a = (unsigned)use_vec(g, i->arg[0]), b = a;
    if (ir_op_nargs((IrOp)i->op) > 1)
        b = (unsigned)use_vec(g, i->arg[1]);
    unsigned d = (unsigned)def_vec(g);
    bool wants_tmp = i->op == OP_NOT || i->op == OP_LNEZ;
    int t = wants_tmp ? tmp_vec(g) : H_XMM0;
    emit_lane_op(g, i, bytes, d, a, b, (unsigned)t - H_XMM0);
}

/** movd/movq between register files: 66 REX.W 0F 6E (to vector), 7E (from). */
static void emit_movq(Cg *g, unsigned opc, unsigned w, unsigned x, unsigned r)
{
    if (host_cpu.avx)
        emit_vex_rr(g->c, opc | O_0F | O_66, w, 16, x, 0, r);
    else
        emit_sse_rr(g->c, opc | O_0F | O_66, w, x, r);
}

/** Extract 64-bit lane 1 to a general register: PEXTRQ. */
static void emit_pextrq(Cg *g, unsigned r, unsigned x, unsigned lane)
{
    if (host_cpu.avx)
        emit_vex_rr(g->c, 0x16 | O_0F3A | O_66, 1, 16, x, 0, r);
    else
        emit_sse_rr(g->c, 0x16 | O_0F3A | O_66, 1, x, r);
    code_u8(g->c, lane);
}

static void emit_half(Cg *g, unsigned d, unsigned a, unsigned half)
{
    if (half == 0) {
        emit_vex_rr(g->c, 0x28 | O_0F, 0, 16, d, 0, a);
        return;
    }
    emit_vex_rr(g->c, 0x39 | O_0F3A | O_66, 0, 32, a, 0, d); /* vextracti128 */
    code_u8(g->c, half);
}

static void narrow_vget(Cg *g, const IrInsn *i)
{
    unsigned a = (unsigned)use_vec(g, i->arg[0]), lane = (unsigned)i->imm;
    unsigned d = (unsigned)def_gpr(g);
    if (lane >= 2) {
        int t = tmp_vec(g);
        emit_half(g, (unsigned)t - H_XMM0, a, 1);
        a = (unsigned)t - H_XMM0;
        lane -= 2;
    }
    if (lane == 0)
        emit_movq(g, 0x7e, 1, a, d);
    else
        emit_pextrq(g, d, a, lane);
}

static void narrow_zext(Cg *g, const IrInsn *i)
{
    IrRef a = i->arg[0];
    if (is_vec(type_of(g, a))) {
        unsigned x = (unsigned)use_vec(g, a);
        unsigned d = (unsigned)def_vec(g);
        emit_vex_rr(g->c, 0x28 | O_0F, 0, 16, d, 0, x); /* clears the upper half */
        return;
    }
    unsigned r = (unsigned)use_gpr(g, a);
    emit_movq(g, 0x6e, type_of(g, a) == TY_I64, (unsigned)def_vec(g), r);
}

static void narrow_make(Cg *g, const IrInsn *i)
{
    unsigned lo = (unsigned)use_gpr(g, i->arg[0]), hi = (unsigned)use_gpr(g, i->arg[1]);
    unsigned d = (unsigned)def_vec(g);
    emit_movq(g, 0x6e, 1, d, lo);
    if (host_cpu.avx)
        emit_vex_rr(g->c, 0x22 | O_0F3A | O_66, 1, 16, d, d, hi);
    else
        emit_sse_rr(g->c, 0x22 | O_0F3A | O_66, 1, d, hi);
    code_u8(g->c, 1);
}

static void narrow_join(Cg *g, const IrInsn *i)
{
    unsigned lo = (unsigned)use_vec(g, i->arg[0]), hi = (unsigned)use_vec(g, i->arg[1]);
    emit_vex_rr(g->c, 0x38 | O_0F3A | O_66, 0, 32, (unsigned)def_vec(g), lo, hi);
    code_u8(g->c, 1);
}

static void narrow_half(Cg *g, const IrInsn *i)
{
    unsigned a = (unsigned)use_vec(g, i->arg[0]);
    emit_half(g, (unsigned)def_vec(g), a, (unsigned)i->imm);
}

void gen_vec(Cg *g, IrRef ref)
{
    const IrInsn *i = insn_of(g, ref);
    bool convert = i->op >= OP_VGET64;
    IrType t = convert && i->op != OP_VZEXT && i->op != OP_VJOIN && i->op != OP_VMAKE64
        ? type_of(g, i->arg[0]) : (IrType)i->type;
    if (is_wide(g, t)) {
        if (convert && !(i->op == OP_VHALF && !is_wide(g, (IrType)i->type)))
            wide_convert(g, i);
        else if (convert)
            load_piece(g, i->arg[0], (unsigned)i->imm * ir_type_size((IrType)i->type),
                       ir_type_size((IrType)i->type), (unsigned)def_vec(g));
        else
            wide_lanes(g, i);
        return;
    }
    switch (i->op) {
    case OP_VGET64:
        narrow_vget(g, i);
        break;
    case OP_VMAKE64:
        narrow_make(g, i);
        break;
    case OP_VHALF:
        narrow_half(g, i);
        break;
    case OP_VJOIN:
        narrow_join(g, i);
        break;
    case OP_VZEXT:
        narrow_zext(g, i);
        break;
    default:
        narrow_lanes(g, i);
    }
}

/** Word by word with CMOV: memory operands do not disturb EFLAGS. */
static void wide_select(Cg *g, const IrInsn *i)
{
    IrRef a = i->arg[1];
    HMem d = def_wide(g), from = { 0 };
    value_to_mem(g, d, i->arg[2]);
    if (!is_const(g, a))
        from = piece(g, a, 0);
    unsigned cc = cond_to_eflags(g, i->arg[0]);
    g->locked = 0;
    int t = tmp_gpr(g), k = is_const(g, a) ? tmp_gpr(g) : H_NONE;
    if (k != H_NONE)
        emit_mov_imm(g->c, (unsigned)k, g->insn[a].imm);
    for (unsigned off = 0; off < ir_type_size((IrType)i->type); off += 8) {
        emit_rm(g->c, O_MOV_LOAD, 8, (unsigned)t, &d);
        if (k != H_NONE)
            emit_rr(g->c, O_CMOV | cc, 8, (unsigned)t, (unsigned)k);
        else
            emit_rm(g->c, O_CMOV | cc, 8, (unsigned)t, &from);
        emit_store(g->c, 8, (unsigned)t, &d);
        d.disp += 8;
        from.disp += 8;
    }
}

void gen_vec_select(Cg *g, IrRef ref)
{
    const IrInsn *i = insn_of(g, ref);
    if (is_wide(g, (IrType)i->type)) {
        wide_select(g, i);
        return;
    }
    unsigned a = (unsigned)use_vec(g, i->arg[1]), b = (unsigned)use_vec(g, i->arg[2]);
    unsigned cc = cond_to_eflags(g, i->arg[0]);
    unsigned d = (unsigned)def_vec(g);
    emit_vec_mov(g, d, a);
    uint8_t *skip = emit_jcc_short(g->c, cc);
    emit_vec_mov(g, d, b);
    patch_short(g->c, skip);
}

void vec_equal_to_eflags(Cg *g, IrRef a, IrRef b)
{
    unsigned size = ir_type_size(type_of(g, a));
    Borrow w = borrow(g, 3);
    unsigned step = size < piece_bytes() ? size : piece_bytes();
    for (unsigned off = 0; off < size; off += step) {
        unsigned acc = off ? w.x[2] : w.x[0];
        load_piece(g, a, off, step, acc);
        load_piece(g, b, off, step, w.x[1]);
        emit_op(g, V_PXOR, step, acc, acc, w.x[1]);
        if (off)
            emit_op(g, V_POR, step, w.x[0], w.x[0], acc);
    }
    cc_clobber(g);
    if (host_cpu.avx)
        emit_vex_rr(g->c, V_PTEST, 0, step, w.x[0], 0, w.x[0]);
    else
        emit_sse_rr(g->c, V_PTEST, 0, w.x[0], w.x[0]);
    give_back(g, w);
}

/* ---- registers of the guest ---- */

/** Move between a slot and the pinned register; the low @p bytes only. */
static void pinned_to_slot(Cg *g, unsigned bytes, unsigned x, const HMem *m)
{
    emit_vec_store(g, bytes < host_cpu.vec_bytes ? bytes : host_cpu.vec_bytes, x, m);
}

/** KMOVQ between general and mask registers: 0x93 to general, 0x92 from. */
static void emit_kmovq(Cg *g, unsigned opc, unsigned reg, unsigned rm)
{
    emit_vex_rr(g->c, opc | O_0F | O_F2, 1, 16, reg, 0, rm);
}

/** Registers that only EVEX reaches go through their stale places in the state. */
static void avx512_get(Cg *g, const IrInsn *i, uint8_t rx)
{
    if (rx <= AMD64_K7) {
        emit_kmovq(g, 0x93, (unsigned)def_gpr(g), rx - AMD64_K0);
        return;
    }
    HMem home = mem_state(rx_offset(rx));
    emit_evex_movups(g->c, 0x11, rx - AMD64_V0, &home);
    if (is_vec((IrType)i->type))
        copy_words(g, def_wide(g), home, ir_type_size((IrType)i->type));
    else
        emit_rm(g->c, O_MOV_LOAD, 8, (unsigned)def_gpr(g), &home);
}

static void avx512_put(Cg *g, IrRef v, uint8_t rx)
{
    if (rx <= AMD64_K7) {
        emit_kmovq(g, 0x92, rx - AMD64_K0, (unsigned)use_gpr(g, v));
        return;
    }
    HMem home = mem_state(rx_offset(rx));
    emit_evex_movups(g->c, 0x11, rx - AMD64_V0, &home);
    value_to_mem(g, home, v);
    emit_evex_movups(g->c, 0x10, rx - AMD64_V0, &home);
}

void gen_vec_get(Cg *g, IrRef ref)
{
    const IrInsn *i = insn_of(g, ref);
    uint8_t rx = rx_of(i->aux);
    int h = rx_home(g, rx);
    if (is_avx512_home(g, rx)) {
        avx512_get(g, i, rx);
        return;
    }
    if (h < H_XMM0) {
        def_alias(g, ref, rx);
        return;
    }
    unsigned x = (unsigned)h - H_XMM0, bytes = ir_type_size((IrType)i->type);
    if (!is_vec((IrType)i->type)) {
        emit_movq(g, 0x7e, 1, x, (unsigned)def_gpr(g));
        return;
    }
    HMem m = def_wide(g);
    pinned_to_slot(g, bytes, x, &m);
    if (bytes > host_cpu.vec_bytes) {
        at(&m, m.disp, host_cpu.vec_bytes);
        store_words(g, m, 0, bytes - host_cpu.vec_bytes);
    }
}

/** Low part of a pinned register from a slot; the rest stays. */
static void pinned_from_slot(Cg *g, unsigned bytes, unsigned x, const HMem *m)
{
    if (bytes >= host_cpu.vec_bytes) {
        emit_vec_load(g, host_cpu.vec_bytes, x, m);
        return;
    }
    if (bytes == 16) {
        emit_sse_rm(g->c, 0x10 | O_0F, 0, x, m);
        return;
    }
    /* 32 of 64 bytes: through the state, whose place for the register is stale */
    HMem home = mem_state(rx_offset((uint8_t)(AMD64_V0 + x)));
    emit_vec_store(g, 64, x, &home);
    copy_words(g, home, *m, bytes);
    emit_vec_load(g, 64, x, &home);
}

/** PINSRB/W/D/Q: replaces only those bytes. */
static void pinned_insert(Cg *g, unsigned bytes, unsigned x, unsigned r)
{
    if (bytes == 2)
        emit_sse_rr(g->c, 0xc4 | O_0F | O_66, 0, x, r);
    else
        emit_sse_rr(g->c, (bytes == 1 ? 0x20u : 0x22u) | O_0F3A | O_66, bytes == 8, x, r);
    code_u8(g->c, 0);
}

void gen_vec_put(Cg *g, IrRef ref)
{
    const IrInsn *i = insn_of(g, ref);
    IrRef v = i->arg[0];
    uint8_t rx = rx_of(i->aux);
    int h = rx_home(g, rx);
    unsigned bytes = size_of(type_of(g, v));
    if (is_avx512_home(g, rx)) {
        avx512_put(g, v, rx);
        return;
    }
    if (h >= H_XMM0) {
        unsigned x = (unsigned)h - H_XMM0;
        if (!is_vec(type_of(g, v))) {
            pinned_insert(g, bytes, x, (unsigned)use_gpr(g, v));
        } else if (is_const(g, v)) {
            int s = slot_alloc(g, 2);
            HMem m = slot_mem(s);
            store_words(g, m, g->insn[v].imm, bytes);
            pinned_from_slot(g, bytes, x, &m);
            slot_free(g, s, 2);
        } else {
            HMem m = piece(g, v, 0);
            pinned_from_slot(g, bytes, x, &m);
        }
        return;
    }
    HMem m = mem_state(rx_offset(rx));
    if (g->val[v].alias == rx && !is_const(g, v) && g->val[v].reg < 0)
        return;
    drop_cache(g, rx, H_NONE);
    if (is_const(g, v) && g->val[v].reg < 0) {
        detach_aliases(g, rx, IR_NONE);
        store_words(g, m, g->insn[v].imm, bytes);
    } else if (is_wide(g, type_of(g, v))) {
        detach_aliases(g, rx, IR_NONE);
        copy_words(g, m, piece(g, v, 0), bytes);
    } else {
        unsigned x = (unsigned)use_vec(g, v);
        detach_aliases(g, rx, IR_NONE);
        emit_vec_store(g, bytes, x, &m);
    }
}

/* ---- memory ---- */

void gen_vec_load(Cg *g, IrRef ref)
{
    const IrInsn *i = insn_of(g, ref);
    HMem m = host_mem(g, i);
    unsigned bytes = ir_type_size((IrType)i->type);
    if (is_wide(g, (IrType)i->type)) {
        HMem d = def_wide(g);
        copy_words(g, d, m, bytes);
    } else {
        emit_vec_load(g, bytes, (unsigned)def_vec(g), &m);
    }
}

void gen_vec_store(Cg *g, IrRef ref)
{
    const IrInsn *i = insn_of(g, ref);
    IrRef v = i->arg[2];
    unsigned bytes = ir_type_size(type_of(g, v));
    HMem m = host_mem(g, i);
    if (is_const(g, v) && g->val[v].reg < 0)
        store_words(g, m, g->insn[v].imm, bytes);
    else if (is_wide(g, type_of(g, v)))
        copy_words(g, m, piece(g, v, 0), bytes);
    else
        emit_vec_store(g, bytes, (unsigned)use_vec(g, v), &m);
}
