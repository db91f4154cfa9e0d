/* SPDX-License-Identifier: MIT */
/*
 * Vector instructions whose result lanes each depend on a group of bytes that is not the same lane:
 * conversions to lanes of another width, sums of neighbours, dot products; and PEXT and PDEP.
 */
#include "native.h"

enum { MAX_WORDS = 8, HALF = 16 };

/** V bits of the sources, 64 bits each; IR_NONE: defined. */
typedef struct Source {
    IrRef w[MAX_WORDS];
    unsigned bytes;
} Source;

static Source no_source(unsigned bytes)
{
    Source s = { .bytes = bytes };
    for (unsigned k = 0; k < MAX_WORDS; k++)
        s.w[k] = IR_NONE;
    return s;
}

static Source register_source(Nat *t, const NativeOp *o)
{
    IrBlock *b = t->b;
    Source s = no_source(o->size);
    IrType ty = native_vec_type(o->size);
    IrRef v = ir_get(b, ty < TY_I64 ? TY_I64 : ty, REG_SHADOW_OF(o->reg));
    if (ty <= TY_I64)
        s.w[0] = v;
    for (unsigned k = 0; ty > TY_I64 && k < o->size / 8u; k++) {
        IrInsn in = { .op = OP_VGET64, .type = TY_I64, .imm = k, .arg = { v, IR_NONE, IR_NONE } };
        s.w[k] = ir_emit(b, &in);
    }
    return s;
}

static Source memory_source(Nat *t)
{
    Source s = no_source(t->n->mem_size);
    for (unsigned k = 0; k < t->mem.n && k < MAX_WORDS; k++) {
        IrRef v = t->mem.v[k];
        s.w[k] = v == IR_NONE || type_of(t->b, v) == TY_I64 ? v : ir_unop(t->b, OP_ZEXT, TY_I64, v);
    }
    return s;
}

/** The vector sources in order, memory last; how many there are (0: no form for these rules). */
static unsigned get_sources(Nat *t, Source s[2], const NativeOp **result)
{
    const NativeInsn *n = t->n;
    unsigned found = 0;
    *result = NULL;
    for (unsigned k = 0; k < n->n_ops; k++) {
        const NativeOp *o = &n->op[k];
        if (o->cls != RC_VEC || ((o->access & NA_READ) && found == 2) ||
            ((o->access & NA_WRITE) && *result))
            return 0;
        if (o->access & NA_READ)
            s[found++] = register_source(t, o);
        if (o->access & NA_WRITE)
            *result = o;
    }
    if (t->reads_mem && found < 2)
        s[found++] = memory_source(t);
    return *result && !t->writes_mem && (!n->mem_access || t->reads_mem) ? found : 0;
}

/** I1 or IR_NONE: V bits among @p bytes bytes of the source at @p at. */
static IrRef group(Nat *t, const Source *s, unsigned at, unsigned bytes)
{
    IrBlock *b = t->b;
    IrRef any = IR_NONE;
    for (unsigned k = at / 8; k < (at + bytes + 7) / 8; k++) {
        IrRef v = s->w[k];
        if (v == IR_NONE)
            continue;
        if (bytes < 8)
            v = ir_binop(b, OP_AND, v, c64(b, ((1ull << 8 * bytes) - 1) << 8 * (at % 8)));
        any = native_any(t, any, v);
    }
    return any;
}

/** The result, lane by lane. */
typedef struct Result {
    IrRef w[MAX_WORDS];
} Result;

static void set_lane(Nat *t, Result *r, unsigned at, unsigned bytes, IrRef any)
{
    IrBlock *b = t->b;
    if (any == IR_NONE)
        return;
    IrRef v = ir_unop(b, OP_SEXT, TY_I64, any);
    if (bytes < 8)
        v = ir_binop(b, OP_AND, v, c64(b, ((1ull << 8 * bytes) - 1) << 8 * (at % 8)));
    r->w[at / 8] = vbits_or(b, r->w[at / 8], v);
}

/** Hand over @p bytes bytes of the result; what is above is 0. */
static void put_result(Nat *t, const NativeOp *o, const Result *r, unsigned bytes)
{
    IrBlock *b = t->b;
    IrRef half[2];
    for (unsigned k = 0; k < 2; k++) {
        IrInsn make = { .op = OP_VMAKE64, .type = TY_V128,
                        .arg = { vbits_full(b, TY_I64, r->w[2 * k]),
                                 vbits_full(b, TY_I64, r->w[2 * k + 1]), IR_NONE } };
        half[k] = ir_emit(b, &make);
        if (bytes <= HALF)
            break;
    }
    if (bytes > HALF) {
        IrInsn join = { .op = OP_VJOIN, .type = TY_V256, .arg = { half[0], half[1], IR_NONE } };
        half[0] = ir_emit(b, &join);
    }
    native_out_vec(t, o, half[0]);
    native_out_flags(t, IR_NONE);
}

/** Lanes of @p in bytes become lanes of @p out bytes. */
static void convert(Nat *t, unsigned in, unsigned out)
{
    Source s[2] = { { .bytes = 0 } };
    const NativeOp *r;
    unsigned found = get_sources(t, s, &r);
    unsigned vl = t->n->vl, wide = in > out ? s[0].bytes : s[0].bytes * 2;
    /* Not one lane for all of them. */
    if (found != 1 || (vl != 16 && vl != 32) || wide != vl) {
        native_rule_whole(t);
        return;
    }
    unsigned lanes = s[0].bytes / in;
    Result v = { { IR_NONE, IR_NONE, IR_NONE, IR_NONE } };
    for (unsigned k = 0; k < lanes; k++)
        set_lane(t, &v, k * out, out, group(t, &s[0], k * in, in));
    put_result(t, r, &v, lanes * out);
}

void native_rule_narrow(Nat *t) { convert(t, 2u * t->n->lane, t->n->lane); }
void native_rule_widen(Nat *t) { convert(t, t->n->lane / 2u, t->n->lane); }

/** Two full vectors of at most 32 bytes and a result of that size. */
static bool get_pair(Nat *t, Source s[2], const NativeOp **r)
{
    unsigned vl = t->n->vl, found = get_sources(t, s, r);
    return found == 2 && (vl == 16 || vl == 32) && s[0].bytes == vl && s[1].bytes == vl &&
           (*r)->size == vl;
}

void native_rule_horizontal(Nat *t)
{
    Source s[2];
    const NativeOp *r;
    unsigned lane = t->n->lane, vl = t->n->vl;
    if (!get_pair(t, s, &r)) {
        native_rule_whole(t);
        return;
    }
    Result v = { { IR_NONE, IR_NONE, IR_NONE, IR_NONE } };
    for (unsigned at = 0; at < vl; at += lane) {
        unsigned in_half = at % HALF, from = in_half >= HALF / 2;
        unsigned pair = at - in_half + 2 * (in_half % (HALF / 2));
        set_lane(t, &v, at, lane, group(t, &s[from], pair, 2 * lane));
    }
    put_result(t, r, &v, vl);
}

void native_rule_dot(Nat *t)
{
    Source s[2];
    const NativeOp *r;
    unsigned lane = t->n->lane, vl = t->n->vl, imm = t->n->bytes[t->n->off_imm];
    if (!get_pair(t, s, &r)) {
        native_rule_whole(t);
        return;
    }
    Result v = { { IR_NONE, IR_NONE, IR_NONE, IR_NONE } };
    for (unsigned half = 0; half < vl; half += HALF) {
        IrRef any = IR_NONE;
        for (unsigned k = 0; k < HALF / lane; k++) {
            for (unsigned i = 0; i < 2 && imm >> 4 >> k & 1; i++) {
                IrRef g = group(t, &s[i], half + k * lane, lane);
                any = any == IR_NONE || g == IR_NONE ? (any == IR_NONE ? g : any)
                                                     : ir_binop(t->b, OP_OR, any, g);
            }
        }
        for (unsigned k = 0; k < HALF / lane; k++)
            if (imm >> k & 1)
                set_lane(t, &v, half + k * lane, lane, any);
    }
    put_result(t, r, &v, vl);
}
