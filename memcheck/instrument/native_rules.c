/* SPDX-License-Identifier: MIT */
/*
 * The definedness rules that rows of the instruction tables name (NativeRule).  A rule looks
 * at the form it got; whatever it is not sure about falls back on the safe rule.
 *
 * Moves and permutations are followed by running the same instruction on the shadow: registers
 * are rebound to their shadow registers, memory to a copy of the shadow in the thread state.
 */
#include <string.h>

#include "helpers.h"
#include "native.h"
#include "x87.h"

enum { MAX_SOURCES = 4, MAX_LANE_SOURCES = 3 };

/** Vector sources in the order of the encoding; memory comes last. */
typedef struct Sources {
    unsigned n;
    const NativeOp *op[MAX_SOURCES]; /**< NULL: memory */
} Sources;

static bool is_masked(const NativeInsn *n)
{
    for (unsigned k = 0; k < n->n_ops; k++)
        if (n->op[k].cls == RC_MASK)
            return true;
    return false;
}

static Sources sources_of(const Nat *t)
{
    Sources s = { 0 };
    for (unsigned k = 0; k < t->n->n_ops && s.n < MAX_SOURCES; k++)
        if (t->n->op[k].cls == RC_VEC && (t->n->op[k].access & NA_READ))
            s.op[s.n++] = &t->n->op[k];
    if (t->reads_mem && s.n < MAX_SOURCES)
        s.op[s.n++] = NULL;
    return s;
}

/** The one vector register that is written, NULL if there are none or several. */
static const NativeOp *vec_result(const NativeInsn *n)
{
    const NativeOp *r = NULL;
    for (unsigned k = 0; k < n->n_ops; k++) {
        if (n->op[k].cls != RC_VEC || !(n->op[k].access & NA_WRITE))
            continue;
        if (r)
            return NULL;
        r = &n->op[k];
    }
    return r;
}

/** Value of source @p o as type @p ty. */
static IrRef source_value(Nat *t, const NativeOp *o, IrType ty)
{
    return o ? ir_get(t->b, ty, o->reg) : ir_load(t->b, SPACE_GUEST, ty, t->m);
}

static IrRef source_vbits(Nat *t, const NativeOp *o, IrType ty)
{
    return o ? ir_get(t->b, ty, REG_SHADOW_OF(o->reg)) : pieces_join(t->b, &t->mem, ty);
}

/** Two full-width vector sources, one full-width result, no masking: a lane-wise form. */
static bool lanewise_form(const Nat *t, Sources *s, IrType *ty)
{
    const NativeInsn *n = t->n;
    *s = sources_of(t);
    const NativeOp *r = vec_result(n);
    if (!r || is_masked(n) || n->vl < 16 || (n->mem_access & NA_WRITE) || s->n == 0 ||
        s->n > MAX_LANE_SOURCES)
        return false;
    if (t->reads_mem && n->mem_size != n->vl)
        return false;
    for (unsigned k = 0; k < s->n; k++)
        if (s->op[k] && s->op[k]->size != n->vl)
            return false;
    *ty = ir_type_of_size(n->vl);
    return r->size == n->vl;
}

static IrLane lane_of(const NativeInsn *n)
{
    return n->lane >= 8 ? LANE_64 : n->lane == 4 ? LANE_32 : n->lane == 2 ? LANE_16 : LANE_8;
}

/** V bits of a lane-wise form's result: how the rule combines the sources. */
typedef IrRef (*Combine)(Nat *t, IrType ty, IrRef x, IrRef y, IrRef vx, IrRef vy);

static void lanewise(Nat *t, Combine f)
{
    Sources s;
    IrType ty;
    if (!lanewise_form(t, &s, &ty) || s.n > 2) {
        native_rule_whole(t);
        return;
    }
    IrRef x[2] = { IR_NONE, IR_NONE }, v[2];
    for (unsigned k = 0; k < 2; k++) {
        const NativeOp *o = s.op[k < s.n ? k : 0];
        x[k] = source_value(t, o, ty);
        v[k] = vbits_full(t->b, ty, source_vbits(t, o, ty));
    }
    native_out_vec(t, vec_result(t->n), f(t, ty, x[0], x[1], v[0], v[1]));
    native_out_flags(t, IR_NONE);
}

static IrRef combine_and(Nat *t, IrType ty, IrRef x, IrRef y, IrRef vx, IrRef vy)
{
    (void)ty;
    return vbits_and(t->b, x, y, vx, vy);
}

static IrRef combine_andn(Nat *t, IrType ty, IrRef x, IrRef y, IrRef vx, IrRef vy)
{
    return vbits_and(t->b, ir_unop(t->b, OP_NOT, ty, x), y, vx, vy);
}

static IrRef combine_or(Nat *t, IrType ty, IrRef x, IrRef y, IrRef vx, IrRef vy)
{
    IrInsn in = { .op = OP_OR, .type = (uint8_t)ty, .arg = { x, y, IR_NONE } };
    return vbits_of(t->b, &in, (IrRef[3]){ vx, vy, IR_NONE });
}

static IrRef combine_join(Nat *t, IrType ty, IrRef x, IrRef y, IrRef vx, IrRef vy)
{
    (void)ty, (void)x, (void)y;
    return vbits_or(t->b, vx, vy);
}

static IrRef combine_add(Nat *t, IrType ty, IrRef x, IrRef y, IrRef vx, IrRef vy)
{
    (void)x, (void)y;
    IrRef v = vbits_or(t->b, vx, vy);
    IrRef up = ir_lane_op(t->b, OP_LSUB, lane_of(t->n), ir_const(t->b, ty, 0), v);
    return ir_binop(t->b, OP_OR, v, up);
}

static IrRef combine_cmpeq(Nat *t, IrType ty, IrRef x, IrRef y, IrRef vx, IrRef vy)
{
    (void)ty;
    return vbits_lane_equality(t->b, lane_of(t->n), x, y, vbits_or(t->b, vx, vy));
}

/** Strings end where the minimum of vectors is 0: what lies behind the end may be undefined. */
static IrRef combine_minu(Nat *t, IrType ty, IrRef x, IrRef y, IrRef vx, IrRef vy)
{
    IrBlock *b = t->b;
    IrLane lane = lane_of(t->n);
    IrRef zero = ir_const(b, ty, 0);
    IrRef x_is_0 = ir_lane_op(b, OP_LCMPEQ, lane, ir_binop(b, OP_OR, x, vx), zero);
    IrRef y_is_0 = ir_lane_op(b, OP_LCMPEQ, lane, ir_binop(b, OP_OR, y, vy), zero);
    IrRef decided = ir_binop(b, OP_OR, x_is_0, y_is_0);
    IrRef any = ir_lane_op(b, OP_LNEZ, lane, vbits_or(b, vx, vy), IR_NONE);
    return ir_binop(b, OP_AND, any, ir_unop(b, OP_NOT, ty, decided));
}

static void rule_bitand(Nat *t) { lanewise(t, combine_and); }
static void rule_bitandn(Nat *t) { lanewise(t, combine_andn); }
static void rule_bitor(Nat *t) { lanewise(t, combine_or); }
static void rule_bitxor(Nat *t) { lanewise(t, combine_join); }
static void rule_lane_add(Nat *t) { lanewise(t, combine_add); }
static void rule_lane_minu(Nat *t) { lanewise(t, combine_minu); }

/** PMULUDQ and PMULDQ read the low halves of 64-bit lanes only. */
static bool reads_low_halves(const NativeInsn *n)
{
    uint8_t op = n->bytes[n->off_opcode + n->opcode_len - 1];
    return n->lane == 8 && (op == 0xf4 || (op == 0x28 && n->rule == NR_LANES && n->imm_len == 0));
}

/** Any undefined bit in a lane of any source: the lane of the result. */
static void rule_lanes(Nat *t)
{
    IrBlock *b = t->b;
    Sources s;
    IrType ty;
    if (!lanewise_form(t, &s, &ty)) {
        native_rule_whole(t);
        return;
    }
    IrRef v = IR_NONE;
    for (unsigned k = 0; k < s.n; k++)
        v = vbits_or(b, v, source_vbits(t, s.op[k], ty));
    if (reads_low_halves(t->n))
        v = ir_binop(b, OP_AND, v, ir_const(b, ty, 0xffffffffu));
    native_out_vec(t, vec_result(t->n), ir_lane_op(b, OP_LNEZ, lane_of(t->n), v, IR_NONE));
    native_out_flags(t, IR_NONE);
}

static void rule_lane_cmpeq(Nat *t)
{
    if (sources_of(t).n == 2)
        lanewise(t, combine_cmpeq);
    else
        native_rule_whole(t);
}

/* ---- one lane ----------------------------------------------------------------------- */

/** Scalar operations whose first vector source is only moved through (opcode after 0F). */
static bool is_unary_scalar(const NativeInsn *n)
{
    static const uint8_t unary[] = { 0x2a, 0x51, 0x52, 0x53, 0x5a };
    uint8_t op = n->bytes[n->off_opcode + n->opcode_len - 1];
    if (n->imm_len)
        return op == 0x0a || op == 0x0b; /* ROUNDSS, ROUNDSD */
    return memchr(unary, op, sizeof unary) != NULL;
}

static void rule_lane_scalar(Nat *t)
{
    IrBlock *b = t->b;
    Sources s = sources_of(t);
    const NativeOp *r = vec_result(t->n);
    if (!r || is_masked(t->n) || (t->n->mem_access & NA_WRITE) || s.n == 0 || !s.op[0] ||
        t->n->lane < 4) {
        native_rule_whole(t);
        return;
    }
    uint64_t mask = t->n->lane == 4 ? 0xffffffffu : ~0ULL;
    IrRef base = ir_get(b, TY_I64, REG_SHADOW_OF(s.op[0]->reg));
    IrRef any = IR_NONE;
    if (!is_unary_scalar(t->n))
        any = native_any(t, IR_NONE, ir_binop(b, OP_AND, base, c64(b, mask)));
    for (unsigned k = 1; k < s.n; k++) {
        if (!s.op[k])
            continue;
        IrRef v = ir_get(b, TY_I64, REG_SHADOW_OF(s.op[k]->reg));
        uint64_t m = s.op[k]->size == 4 ? 0xffffffffu : ~0ULL;
        any = native_any(t, any, ir_binop(b, OP_AND, v, c64(b, m)));
    }
    for (unsigned k = 0; k < t->mem.n; k++)
        any = native_any(t, any, t->mem.v[k]);
    for (unsigned k = 0; k < t->n->n_ops; k++)
        if (t->n->op[k].cls == RC_GPR && (t->n->op[k].access & NA_READ))
            any = native_any(t, any, native_op_vbits(t, &t->n->op[k]));
    IrRef low = any == IR_NONE ? c64(b, 0) : vbits_smear(b, TY_I64, any);
    if (mask != ~0ULL)
        low = ir_binop(b, OP_OR, ir_binop(b, OP_AND, low, c64(b, mask)),
                       ir_binop(b, OP_AND, base, c64(b, ~mask)));
    IrInsn high = { .op = OP_VGET64, .type = TY_I64, .imm = 1,
                    .arg = { ir_get(b, TY_V128, REG_SHADOW_OF(s.op[0]->reg)), IR_NONE, IR_NONE } };
    IrInsn make = { .op = OP_VMAKE64, .type = TY_V128,
                    .arg = { low, ir_emit(b, &high), IR_NONE } };
    native_out_vec(t, r, ir_emit(b, &make));
    native_out_flags(t, IR_NONE);
}

/* ---- the same instruction on the shadow --------------------------------------------- */

/** A copy of the instruction whose operands can be rebound. */
static NativeInsn *clone(Nat *t)
{
    NativeInsn *n = arena_new(t->s->x.arena, NativeInsn);
    *n = *t->n;
    return n;
}

/** Can @p o be rebound to its shadow? */
static bool rebindable(const NativeOp *o)
{
    return o->slot != NS_FIXED && (o->cls == RC_GPR || o->cls == RC_VEC);
}

/** Memory in the thread state that holds the shadow of the memory operand for a while. */
static IrMem scratch(Nat *t)
{
    return (IrMem){ ir_call(t->b, &mc_helper_scratch, IR_NONE, NULL, 0), IR_NONE, 0, 0 };
}

static void fill_scratch(Nat *t, IrMem at)
{
    for (unsigned k = 0; k < t->mem.n; k++)
        ir_store(t->b, SPACE_GUEST, mem_at(at, 8 * (int64_t)k), t->mem.v[k]);
}

/** V bits that the instruction left in scratch memory go to the shadow. */
static void store_scratch(Nat *t, IrMem at)
{
    Pieces p = t->shape;
    for (unsigned k = 0; k < p.n; k++)
        p.v[k] = ir_load(t->b, SPACE_GUEST, type_of(t->b, t->shape.v[k]),
                         mem_at(at, 8 * (int64_t)k));
    slow_store(t->s, t->m, &p);
}

/**
 * Run the instruction on shadows: all register operands but @p control (may be NULL), and the
 * memory operand unless @p real_mem.  False if its form does not allow that.
 */
static bool run_on_shadow(Nat *t, const NativeOp *control, bool real_mem)
{
    if (t->n->flags & (NF_VSIB | NF_MASKED_MEM))
        return false;
    if (t->n->mem_access && t->shape.n == 0)
        return false;
    for (unsigned k = 0; k < t->n->n_ops; k++) {
        const NativeOp *o = &t->n->op[k];
        /* Opmasks and control operands stay what they are. */
        if (o != control && o->cls != RC_MASK && !rebindable(o))
            return false;
    }
    NativeInsn *n = clone(t);
    for (unsigned k = 0; k < n->n_ops; k++)
        if (&t->n->op[k] != control && n->op[k].cls != RC_MASK)
            n->op[k].reg = REG_SHADOW_OF(n->op[k].reg);
    IrMem m = t->m;
    if (n->mem_access && !real_mem) {
        m = scratch(t);
        fill_scratch(t, m);
    }
    ir_native(t->b, n, m);
    for (unsigned k = 0; k < n->n_ops; k++)
        if (t->n->op[k].access & NA_WRITE)
            slow_note_written(t->s, t->n->op[k].reg);
    if (t->writes_mem && !real_mem)
        store_scratch(t, m);
    return true;
}

/** Every written vector register becomes undefined as a whole if @p any. */
static void smear_results(Nat *t, IrRef any)
{
    IrBlock *b = t->b;
    if (any == IR_NONE)
        return;
    for (unsigned k = 0; k < t->n->n_ops; k++) {
        const NativeOp *o = &t->n->op[k];
        if (o->cls != RC_VEC || !(o->access & NA_WRITE))
            continue;
        IrType ty = native_vec_type(o->size);
        IrRef v = ir_binop(b, OP_OR, ir_get(b, ty, REG_SHADOW_OF(o->reg)), vbits_smear(b, ty, any));
        ir_put(b, REG_SHADOW_OF(o->reg), v);
    }
}

/** I1: a mask register operand is undefined. */
static IrRef any_mask(Nat *t)
{
    IrRef any = IR_NONE;
    for (unsigned k = 0; k < t->n->n_ops; k++)
        if (t->n->op[k].cls == RC_MASK && (t->n->op[k].access & NA_READ))
            any = native_any(t, any, native_op_vbits(t, &t->n->op[k]));
    return any;
}

/** A plain load of a vector register, or store of one: no second instruction is needed. */
static bool plain_move(Nat *t)
{
    const NativeInsn *n = t->n;
    IrType ty = ir_type_of_size(n->mem_size);
    if (!(n->flags & NF_MOVE) || n->n_ops != 1 || n->op[0].cls != RC_VEC || t->shape.n == 0 ||
        ty == TY_NONE || n->mem_size < 4)
        return false;
    if (t->reads_mem && n->op[0].access == NA_WRITE && n->op[0].size >= n->mem_size) {
        IrRef v = vbits_full(t->b, ty, pieces_join(t->b, &t->mem, ty));
        if (n->op[0].size > n->mem_size)
            v = ir_unop(t->b, OP_VZEXT, native_vec_type(n->op[0].size), v);
        native_out_vec(t, &n->op[0], v);
        return true;
    }
    if (t->writes_mem && n->op[0].access == NA_READ) {
        Pieces p = pieces_split(t->b, ir_get(t->b, ty, REG_SHADOW_OF(n->op[0].reg)), n->mem_size);
        slow_store(t->s, t->m, &p);
        return true;
    }
    return false;
}

static void rule_move(Nat *t)
{
    if (plain_move(t))
        return;
    IrRef mask = any_mask(t);
    if (t->n->cc_write || !run_on_shadow(t, NULL, false))
        native_rule_whole(t);
    else
        smear_results(t, mask);
}

/** Which source says what goes where: -1 if none does (an immediate). */
static int control_source(const Nat *t, const Sources *s)
{
    const NativeInsn *n = t->n;
    uint8_t op = n->bytes[n->off_opcode + n->opcode_len - 1];
    for (unsigned k = 0; k < s->n; k++)
        if (s->op[k] && s->op[k]->slot == NS_IS4)
            return (int)k;
    if (n->imm_len || s->n == 0)
        return -1;
    /* VPERMD, VPERMPS and the register forms of VPERMQ and VPERMPD have it first. */
    bool first = n->enc != NE_LEGACY && (op == 0x36 || op == 0x16);
    return first ? 0 : (int)s->n - 1;
}

/** V bits that undefined control bits give the result, by lanes if the form is that simple. */
static IrRef vbits_of_control(Nat *t, const NativeOp *control)
{
    const NativeOp *r = vec_result(t->n);
    if (!r)
        return IR_NONE;
    IrType ty = native_vec_type(r->size);
    if (t->n->rule == NR_PERMUTE && t->n->lane && ir_type_size(ty) == t->n->vl &&
        (control ? control->size == t->n->vl : t->n->mem_size == t->n->vl)) {
        IrRef v = vbits_full(t->b, ty, source_vbits(t, control, ty));
        return ir_lane_op(t->b, OP_LNEZ, lane_of(t->n), v, IR_NONE);
    }
    IrRef any = IR_NONE;
    bool is_count = t->n->rule == NR_LANE_SHIFT; /* 64 bits of it count */
    if (control && is_count)
        any = native_any(t, any, ir_get(t->b, TY_I64, REG_SHADOW_OF(control->reg)));
    else if (control)
        any = native_any(t, any, native_op_vbits(t, control));
    for (unsigned k = 0; !control && k < (is_count ? 1 : t->mem.n); k++)
        any = native_any(t, any, t->mem.v[k]);
    return any == IR_NONE ? IR_NONE : vbits_smear(t->b, ty, any);
}

/** PEXT, PDEP: where bits go is said by the last operand. */
static void permute_integer(Nat *t)
{
    const NativeInsn *n = t->n;
    const NativeOp *mask = NULL, *r = NULL;
    for (unsigned k = 0; k < n->n_ops; k++) {
        if (n->op[k].slot == NS_RM)
            mask = &n->op[k];
        if (n->op[k].access & NA_WRITE)
            r = &n->op[k];
    }
    IrRef v = mask ? native_op_vbits(t, mask) : t->mem.n == 1 ? t->mem.v[0] : IR_NONE;
    if (v == IR_NONE || !r || !run_on_shadow(t, mask, mask == NULL)) {
        native_rule_whole(t);
        return;
    }
    IrRef old = ir_get(t->b, TY_I64, REG_SHADOW_OF(r->reg));
    v = vbits_smear(t->b, TY_I64, vbits_any(t->b, v));
    if (r->size < 8)
        v = ir_binop(t->b, OP_AND, v, c64(t->b, 0xffffffff));
    ir_put(t->b, REG_SHADOW_OF(r->reg), ir_binop(t->b, OP_OR, old, v));
}

static void rule_permute(Nat *t)
{
    if (t->n->vl == 0) {
        permute_integer(t);
        return;
    }
    Sources s = sources_of(t);
    const NativeOp *control = NULL, *r = vec_result(t->n);
    bool real_mem = false;
    IrRef mask = any_mask(t), extra = IR_NONE;
    int c = control_source(t, &s);
    if (c >= 0) {
        control = s.op[c];
        real_mem = control == NULL;
        extra = vbits_of_control(t, control);
    }
    /* A control operand that is also the result cannot stay real. */
    bool both = control && (control->access & NA_WRITE);
    if (both || (c >= 0 && !r) || t->n->cc_write || !run_on_shadow(t, control, real_mem)) {
        native_rule_whole(t);
        return;
    }
    if (extra != IR_NONE) {
        IrRef old = ir_get(t->b, type_of(t->b, extra), REG_SHADOW_OF(r->reg));
        ir_put(t->b, REG_SHADOW_OF(r->reg), ir_binop(t->b, OP_OR, old, extra));
    }
    smear_results(t, mask);
}

static void rule_movmsk(Nat *t)
{
    if (t->n->mem_access || is_masked(t->n) || !run_on_shadow(t, NULL, false))
        native_rule_whole(t);
}

static void rule_lane_shift(Nat *t)
{
    /* By an immediate the shadow moves the same way; otherwise the count is a control operand. */
    rule_permute(t);
}

/* ---- narrowing ---------------------------------------------------------------------- */

/**
 * Two lanes of twice the width become one: smear each input lane, then pack with the same
 * instruction.  All ones saturate to all ones in the signed forms; the unsigned forms get the
 * largest value of the narrow lane instead.
 */
static void rule_pack(Nat *t)
{
    IrBlock *b = t->b;
    Sources s;
    IrType ty;
    uint8_t op = t->n->bytes[t->n->off_opcode + t->n->opcode_len - 1];
    if (!lanewise_form(t, &s, &ty) || s.n != 2 || ty > TY_V256) {
        native_rule_whole(t);
        return;
    }
    bool from32 = op == 0x6b || op == 0x2b, is_unsigned = op == 0x67 || op == 0x2b;
    IrLane lane = from32 ? LANE_32 : LANE_16;
    /* The shadows of two registers that nothing here uses hold the smeared inputs. */
    RegId tmp[2] = { 0, 0 };
    unsigned found = 0;
    for (unsigned r = gimle_guest->n_regs; r-- > 0 && found < 2;)
        if (gimle_guest->regs[r].cls == RC_VEC)
            tmp[found++] = REG_SHADOW_OF(r);
    IrRef saved[2], v[2];
    NativeInsn *n = clone(t);
    for (unsigned k = 0; k < 2; k++) {
        saved[k] = ir_get(b, ty, tmp[k]);
        v[k] = vbits_full(b, ty, source_vbits(t, s.op[k], ty));
        v[k] = ir_lane_op(b, OP_LNEZ, lane, v[k], IR_NONE);
        if (is_unsigned) {
            IrInsn shift = { .op = OP_LSHRI, .type = (uint8_t)ty, .sub = (uint8_t)lane,
                             .imm = from32 ? 16 : 8, .arg = { v[k], IR_NONE, IR_NONE } };
            v[k] = ir_emit(b, &shift);
        }
    }
    IrMem m = t->m;
    if (!s.op[1]) {
        m = scratch(t);
        ir_store(b, SPACE_GUEST, m, v[1]);
    }
    ir_put(b, tmp[0], v[0]);
    ir_put(b, tmp[1], v[1]);
    const NativeOp *r = vec_result(t->n);
    for (unsigned k = 0; k < n->n_ops; k++) {
        const NativeOp *o = &t->n->op[k];
        n->op[k].reg = o == s.op[0] || o == r ? tmp[0] : tmp[1];
    }
    ir_native(b, n, m);
    IrRef packed = ir_get(b, ty, tmp[0]);
    ir_put(b, tmp[0], saved[0]);
    ir_put(b, tmp[1], saved[1]);
    native_out_vec(t, r, packed);
}

/* ---- flags and integers ------------------------------------------------------------- */

static void rule_ptest(Nat *t)
{
    IrBlock *b = t->b;
    Sources s = sources_of(t);
    unsigned vl = t->n->vl;
    if (s.n != 2 || vl < 16 || (t->reads_mem && t->n->mem_size != vl) ||
        !(t->n->cc_write & 0x40)) {
        native_rule_whole(t);
        return;
    }
    IrType ty = ir_type_of_size(vl);
    IrRef x = source_value(t, s.op[0], ty), y = source_value(t, s.op[1], ty);
    IrRef vx = vbits_full(b, ty, source_vbits(t, s.op[0], ty));
    IrRef vy = vbits_full(b, ty, source_vbits(t, s.op[1], ty));
    IrRef zero = ir_const(b, ty, 0), nx = ir_unop(b, OP_NOT, ty, x);
    IrRef z = vbits_equality(b, ir_binop(b, OP_AND, x, y), zero, vbits_and(b, x, y, vx, vy));
    IrRef c = vbits_equality(b, ir_binop(b, OP_AND, nx, y), zero, vbits_and(b, nx, y, vx, vy));
    IrRef zf = ir_binop(b, OP_AND, ir_unop(b, OP_SEXT, TY_I64, z), c64(b, 0x40));
    IrRef cf = ir_binop(b, OP_AND, ir_unop(b, OP_SEXT, TY_I64, c), c64(b, 0x1));
    native_out_flags(t, ir_binop(b, OP_OR, zf, cf));
}

/** V bits (I64) of all integer inputs together; IR_NONE: defined. */
static IrRef integer_inputs(Nat *t)
{
    IrRef v = IR_NONE;
    for (unsigned k = 0; k < t->n->n_ops; k++) {
        const NativeOp *o = &t->n->op[k];
        if ((o->access & NA_READ) && o->cls == RC_GPR)
            v = vbits_or(t->b, v, native_op_vbits(t, o));
    }
    if (t->mem.n == 1) {
        IrRef m = t->mem.v[0];
        v = vbits_or(t->b, v, type_of(t->b, m) == TY_I64 ? m : ir_unop(t->b, OP_ZEXT, TY_I64, m));
    }
    return v;
}

/** Integer arithmetic that stayed native (LOCK): @p carries: undefinedness moves to higher bits. */
static void integer(Nat *t, bool carries)
{
    IrBlock *b = t->b;
    unsigned writes = 0;
    for (unsigned k = 0; k < t->n->n_ops; k++)
        writes += (t->n->op[k].access & NA_WRITE) && t->n->op[k].cls == RC_GPR;
    if (t->mem.n > 1 || writes + t->writes_mem != 1) {
        native_rule_whole(t);
        return;
    }
    IrRef v = integer_inputs(t);
    if (v != IR_NONE && carries)
        v = vbits_left(b, v);
    for (unsigned k = 0; k < t->n->n_ops; k++)
        if ((t->n->op[k].access & NA_WRITE) && t->n->op[k].cls == RC_GPR)
            native_out_int(t, &t->n->op[k], vbits_full(b, TY_I64, v));
    if (t->writes_mem) {
        Pieces p = t->shape;
        IrType ty = type_of(b, p.v[0]);
        p.v[0] = v == IR_NONE || ty == TY_I64 ? v : ir_unop(b, OP_TRUNC, ty, v);
        slow_store(t->s, t->m, &p);
    }
    IrRef f = v == IR_NONE ? IR_NONE
                           : ir_binop(b, OP_AND, vbits_smear(b, TY_I64, v), c64(b, t->n->cc_write));
    native_out_flags(t, f);
}

static void rule_arith(Nat *t) { integer(t, true); }
static void rule_logic(Nat *t) { integer(t, false); }

/** The general register operand in place @p slot. */
static const NativeOp *gpr_in(const NativeInsn *n, NativeSlot slot)
{
    for (unsigned k = 0; k < n->n_ops; k++)
        if (n->op[k].cls == RC_GPR && n->op[k].slot == slot)
            return &n->op[k];
    return NULL;
}

/** CMPXCHG with a memory operand. */
static bool is_cmpxchg(const NativeInsn *n)
{
    const uint8_t *op = n->bytes + n->off_opcode;
    return n->enc == NE_LEGACY && n->opcode_len == 2 && op[0] == 0x0f && (op[1] & 0xfe) == 0xb0 &&
           (n->mem_access & NA_WRITE);
}

/** Compare the accumulator with memory; memory gets the source or the accumulator gets memory. */
static void rule_cmpxchg(Nat *t)
{
    IrBlock *b = t->b;
    const NativeOp *acc = gpr_in(t->n, NS_FIXED), *src = gpr_in(t->n, NS_REG);
    IrType ty = ir_type_of_size(t->n->mem_size);
    if (!acc || !src || t->mem.n != 1 || ty == TY_NONE || src->offset) {
        native_rule_whole(t);
        return;
    }
    IrRef old = ir_load(b, SPACE_GUEST, ty, t->m), want = ir_get(b, ty, acc->reg);
    IrRef v_old = t->mem.v[0], v_want = ir_get(b, ty, REG_SHADOW_OF(acc->reg));
    IrRef v_new = ir_get(b, ty, REG_SHADOW_OF(src->reg));
    IrRef equal = ir_cmp(b, OP_CMPEQ, old, want);
    Pieces p = t->shape;
    p.v[0] = ir_select(b, equal, v_new, v_old);
    slow_store(t->s, t->m, &p);
    /* Only a failed comparison writes the accumulator. */
    IrRef whole = ir_get(b, TY_I64, REG_SHADOW_OF(acc->reg));
    IrRef from_mem = ty == TY_I64 ? v_old : ir_unop(b, OP_ZEXT, TY_I64, v_old);
    if (ir_type_size(ty) < 4)
        from_mem = ir_binop(b, OP_OR, from_mem,
                            ir_binop(b, OP_AND, whole, c64(b, ~0ULL << (8 * ir_type_size(ty)))));
    t->out[t->n_out++] = (Out){ acc->reg, ir_select(b, equal, whole, from_mem), false, false };
    IrInsn flags = { .op = OP_FLAGS, .type = TY_FLAGS, .sub = FK_SUB, .aux = ty,
                     .arg = { want, old, IR_NONE } };
    native_out_flags(t, vbits_of(b, &flags, (IrRef[3]){ v_want, v_old, IR_NONE }));
}

/* ---- choice ------------------------------------------------------------------------- */

static const NatRule rules[NR_COUNT] = {
    [NR_WHOLE] = native_rule_whole,   [NR_MOVE] = rule_move,
    [NR_PERMUTE] = rule_permute,      [NR_BITAND] = rule_bitand,
    [NR_BITANDN] = rule_bitandn,      [NR_BITOR] = rule_bitor,
    [NR_BITXOR] = rule_bitxor,        [NR_LANES] = rule_lanes,
    [NR_LANE_SCALAR] = rule_lane_scalar, [NR_LANE_ADD] = rule_lane_add,
    [NR_LANE_MINU] = rule_lane_minu,
    [NR_LANE_SHIFT] = rule_lane_shift, [NR_LANE_CMPEQ] = rule_lane_cmpeq,
    [NR_PACK] = rule_pack,            [NR_MOVMSK] = rule_movmsk,
    [NR_PTEST] = rule_ptest,          [NR_ADD] = rule_arith,
    [NR_SUB] = rule_arith,            [NR_AND] = rule_logic,
    [NR_OR] = rule_logic,             [NR_XOR] = rule_logic,
    [NR_SHIFT] = native_rule_whole,   [NR_ZEROING] = native_rule_defined,
    [NR_CUSTOM] = native_rule_whole,  [NR_MASK] = native_rule_mask,
    [NR_MASK_TEST] = native_rule_compare, [NR_STRINGS] = native_rule_strings,
    [NR_NARROW] = native_rule_narrow, [NR_WIDEN] = native_rule_widen,
    [NR_HORIZONTAL] = native_rule_horizontal, [NR_DOT] = native_rule_dot,
};

NatRule native_rule_of(const NativeInsn *n)
{
    if (n->flags & NF_X87)
        return native_rule_x87;
    if (is_cmpxchg(n))
        return rule_cmpxchg;
    if (native_yields_mask(n) && n->rule != NR_WHOLE)
        return native_rule_compare;
    NatRule r = n->rule < NR_COUNT ? rules[n->rule] : NULL;
    return r ? r : native_rule_whole;
}
