/* SPDX-License-Identifier: MIT */
/*
 * V bits of AVX-512 mask registers: comparisons of vectors that yield a mask, lane by lane, and
 * the integer operations on masks.  glibc's string functions read behind the end of a string
 * and look at the lowest set bit, so what lies behind it must not make the rest undefined.
 */
#include "native.h"

static const NativeOp *mask_result(const NativeInsn *n)
{
    return n->n_ops && n->op[0].cls == RC_MASK && (n->op[0].access & NA_WRITE) ? &n->op[0] : NULL;
}

bool native_yields_mask(const NativeInsn *n)
{
    return n->enc == NE_EVEX && mask_result(n) != NULL;
}

/* ---- comparisons -------------------------------------------------------------------- */

/** VPTESTM{B,W,D,Q} mask, v, v: the mask of lanes of @p v that are not zero. */
static NativeInsn *lanes_to_mask(Nat *t, RegId mask, RegId v)
{
    NativeInsn *n = arena_new(t->s->x.arena, NativeInsn);
    unsigned vl = t->n->vl, wide = t->n->lane == 2 || t->n->lane == 8;
    unsigned length = vl == 64 ? 2 : vl == 32 ? 1 : 0;
    *n = (NativeInsn){
        .bytes = { 0x62, 0xf2, (uint8_t)(wide << 7 | 0x7d), (uint8_t)(length << 5 | 0x08),
                   t->n->lane < 4 ? 0x26 : 0x27, 0xc0 },
        .len = 6, .enc = NE_EVEX, .prefix_len = 4, .off_opcode = 4, .opcode_len = 1,
        .off_modrm = 5, .off_imm = 6, .n_ops = 3, .disp8_scale = 1, .vl = (uint8_t)vl,
        .flags = NF_AVX512,
        .op = { { .reg = mask, .slot = NS_REG, .access = NA_WRITE, .cls = RC_MASK, .size = 8,
                  .wsize = 8 },
                { .reg = v, .slot = NS_VVVV, .access = NA_READ, .cls = RC_VEC,
                  .size = (uint8_t)vl, .wsize = 64 },
                { .reg = v, .slot = NS_RM, .access = NA_READ, .cls = RC_VEC,
                  .size = (uint8_t)vl, .wsize = 64 } },
    };
    return n;
}

/** The two vectors that are compared, and the mask that selects lanes. */
typedef struct Compared {
    IrRef x, y, vx, vy;
    const NativeOp *by; /**< NULL: all lanes */
} Compared;

static bool get_compared(Nat *t, IrType ty, Compared *c)
{
    const NativeInsn *n = t->n;
    IrRef v[2] = { IR_NONE, IR_NONE }, x[2];
    unsigned found = 0;
    c->by = NULL;
    for (unsigned k = 1; k < n->n_ops; k++) {
        const NativeOp *o = &n->op[k];
        if (o->slot == NS_AAA) {
            c->by = o;
        } else if (o->cls != RC_VEC || found == 2 || o->size != n->vl) {
            return false;
        } else {
            x[found] = ir_get(t->b, ty, o->reg);
            v[found++] = ir_get(t->b, ty, REG_SHADOW_OF(o->reg));
        }
    }
    if (found == 1 && t->reads_mem && n->mem_size == n->vl) {
        x[1] = ir_load(t->b, SPACE_GUEST, ty, t->m);
        v[found++] = vbits_full(t->b, ty, pieces_join(t->b, &t->mem, ty));
    }
    if (found != 2)
        return false;
    *c = (Compared){ x[0], x[1], v[0], v[1], c->by };
    return true;
}

static IrLane lane_of(const NativeInsn *n)
{
    return n->lane >= 8 ? LANE_64 : n->lane == 4 ? LANE_32 : n->lane == 2 ? LANE_16 : LANE_8;
}

/** Is it a comparison for equality or inequality? */
static bool is_equality(const NativeInsn *n)
{
    return n->rule == NR_LANE_CMPEQ &&
           (n->imm_len == 0 || (n->bytes[n->off_imm] & 3) == 0); /* imm: EQ 0, NEQ 4 */
}

/** All ones in each lane whose result is undefined. */
static IrRef undefined_lanes(Nat *t, IrType ty, const Compared *c)
{
    IrBlock *b = t->b;
    IrLane lane = lane_of(t->n);
    if (is_equality(t->n))
        return vbits_lane_equality(b, lane, c->x, c->y, vbits_or(b, c->vx, c->vy));
    if (t->n->rule == NR_MASK_TEST)
        return vbits_lane_equality(b, lane, ir_binop(b, OP_AND, c->x, c->y), ir_const(b, ty, 0),
                                   vbits_and(b, c->x, c->y, c->vx, c->vy));
    return ir_lane_op(b, OP_LNEZ, lane, vbits_or(b, c->vx, c->vy), IR_NONE);
}

/** The register whose shadow is borrowed. */
static RegId last_vector(void)
{
    unsigned r = gimle_guest->n_regs - 1;
    while (gimle_guest->regs[r].cls != RC_VEC)
        r--;
    return (RegId)r;
}

void native_rule_compare(Nat *t)
{
    IrBlock *b = t->b;
    const NativeInsn *n = t->n;
    const NativeOp *r = mask_result(n);
    IrType ty = ir_type_of_size(n->vl);
    Compared c;
    /* Elsewhere the forms with masks cannot run. */
    if (!r || n->enc != NE_EVEX || !n->lane || n->vl < 16 || !get_compared(t, ty, &c)) {
        native_rule_whole(t);
        return;
    }
    IrRef lanes = undefined_lanes(t, ty, &c);
    RegId v = REG_SHADOW_OF(last_vector()), k = REG_SHADOW_OF(r->reg);
    IrRef saved = ir_get(b, ty, v), old = ir_get(b, TY_I64, k);
    IrRef by = IR_NONE, v_by = IR_NONE;
    if (c.by) {
        by = ir_get(b, TY_I64, c.by->reg);
        v_by = ir_get(b, TY_I64, REG_SHADOW_OF(c.by->reg));
    }
    ir_put(b, v, lanes);
    ir_native(b, lanes_to_mask(t, k, v), (IrMem){ IR_NONE, IR_NONE, 0, 0 });
    IrRef m = ir_get(b, TY_I64, k);
    ir_put(b, v, saved);
    ir_put(b, k, old);
    if (c.by) /* lanes that are not selected give 0 */
        m = ir_binop(b, OP_OR, ir_binop(b, OP_AND, m, ir_binop(b, OP_OR, by, v_by)), v_by);
    native_out_int(t, r, m);
}

/* ---- masks as integers -------------------------------------------------------------- */

enum {
    K_AND = 0x41, K_ANDN = 0x42, K_NOT = 0x44, K_OR = 0x45, K_XNOR = 0x46, K_XOR = 0x47, K_ADD = 0x4a,
    K_UNPCK = 0x4b, K_MOV_FIRST = 0x90, K_MOV_LAST = 0x93, K_ORTEST = 0x98, K_TEST = 0x99,
    K_SHIFTR = 0x30, K_SHIFTL = 0x32
};

static uint64_t low_bits(unsigned bytes) { return bytes >= 8 ? ~0ull : (1ull << 8 * bytes) - 1; }

static IrRef cut(IrBlock *b, IrRef v, unsigned bytes)
{
    return bytes >= 8 ? v : ir_binop(b, OP_AND, v, c64(b, low_bits(bytes)));
}

static IrRef shifted(IrBlock *b, IrOp op, IrRef v, unsigned by)
{
    return by > 63 ? c64(b, 0) : ir_binop(b, op, v, ir_const(b, TY_I8, by));
}

/** KORTEST, KTEST: ZF says that a value is zero, CF that another one is (KORTEST: all ones). */
static void mask_flags(Nat *t, unsigned op, IrRef x, IrRef y, IrRef vx, IrRef vy)
{
    IrBlock *b = t->b;
    unsigned bytes = t->n->lane;
    IrRef zero, vzero, carry, vcarry, want = c64(b, 0);
    if (op == K_ORTEST) {
        IrInsn in = { .op = OP_OR, .type = TY_I64, .arg = { x, y, IR_NONE } };
        zero = carry = cut(b, ir_binop(b, OP_OR, x, y), bytes);
        vzero = vcarry = cut(b, vbits_of(b, &in, (IrRef[3]){ vx, vy, IR_NONE }), bytes);
        want = c64(b, low_bits(bytes));
    } else {
        IrRef nx = ir_unop(b, OP_NOT, TY_I64, x);
        zero = cut(b, ir_binop(b, OP_AND, x, y), bytes);
        vzero = cut(b, vbits_and(b, x, y, vx, vy), bytes);
        carry = cut(b, ir_binop(b, OP_AND, nx, y), bytes);
        vcarry = cut(b, vbits_and(b, nx, y, vx, vy), bytes);
    }
    IrRef z = vbits_equality(b, zero, c64(b, 0), vzero);
    IrRef c = vbits_equality(b, carry, want, vcarry);
    native_out_flags(t, ir_binop(b, OP_OR,
                                 ir_binop(b, OP_AND, ir_unop(b, OP_SEXT, TY_I64, z), c64(b, 0x40)),
                                 ir_binop(b, OP_AND, ir_unop(b, OP_SEXT, TY_I64, c), c64(b, 1))));
}

/** V bits of the result of an operation on masks; IR_NONE: not one that this knows. */
static IrRef mask_value(Nat *t, unsigned op, IrRef x, IrRef y, IrRef vx, IrRef vy)
{
    IrBlock *b = t->b;
    unsigned bytes = t->n->lane;
    IrInsn or_insn = { .op = OP_OR, .type = TY_I64, .arg = { x, y, IR_NONE } };
    switch (op) {
    case K_AND:
        return vbits_and(b, x, y, vx, vy);
    case K_ANDN:
        return vbits_and(b, ir_unop(b, OP_NOT, TY_I64, x), y, vx, vy);
    case K_OR:
        return vbits_of(b, &or_insn, (IrRef[3]){ vx, vy, IR_NONE });
    case K_XOR:
    case K_XNOR:
        return ir_binop(b, OP_OR, vx, vy);
    case K_NOT:
        return vx;
    case K_ADD:
        return vbits_left(b, cut(b, ir_binop(b, OP_OR, vx, vy), bytes));
    case K_UNPCK: /* lane: bytes of the result */
        return ir_binop(b, OP_OR, shifted(b, OP_SHL, vx, 4 * bytes), cut(b, vy, bytes / 2));
    case K_SHIFTR:
    case K_SHIFTR + 1:
        return shifted(b, OP_SHR, cut(b, vx, bytes), t->n->bytes[t->n->off_imm]);
    case K_SHIFTL:
    case K_SHIFTL + 1:
        return shifted(b, OP_SHL, vx, t->n->bytes[t->n->off_imm]);
    default:
        return IR_NONE;
    }
}

/** KMOV: between masks, general registers and memory. */
static void mask_move(Nat *t)
{
    IrBlock *b = t->b;
    const NativeOp *to = NULL, *from = NULL;
    for (unsigned k = 0; k < t->n->n_ops; k++) {
        if (t->n->op[k].access & NA_WRITE)
            to = &t->n->op[k];
        else
            from = &t->n->op[k];
    }
    IrRef v;
    if (from)
        v = ir_get(b, TY_I64, REG_SHADOW_OF(from->reg));
    else
        v = type_of(b, t->mem.v[0]) == TY_I64 ? t->mem.v[0]
                                              : ir_unop(b, OP_ZEXT, TY_I64, t->mem.v[0]);
    v = cut(b, v, t->n->lane);
    if (to) {
        native_out_int(t, to, v);
    } else {
        IrType ty = type_of(b, t->shape.v[0]);
        Pieces p = t->shape;
        p.v[0] = ty == TY_I64 ? v : ir_unop(b, OP_TRUNC, ty, v);
        slow_store(t->s, t->m, &p);
    }
}

void native_rule_mask(Nat *t)
{
    IrBlock *b = t->b;
    const NativeInsn *n = t->n;
    unsigned op = n->bytes[n->off_opcode + n->opcode_len - 1];
    if (op >= K_MOV_FIRST && op <= K_MOV_LAST) {
        mask_move(t);
        return;
    }
    const NativeOp *src[2] = { NULL, NULL };
    unsigned found = 0;
    for (unsigned k = 0; k < n->n_ops && found < 2; k++)
        if (n->op[k].access & NA_READ)
            src[found++] = &n->op[k];
    bool to_flags = op == K_ORTEST || op == K_TEST;
    if (found == 0 && !to_flags) { /* the same register twice, which is not read */
        native_rule_defined(t);
        return;
    }
    const NativeOp *second = src[found - 1];
    IrRef x = ir_get(b, TY_I64, src[0]->reg), y = ir_get(b, TY_I64, second->reg);
    IrRef vx = ir_get(b, TY_I64, REG_SHADOW_OF(src[0]->reg));
    IrRef vy = ir_get(b, TY_I64, REG_SHADOW_OF(second->reg));
    if (to_flags) {
        mask_flags(t, op, x, y, vx, vy);
        return;
    }
    IrRef v = mask_value(t, op, x, y, vx, vy);
    if (v == IR_NONE)
        native_rule_whole(t);
    else
        native_out_int(t, &n->op[0], cut(b, v, n->lane));
}
