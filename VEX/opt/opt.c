/* SPDX-License-Identifier: MIT */
/*
 * The walk forwards: copies a block into a new one and on the way replaces what is already known:
 * registers by the values that were put, constants, conditions by comparisons, repeated
 * operations by the first.  One table lookup per instruction and no search.  dead.c then walks
 * backwards and drops what nobody needs.
 *
 * Instructions with effects are copied one for one in their order (an EXIT_IF that is never or
 * always taken excepted), so the precise state rule of ir.h holds afterwards if it did before.
 */
#include "opt.h"

#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "gimle/native.h"
#include "opt_internal.h"
#include "vex.h"

static const char *const pass_name[PASS_COUNT] = {
#define PASS(id, name, what) name,
#include "passes.def"
#undef PASS
};

const char *opt_pass_name(OptPass p)
{
    return pass_name[p];
}

/* ---- values ------------------------------------------------------------------------------ */

static uint64_t head_of(const IrInsn *i)
{
    uint64_t h;
    memcpy(&h, i, sizeof h);
    return h;
}
_Static_assert(offsetof(IrInsn, arg) == 8, "the head is everything before the arguments");

static bool same_op(const IrInsn *a, const IrInsn *b)
{
    return head_of(a) == head_of(b) && a->arg[0] == b->arg[0] && a->arg[1] == b->arg[1] &&
           a->arg[2] == b->arg[2] && a->imm == b->imm;
}

static unsigned hash_of(const IrInsn *i)
{
    uint64_t h = head_of(i) * 0x9e3779b97f4a7c15u;
    h ^= (i->arg[0] | (uint64_t)i->arg[1] << 32) * 0xc2b2ae3d27d4eb4fu;
    h ^= (i->imm + i->arg[2]) * 0x165667b19e3779f9u;
    return (unsigned)(h >> 40) % OPT_CSE_SLOTS;
}

IrRef opt_value(Opt *o, const IrInsn *insn)
{
    IrInsn n = *insn;
    if (opt_on(o, PASS_FOLD)) {
        IrRef r = opt_fold(o, &n);
        if (r != IR_NONE)
            return r;
    }
    if (n.op == OP_COND && opt_on(o, PASS_COND)) {
        IrRef r = opt_cond(o, &n);
        if (r != IR_NONE)
            return r;
    }
    if (!opt_on(o, PASS_CSE))
        return ir_emit(o->b, &n);
    IrRef *slot = &o->cse[hash_of(&n)];
    if (*slot && same_op(&o->b->insn[*slot - 1], &n))
        return *slot - 1;
    IrRef r = ir_emit(o->b, &n);
    if (!o->in_cold)
        *slot = r + 1;
    return r;
}

IrRef opt_const(Opt *o, IrType t, uint64_t v)
{
    if (!ir_is_vec(t))
        v &= ir_mask(t);
    return opt_value(o, &(IrInsn){ .op = OP_CONST, .type = (uint8_t)t,
                                   .arg = { IR_NONE, IR_NONE, IR_NONE }, .imm = v });
}

IrRef opt_op(Opt *o, IrOp op, IrType t, IrRef a, IrRef b)
{
    return opt_value(o, &(IrInsn){ .op = (uint8_t)op, .type = (uint8_t)t,
                                   .arg = { a, b, IR_NONE } });
}

/* ---- registers --------------------------------------------------------------------------- */

static void forget(Opt *o, RegId r)
{
    if (r != REG_NONE)
        o->known[opt_slot(r)].gen = 0;
}

static void forget_all(Opt *o)
{
    o->gen++;
}

static void learn(Opt *o, RegId r, IrRef v)
{
    if (o->in_cold)
        forget(o, r); /* true only if the region ran */
    else
        o->known[opt_slot(r)] = (OptKnown){ v, o->gen };
}

/** The low part of value @p v as type @p t, IR_NONE if it does not cover that. */
static IrRef low_part(Opt *o, IrRef v, IrType t)
{
    IrType have = (IrType)o->b->insn[v].type;
    if (have == t)
        return v;
    if (have == TY_FLAGS || t == TY_FLAGS || have < t)
        return IR_NONE;
    if (!ir_is_vec(have))
        return opt_op(o, OP_TRUNC, t, v, IR_NONE);
    while (have > t && have > TY_V128)
        v = opt_op(o, OP_VHALF, --have, v, IR_NONE);
    if (have == t)
        return v;
    v = opt_op(o, OP_VGET64, TY_I64, v, IR_NONE);
    return t == TY_I64 ? v : opt_op(o, OP_TRUNC, t, v, IR_NONE);
}

static IrRef do_get(Opt *o, const IrInsn *i)
{
    if (!opt_on(o, PASS_GET_PUT))
        return ir_emit(o->b, i);
    RegId r = i->aux;
    IrType t = (IrType)i->type;
    OptKnown *k = &o->known[opt_slot(r)];
    bool known = k->gen == o->gen;
    if (known) {
        IrRef v = low_part(o, k->ref, t);
        if (v != IR_NONE)
            return v;
    }
    if (t >= TY_I8 && t < TY_I64 && r < REG_TOOL(0) && gimle_reg_size(r) == 8) {
        /* Whole, so that later parts of any width are parts of the same value. */
        IrInsn whole = *i;
        whole.type = TY_I64;
        IrRef v = do_get(o, &whole);
        return opt_op(o, OP_TRUNC, t, v, IR_NONE);
    }
    IrRef v = ir_emit(o->b, i);
    bool raw_flags = known && o->b->insn[k->ref].type == TY_FLAGS;
    if (!o->in_cold && !raw_flags)
        *k = (OptKnown){ v, o->gen };
    return v;
}

static void after_native(Opt *o, const NativeInsn *n)
{
    for (unsigned k = 0; k < n->n_ops; k++) {
        if (n->op[k].access & NA_WRITE)
            forget(o, n->op[k].reg);
    }
    if (n->cc_write)
        forget(o, gimle_guest->flags);
    if (n->flags & NF_SP_CONST)
        forget(o, gimle_guest->sp);
    /* Units that change in part (sticky flags, stack tops) are not always listed as operands. */
    for (unsigned r = 0; r < gimle_guest->n_regs; r++) {
        RegClass c = gimle_guest->regs[r].cls;
        if (c == RC_FPU || c == RC_SYS)
            forget(o, (RegId)r);
    }
}

/* ---- memory ------------------------------------------------------------------------------ */

/** Move a constant that is added to the base into the displacement. */
static void fold_address(Opt *o, IrInsn *n)
{
    if (n->arg[0] == IR_NONE || !opt_on(o, PASS_FOLD))
        return;
    const IrInsn *base = &o->b->insn[n->arg[0]];
    uint64_t k;
    if (base->op != OP_ADD || !opt_is_const(o, base->arg[1], &k))
        return;
    int64_t disp = (int64_t)((uint64_t)n->disp + k);
    if (disp != (int32_t)disp)
        return;
    n->disp = disp;
    n->arg[0] = base->arg[0];
}

/* ---- the walk ---------------------------------------------------------------------------- */

/** Copy EXIT_IF; true if the block ends here because it is always taken. */
static bool do_exit_if(Opt *o, IrInsn *n)
{
    uint64_t c;
    if (opt_on(o, PASS_FOLD) && opt_is_const(o, n->arg[0], &c)) {
        if (!c)
            return false;
        if (!o->in_cold) {
            n->op = OP_JUMP;
            n->arg[0] = IR_NONE;
            ir_emit(o->b, n);
            return true;
        }
    }
    ir_emit(o->b, n);
    return false;
}

static IrRef do_call(Opt *o, const IrCopier *c, IrRef i)
{
    const IrInsn *s = &c->src->insn[i];
    uint64_t guard;
    bool known = s->arg[1] != IR_NONE && opt_on(o, PASS_FOLD) &&
                 opt_is_const(o, c->map[s->arg[1]], &guard);
    if (known && !guard && s->type == TY_NONE)
        return IR_NONE;
    IrRef r = ir_copy_insn((IrCopier *)c, i);
    if (known && guard)
        o->b->insn[r].arg[1] = IR_NONE;
    if (s->callee->kind != CALLEE_PURE)
        forget_all(o);
    return r;
}

/** Copy instruction @p i with all that is known; true if the block ends with it. */
static bool copy_insn(Opt *o, IrCopier *c, IrRef i)
{
    const IrInsn *s = &c->src->insn[i];
    if (s->op == OP_CALL) {
        c->map[i] = do_call(o, c, i);
        return false;
    }
    IrInsn n = *s;
    for (unsigned k = 0; k < ir_op_info[s->op].nargs; k++)
        n.arg[k] = s->arg[k] == IR_NONE ? IR_NONE : c->map[s->arg[k]];
    unsigned flags = ir_op_info[s->op].flags;
    if (flags & OPF_PURE) {
        c->map[i] = opt_value(o, &n);
        return false;
    }
    if (n.op == OP_GET) {
        c->map[i] = do_get(o, &n);
        return false;
    }
    if (n.op == OP_EXIT_IF)
        return do_exit_if(o, &n);
    if ((flags & OPF_MEM) && n.space != SPACE_STATE)
        fold_address(o, &n);
    c->map[i] = ir_emit(o->b, &n);
    if (n.op == OP_PUT)
        learn(o, n.aux, n.arg[0]);
    else if (n.op == OP_NATIVE)
        after_native(o, o->b->native[n.aux]);
    else if (n.op == OP_STORE && n.space == SPACE_STATE && opt_touches_registers(&n))
        forget_all(o);
    else if (n.op == OP_COLD_BEGIN || n.op == OP_COLD_END)
        o->in_cold = n.op == OP_COLD_BEGIN;
    return flags & OPF_END;
}

IrBlock *opt_run(IrBlock *b, struct Arena *arena, OptStage stage)
{
    CHECK(gimle_guest->n_regs <= OPT_BANK, "%u registers", gimle_guest->n_regs);
    Opt *o = arena_new(arena, Opt);
    IrCopier c = ir_copier(b, arena);
    o->b = c.dst;
    o->passes = ~vex_config()->disabled_passes;
    o->stage = stage;
    o->gen = 1;
    for (IrRef i = 0; i < b->n; i++) {
        if (copy_insn(o, &c, i))
            break;
    }
    opt_drop_dead(o, arena);
    return o->b;
}
