/* SPDX-License-Identifier: MIT */
/*
 * V bits of native instructions in slow mode: reading the V bits of their operands, writing
 * those of their results, and the safe rule.  The particular rules are in native_rules.c.
 *
 * Everything about V bits is computed before the instruction runs, while its inputs are still
 * there; shadow registers are written after it.
 */
#include "native.h"

#include "base/check.h"
#include "helpers.h"
#include "x87.h"

/** Instructions whose memory operand is larger are not followed bit by bit. */
enum { MAX_FOLLOWED = 8 * SLOW_MAX_PIECES };

/* ---- inputs ------------------------------------------------------------------------- */

static bool is_followed(const NativeOp *o)
{
    return o->cls == RC_GPR || o->cls == RC_VEC || o->cls == RC_MASK;
}

IrType native_vec_type(unsigned bytes)
{
    return bytes <= 4 ? TY_I32 : bytes <= 8 ? TY_I64 : bytes <= 16 ? TY_V128
         : bytes <= 32 ? TY_V256 : TY_V512;
}

IrRef native_op_vbits(Nat *t, const NativeOp *o)
{
    IrBlock *b = t->b;
    if (regmask_bit(o->reg) == 0)
        return IR_NONE;
    if (o->cls == RC_VEC)
        return ir_get(b, native_vec_type(o->size), REG_SHADOW_OF(o->reg));
    IrRef v = ir_get(b, TY_I64, REG_SHADOW_OF(o->reg));
    if (o->offset)
        v = ir_binop(b, OP_SHR, v, ir_const(b, TY_I8, 8u * o->offset));
    if (o->size < 8)
        v = ir_binop(b, OP_AND, v, c64(b, (1ULL << (8 * o->size)) - 1));
    return v;
}

IrRef native_any(Nat *t, IrRef any, IrRef v)
{
    if (v == IR_NONE)
        return any;
    v = vbits_any(t->b, v);
    return any == IR_NONE ? v : ir_binop(t->b, OP_OR, any, v);
}

/** I1: some input is undefined; IR_NONE if there is none that could be. */
static IrRef any_input(Nat *t)
{
    IrRef any = IR_NONE;
    for (unsigned k = 0; k < t->n->n_ops; k++) {
        const NativeOp *o = &t->n->op[k];
        if ((o->access & NA_READ) && is_followed(o))
            any = native_any(t, any, native_op_vbits(t, o));
    }
    for (unsigned k = 0; k < t->mem.n; k++)
        any = native_any(t, any, t->mem.v[k]);
    if (t->n->cc_read) {
        IrRef cc = ir_get(t->b, TY_I64, REG_SHADOW_OF(gimle_guest->flags));
        any = native_any(t, any, ir_binop(t->b, OP_AND, cc, c64(t->b, t->n->cc_read)));
    }
    return any;
}

/* ---- outputs ------------------------------------------------------------------------ */

static Out *new_out(Nat *t)
{
    CHECK(t->n_out < NATIVE_MAX_OPS + 1);
    return &t->out[t->n_out++];
}

void native_out_vec(Nat *t, const NativeOp *o, IrRef v)
{
    *new_out(t) = (Out){ o->reg, v, o->wsize > ir_type_size(type_of(t->b, v)), true };
}

/** Shadow of general register @p r with what is recorded for other parts of it (xadd %cl, %ch). */
static IrRef shadow_so_far(const Nat *t, RegId r)
{
    for (unsigned k = t->n_out; k-- > 0;)
        if (t->out[k].reg == r && !t->out[k].vec)
            return t->out[k].v;
    return ir_get(t->b, TY_I64, REG_SHADOW_OF(r));
}

void native_out_int(Nat *t, const NativeOp *o, IrRef v)
{
    IrBlock *b = t->b;
    if (regmask_bit(o->reg) == 0)
        return;
    if (o->wsize < 8) {
        uint64_t mask = ((1ULL << (8 * o->wsize)) - 1) << (8 * o->offset);
        if (o->offset)
            v = ir_binop(b, OP_SHL, v, ir_const(b, TY_I8, 8u * o->offset));
        IrRef old = shadow_so_far(t, o->reg);
        v = ir_binop(b, OP_OR, ir_binop(b, OP_AND, old, c64(b, ~mask)),
                     ir_binop(b, OP_AND, v, c64(b, mask)));
    } else if (o->size < 8) {
        v = ir_binop(b, OP_AND, v, c64(b, (1ULL << (8 * o->size)) - 1));
    }
    *new_out(t) = (Out){ o->reg, v, false, false };
}

/** Operand @p o is written: all bits undefined if @p any (I1 or IR_NONE). */
static void out_smear(Nat *t, const NativeOp *o, IrRef any)
{
    IrBlock *b = t->b;
    bool vec = o->cls == RC_VEC;
    IrType ty = vec ? native_vec_type(o->size < 8 ? 8 : o->size) : TY_I64;
    IrRef v = any == IR_NONE ? ir_const(b, ty, 0) : vbits_smear(b, ty, any);
    if ((o->access & NA_COND) && regmask_bit(o->reg))
        v = ir_binop(b, OP_OR, v, ir_get(b, ty, REG_SHADOW_OF(o->reg)));
    if (vec)
        native_out_vec(t, o, v);
    else
        native_out_int(t, o, v);
}

void native_out_flags(Nat *t, IrRef v)
{
    IrBlock *b = t->b;
    RegId cc = gimle_guest->flags;
    uint64_t kept = 0x8d5 & ~(uint64_t)t->n->cc_write;
    if (t->n->flags & NF_FLAGS_MAYBE)
        kept = 0x8d5;
    if (t->n->cc_write == 0)
        return;
    if (kept) {
        IrRef old = ir_binop(b, OP_AND, ir_get(b, TY_I64, REG_SHADOW_OF(cc)), c64(b, kept));
        v = vbits_or(b, v, old);
    }
    *new_out(t) = (Out){ cc, vbits_full(b, TY_I64, v), false, false };
}

/** The safe rule for every output that has not been dealt with: registers, memory, flags. */
void native_out_rest(Nat *t, IrRef any, bool regs, bool mem)
{
    IrBlock *b = t->b;
    for (unsigned k = 0; regs && k < t->n->n_ops; k++)
        if ((t->n->op[k].access & NA_WRITE) && is_followed(&t->n->op[k]))
            out_smear(t, &t->n->op[k], any);
    if (mem && t->writes_mem) {
        Pieces p = t->shape;
        IrRef word = any == IR_NONE ? IR_NONE : vbits_smear(b, TY_I64, any);
        for (unsigned k = 0; k < p.n; k++) {
            IrType ty = type_of(b, t->shape.v[k]);
            p.v[k] = word == IR_NONE || ty == TY_I64 ? word : ir_unop(b, OP_TRUNC, ty, word);
        }
        slow_store(t->s, t->m, &p);
    }
    IrRef f = any == IR_NONE ? IR_NONE
                             : ir_binop(b, OP_AND, ir_unop(b, OP_SEXT, TY_I64, any),
                                        c64(b, t->n->cc_write));
    native_out_flags(t, f);
}

void native_rule_whole(Nat *t)
{
    native_out_rest(t, any_input(t), true, true);
}

void native_rule_defined(Nat *t)
{
    native_out_rest(t, IR_NONE, true, true);
}

/* ---- the instruction ---------------------------------------------------------------- */

/** Sizes of the pieces of the memory operand, as constants of their types. */
static Pieces shape_of(Nat *t)
{
    Pieces p = { .size = t->n->mem_size };
    for (unsigned at = 0; at < p.size; p.n++) {
        unsigned left = p.size - at, n = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
        p.v[p.n] = ir_const(t->b, ir_type_of_size(n), 0);
        at += n;
    }
    return p;
}

/** Check and read the memory operand's shadow. */
static void open_memory(Nat *t)
{
    const NativeInsn *n = t->n;
    if (n->mem_access == 0 || (n->flags & (NF_MASKED_MEM | NF_VSIB)) || n->mem_size == 0)
        return;
    if (n->mem_size > MAX_FOLLOWED) {
        IrRef args[2] = { mem_address(t->b, t->m), c64(t->b, n->mem_size) };
        if (n->mem_access & NA_READ)
            ir_call(t->b, &mc_helper_big_load, IR_NONE, args, 2);
        if (n->mem_access & NA_WRITE)
            ir_call(t->b, &mc_helper_big_store, IR_NONE, args, 2);
        return;
    }
    t->shape = shape_of(t);
    t->writes_mem = n->mem_access & NA_WRITE;
    t->reads_mem = n->mem_access & NA_READ;
    if (t->reads_mem)
        t->mem = slow_load(t->s, t->m, n->mem_size);
}

/** Does it use anything but its memory operand? */
static bool has_register_inputs(const NativeInsn *n)
{
    bool has = n->cc_read;
    for (unsigned k = 0; k < n->n_ops; k++)
        has = has || (n->op[k].access & NA_READ);
    return has;
}

/** The address or a register that undefined results come from. */
static IrRef origin_of_inputs(Nat *t)
{
    const NativeInsn *n = t->n;
    Whence w = { IR_NONE, IR_NONE };
    if (!t->s->origins)
        return IR_NONE;
    if (t->reads_mem && (!has_register_inputs(n) || (n->flags & NF_X87)))
        return mem_address(t->b, t->m);
    if (n->flags & NF_X87)
        return slow_get_origin(t->s, x87_register());
    if (t->reads_mem) {
        IrRef any = IR_NONE;
        for (unsigned k = 0; k < t->mem.n; k++)
            any = native_any(t, any, t->mem.v[k]);
        slow_join_origin(t->s, &w, any, mem_address(t->b, t->m));
    }
    for (unsigned k = 0; k < n->n_ops; k++) {
        const NativeOp *o = &n->op[k];
        if ((o->access & NA_READ) && is_followed(o) && regmask_bit(o->reg) != 0)
            slow_join_origin(t->s, &w, native_any(t, IR_NONE, native_op_vbits(t, o)),
                             slow_get_origin(t->s, o->reg));
    }
    if (n->cc_read) {
        IrRef cc = ir_get(t->b, TY_I64, REG_SHADOW_OF(gimle_guest->flags));
        cc = ir_binop(t->b, OP_AND, cc, c64(t->b, n->cc_read));
        slow_join_origin(t->s, &w, nonzero(t->b, cc), slow_get_origin(t->s, gimle_guest->flags));
    }
    return w.origin;
}

/** Every register that it writes gets @p origin. */
static void put_origins(Nat *t, IrRef origin)
{
    for (unsigned k = 0; k < t->n->n_ops; k++)
        if ((t->n->op[k].access & NA_WRITE) && is_followed(&t->n->op[k]))
            slow_put_origin(t->s, t->n->op[k].reg, origin);
    if (t->n->flags & NF_X87)
        slow_put_origin(t->s, x87_register(), origin);
    if (t->n->cc_write)
        slow_put_origin(t->s, gimle_guest->flags, origin);
}

/** V bits of what the instruction wrote, now that it has run. */
static void close_outputs(Nat *t)
{
    for (unsigned k = 0; k < t->n_out; k++) {
        const Out *o = &t->out[k];
        if (o->vec) {
            slow_put_vec(t->s, o->reg, o->v, o->zero_above);
        } else {
            ir_put(t->b, REG_SHADOW_OF(o->reg), o->v);
            slow_note_written(t->s, o->reg);
        }
    }
}

void native_instrument(Slow *s, IrRef i)
{
    const IrInsn *in = &s->x.src->insn[i];
    Nat t = { .s = s, .b = s->x.b, .n = s->x.src->native[in->aux] };
    if (t.n->mem_access || in->arg[0] != IR_NONE || in->arg[1] != IR_NONE)
        slow_check_address(s, i);
    t.m = ir_copy_mem(&s->x.copier, i);
    open_memory(&t);
    IrRef origin = origin_of_inputs(&t);
    s->store_origin = origin;
    if (!native_access_lanes(&t))
        native_rule_of(t.n)(&t);
    bool sp = native_writes_sp(t.n);
    IrRef old = sp ? instr_sp_before_native(&s->x, t.n) : IR_NONE;
    ir_copy_insn(&s->x.copier, i);
    close_outputs(&t);
    put_origins(&t, origin);
    if (sp)
        instr_sp_after_native(&s->x, t.n, old);
}
