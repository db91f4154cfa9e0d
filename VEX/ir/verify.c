/* SPDX-License-Identifier: MIT */
/*
 * Is a block well-formed?  Checks the rules of ir.h: types, order of definitions and uses, one
 * end at the end, cold regions, precise state between IMARKs.  It only reads the block, whatever
 * nonsense that holds, and says what is wrong first.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "ir_internal.h"
#include "gimle/native.h"

typedef struct Verifier {
    const IrBlock *b;
    uint32_t at;           /**< instruction being checked */
    const char *msg;       /**< first complaint */
    bool in_cold;
    uint32_t cold_start;   /**< first instruction of the current or last cold region */
    uint8_t *hidden;       /**< by instruction: 1 if defined in a closed cold region */
    GuestAddr imark;       /**< present guest instruction */
    bool has_imark;
    IrRef put;             /**< first PUT of a guest register in it, or IR_NONE */
} Verifier;

static void complain(Verifier *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void complain(Verifier *v, const char *fmt, ...)
{
    if (v->msg)
        return;
    char text[160];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    v->msg = arena_printf(v->b->arena, "t%u %s: %s", v->at, ir_op_name((IrOp)v->b->insn[v->at].op),
                          text);
}

/** The type of ref @p r as an argument here; TY_NONE (and a complaint) if it may not be used. */
static IrType use(Verifier *v, IrRef r)
{
    if (r == IR_NONE)
        complain(v, "argument missing");
    else if (r >= v->at)
        complain(v, "uses t%u, which is not defined before", r);
    else if (v->b->insn[r].type == TY_NONE)
        complain(v, "uses t%u, which has no value", r);
    else if (v->hidden[r])
        complain(v, "uses t%u from a cold region that has ended", r);
    else
        return (IrType)v->b->insn[r].type;
    return TY_NONE;
}

static void want(Verifier *v, IrRef r, IrType t)
{
    IrType got = use(v, r);
    if (got != t)
        complain(v, "t%u is %s, not %s", r, ir_type_name(got), ir_type_name(t));
}

static void want_absent(Verifier *v, IrRef r)
{
    if (r != IR_NONE)
        complain(v, "superfluous argument t%u", r);
}

static void want_result(Verifier *v, bool ok, const char *what)
{
    if (!ok)
        complain(v, "result is %s, not %s", ir_type_name((IrType)v->b->insn[v->at].type), what);
}

static bool is_memory_type(IrType t)
{
    return ir_is_int(t) || ir_is_vec(t);
}

/* ---- pure ops, by shape ------------------------------------------------------------------ */

static void check_un(Verifier *v, const IrInsn *i)
{
    IrType t = (IrType)i->type;
    want(v, i->arg[0], t);
    if (i->op == OP_NOT)
        want_result(v, t == TY_I1 || is_memory_type(t), "I1, an integer or a vector");
    else if (i->op == OP_BSWAP)
        want_result(v, ir_is_int(t) && t != TY_I8, "I16, I32 or I64");
    else
        want_result(v, ir_is_int(t), "an integer");
}

static void check_bin(Verifier *v, const IrInsn *i)
{
    IrType t = (IrType)i->type;
    want(v, i->arg[0], t);
    want(v, i->arg[1], t);
    if (ir_op_info[i->op].shape == SHAPE_BIN)
        want_result(v, t == TY_I1 || is_memory_type(t), "I1, an integer or a vector");
    else
        want_result(v, ir_is_int(t), "an integer");
}

static void check_shift(Verifier *v, const IrInsn *i)
{
    want(v, i->arg[0], (IrType)i->type);
    want(v, i->arg[1], TY_I8);
    want_result(v, ir_is_int((IrType)i->type), "an integer");
    if (v->msg)
        return;
    const IrInsn *n = &v->b->insn[i->arg[1]];
    if (n->op == OP_CONST && n->imm >= ir_bits((IrType)i->type))
        complain(v, "count %u is not below the width", (unsigned)n->imm);
}

static void check_cmp(Verifier *v, const IrInsn *i)
{
    IrType t = use(v, i->arg[0]);
    want(v, i->arg[1], t);
    bool eq = i->op == OP_CMPEQ || i->op == OP_CMPNE;
    if (!ir_is_int(t) && !(eq && ir_is_vec(t)))
        complain(v, "compares values of type %s", ir_type_name(t));
    want_result(v, i->type == TY_I1, "I1");
}

static void check_conv(Verifier *v, const IrInsn *i)
{
    IrType from = use(v, i->arg[0]), to = (IrType)i->type;
    bool ok;
    if (i->op == OP_FLAGS_BITS)
        ok = from == TY_FLAGS && to == TY_I64;
    else if (i->op == OP_BITS_FLAGS)
        ok = from == TY_I64 && to == TY_FLAGS;
    else if (i->op == OP_TRUNC)
        ok = ir_is_int(from) && to >= TY_I1 && to < from;
    else
        ok = ir_is_int(to) && from >= TY_I1 && from < to;
    if (!ok)
        complain(v, "cannot go from %s to %s", ir_type_name(from), ir_type_name(to));
}

static void check_sel(Verifier *v, const IrInsn *i)
{
    want(v, i->arg[0], TY_I1);
    want(v, i->arg[1], (IrType)i->type);
    want(v, i->arg[2], (IrType)i->type);
}

static void check_lanes(Verifier *v, const IrInsn *i)
{
    IrShape shape = (IrShape)ir_op_info[i->op].shape;
    want(v, i->arg[0], (IrType)i->type);
    if (shape == SHAPE_LBIN)
        want(v, i->arg[1], (IrType)i->type);
    want_result(v, ir_is_vec((IrType)i->type), "a vector");
    if (i->sub > LANE_64)
        complain(v, "lane width %u", i->sub);
    if (shape != SHAPE_LSHIFT)
        return;
    if (i->sub == LANE_8 || (i->op == OP_LSARI && i->sub == LANE_64))
        complain(v, "no shifts of lanes of this width");
    if (i->imm >= 8u << i->sub)
        complain(v, "count %u is not below the width of a lane", (unsigned)i->imm);
}

static void check_vget(Verifier *v, const IrInsn *i)
{
    IrType from = use(v, i->arg[0]);
    IrType to = (IrType)i->type;
    bool ok = i->op == OP_VGET64 ? ir_is_vec(from) && to == TY_I64
                                 : (from == TY_V256 || from == TY_V512) && to == from - 1;
    if (!ok)
        complain(v, "cannot take %s from %s", ir_type_name(to), ir_type_name(from));
    else if (i->imm >= ir_type_size(from) / ir_type_size(to))
        complain(v, "there is no part %u", (unsigned)i->imm);
}

static void check_vmake(Verifier *v, const IrInsn *i)
{
    IrType from = use(v, i->arg[0]), to = (IrType)i->type;
    want(v, i->arg[1], from);
    bool ok = i->op == OP_VMAKE64 ? from == TY_I64 && to == TY_V128
                                  : (from == TY_V128 || from == TY_V256) && to == from + 1;
    if (!ok)
        complain(v, "cannot make %s of two %s", ir_type_name(to), ir_type_name(from));
}

static void check_vconv(Verifier *v, const IrInsn *i)
{
    IrType from = use(v, i->arg[0]), to = (IrType)i->type;
    if (!(ir_is_vec(to) && (from == TY_I32 || from == TY_I64 || (ir_is_vec(from) && from < to))))
        complain(v, "cannot go from %s to %s", ir_type_name(from), ir_type_name(to));
}

/* Types of the arguments of each kind of FLAGS. */
enum FlagArg { FA_NONE, FA_WIDTH, FA_I8, FA_I64, FA_FLAGS };
static const uint8_t flag_args[FK_COUNT][3] = {
    [FK_ADD] = { FA_WIDTH, FA_WIDTH, FA_NONE },  [FK_ADC] = { FA_WIDTH, FA_WIDTH, FA_I64 },
    [FK_SUB] = { FA_WIDTH, FA_WIDTH, FA_NONE },  [FK_SBB] = { FA_WIDTH, FA_WIDTH, FA_I64 },
    [FK_LOGIC] = { FA_WIDTH, FA_NONE, FA_NONE }, [FK_INC] = { FA_WIDTH, FA_NONE, FA_FLAGS },
    [FK_DEC] = { FA_WIDTH, FA_NONE, FA_FLAGS },  [FK_SHL] = { FA_WIDTH, FA_I8, FA_FLAGS },
    [FK_SHR] = { FA_WIDTH, FA_I8, FA_FLAGS },    [FK_SAR] = { FA_WIDTH, FA_I8, FA_FLAGS },
    [FK_ROL] = { FA_WIDTH, FA_I8, FA_FLAGS },    [FK_ROR] = { FA_WIDTH, FA_I8, FA_FLAGS },
    [FK_MULS] = { FA_WIDTH, FA_WIDTH, FA_NONE },
};

static void check_flags(Verifier *v, const IrInsn *i)
{
    want_result(v, i->type == TY_FLAGS, "FLAGS");
    if (i->sub >= FK_COUNT || !ir_is_int((IrType)i->aux)) {
        complain(v, "kind %u of width %u", i->sub, i->aux);
        return;
    }
    for (unsigned k = 0; k < 3; k++) {
        const IrType t[] = { TY_NONE, (IrType)i->aux, TY_I8, TY_I64, TY_FLAGS };
        enum FlagArg a = flag_args[i->sub][k];
        if (a == FA_NONE)
            want_absent(v, i->arg[k]);
        else
            want(v, i->arg[k], t[a]);
    }
}

static void check_cond(Verifier *v, const IrInsn *i)
{
    want(v, i->arg[0], TY_FLAGS);
    want_result(v, i->type == TY_I1, "I1");
    if (i->sub > CC_G)
        complain(v, "condition %u", i->sub);
}

/* ---- registers, memory, statements ------------------------------------------------------- */

static bool is_register(RegId r)
{
    if (r >= REG_TOOL(0))
        return r < REG_TOOL(REG_TOOL_WORDS);
    return (r & (REG_SHADOW - 1)) < gimle_guest->n_regs;
}

/** May a value of type @p t be got from (or, @p whole, put to) register @p r? */
static void check_reg(Verifier *v, RegId r, IrType t, bool whole)
{
    if (!is_register(r)) {
        complain(v, "there is no register %#x", r);
        return;
    }
    unsigned size = gimle_reg_size(r);
    bool partial_ok = r >= REG_TOOL(0) || size > 8;
    bool ok = t == TY_FLAGS ? r == gimle_guest->flags
                            : is_memory_type(t) && ir_type_size(t) <= size &&
                                  (!whole || partial_ok || ir_type_size(t) == size);
    char buf[24];
    if (!ok)
        complain(v, "%s does not go with %s", ir_type_name(t), gimle_reg_name(r, buf));
}

static void check_nullary(Verifier *v, const IrInsn *i)
{
    IrType t = (IrType)i->type;
    if (i->op == OP_GET)
        check_reg(v, i->aux, t, false);
    else
        want_result(v, t == TY_I1 || is_memory_type(t), "I1, an integer or a vector");
    if (i->op == OP_CONST && !ir_is_vec(t) && !v->msg && (i->imm & ~ir_mask(t)))
        complain(v, "value %#llx is too wide", (unsigned long long)i->imm);
}

static void check_mem(Verifier *v, const IrInsn *i)
{
    for (unsigned k = 0; k < 2; k++) {
        if (i->arg[k] != IR_NONE)
            want(v, i->arg[k], TY_I64);
    }
    if (i->scale > 3)
        complain(v, "scale %u", i->scale);
    if (i->op == OP_NATIVE)
        return;
    if (i->space > SPACE_STATE)
        complain(v, "space %u", i->space);
    if (i->space == SPACE_STATE && (i->arg[0] != IR_NONE || i->arg[1] != IR_NONE))
        complain(v, "the state is accessed by displacement only");
}

/** A point where the guest's registers must have the values of the instruction's start. */
static void check_precise(Verifier *v)
{
    if (v->put != IR_NONE)
        complain(v, "may fault or leave after the PUT t%u of the same guest instruction", v->put);
}

static void check_imark(Verifier *v, const IrInsn *i)
{
    if (v->in_cold)
        complain(v, "in a cold region");
    v->imark = i->imm;
    v->has_imark = true;
    v->put = IR_NONE;
}

static void check_put(Verifier *v, const IrInsn *i)
{
    check_reg(v, i->aux, use(v, i->arg[0]), true);
    if (i->aux < REG_SHADOW && v->put == IR_NONE && v->has_imark)
        v->put = v->at;
}

static void check_load(Verifier *v, const IrInsn *i)
{
    check_mem(v, i);
    want_result(v, is_memory_type((IrType)i->type), "an integer or a vector");
    if (i->space != SPACE_STATE)
        check_precise(v);
}

static void check_store(Verifier *v, const IrInsn *i)
{
    check_mem(v, i);
    IrType t = use(v, i->arg[2]);
    if (!is_memory_type(t))
        complain(v, "cannot store %s", ir_type_name(t));
    if (i->space != SPACE_STATE)
        check_precise(v);
}

static void check_native(Verifier *v, const IrInsn *i)
{
    check_mem(v, i);
    check_precise(v);
    if (i->aux >= v->b->n_native || !v->b->native[i->aux])
        complain(v, "there is no payload %u", i->aux);
    else if (v->b->native[i->aux]->len == 0 || v->b->native[i->aux]->len > 15 ||
             v->b->native[i->aux]->n_ops > NATIVE_MAX_OPS)
        complain(v, "bad payload %u", i->aux);
}

static void check_call(Verifier *v, const IrInsn *i)
{
    const IrCallee *c = i->callee;
    if (!c || i->sub != c->nargs || c->nargs > 5 || c->kind > CALLEE_ENTRY ||
        (c->kind == CALLEE_ENTRY && (c->nargs > 2 || c->ret != TY_NONE))) {
        complain(v, "callee and arguments do not fit");
        return;
    }
    if (i->sub && (i->arg[0] > v->b->n_extra || v->b->n_extra - i->arg[0] < i->sub)) {
        complain(v, "arguments are not there");
        return;
    }
    for (unsigned k = 0; k < i->sub; k++) {
        IrType t = use(v, v->b->extra[i->arg[0] + k]);
        if (t != TY_I1 && !ir_is_int(t))
            complain(v, "argument %u of %s is %s", k, c->name, ir_type_name(t));
    }
    if (i->arg[1] != IR_NONE)
        want(v, i->arg[1], TY_I1);
    want_result(v, i->type == c->ret && (c->ret == TY_NONE || c->ret == TY_I1 || ir_is_int(c->ret)),
                "what the callee returns");
    if (c->kind != CALLEE_PURE)
        check_precise(v);
}

static void check_target(Verifier *v, const IrInsn *i)
{
    if (i->sub >= JK_COUNT)
        complain(v, "jump kind %u", i->sub);
}

static void check_exit_if(Verifier *v, const IrInsn *i)
{
    want(v, i->arg[0], TY_I1);
    check_target(v, i);
    /* An exit to elsewhere ends the guest instruction: what it did before stays done. */
    if (i->imm == v->imark)
        check_precise(v);
}

static void check_jump(Verifier *v, const IrInsn *i)
{
    check_target(v, i);
    if (i->op == OP_JUMP_IND)
        want(v, i->arg[0], TY_I64);
    if (v->in_cold)
        complain(v, "in a cold region");
}

static void check_cold_begin(Verifier *v, const IrInsn *i)
{
    want(v, i->arg[0], TY_I1);
    if (v->in_cold)
        complain(v, "cold regions do not nest");
    v->in_cold = true;
    v->cold_start = v->at;
}

static void check_cold_end(Verifier *v, const IrInsn *i)
{
    (void)i;
    if (!v->in_cold)
        complain(v, "there is no cold region to end");
    for (uint32_t k = v->cold_start; v->in_cold && k < v->at; k++)
        v->hidden[k] = 1;
    v->in_cold = false;
}

typedef void (*CheckFn)(Verifier *v, const IrInsn *i);

static const CheckFn by_shape[] = {
    [SHAPE_NULLARY] = check_nullary, [SHAPE_UN] = check_un, [SHAPE_BIN] = check_bin,
    [SHAPE_BINI] = check_bin, [SHAPE_SHIFT] = check_shift, [SHAPE_CMP] = check_cmp,
    [SHAPE_CONV] = check_conv, [SHAPE_SEL] = check_sel, [SHAPE_LUN] = check_lanes,
    [SHAPE_LBIN] = check_lanes, [SHAPE_LSHIFT] = check_lanes, [SHAPE_VGET] = check_vget,
    [SHAPE_VMAKE] = check_vmake, [SHAPE_VCONV] = check_vconv, [SHAPE_FLAGS] = check_flags,
    [SHAPE_COND] = check_cond,
};

/** Statements in the order of irops.def. */
static const CheckFn statement[OP_COUNT] = {
    [OP_IMARK] = check_imark, [OP_PUT] = check_put, [OP_LOAD] = check_load,
    [OP_STORE] = check_store, [OP_NATIVE] = check_native, [OP_CALL] = check_call,
    [OP_EXIT_IF] = check_exit_if, [OP_JUMP] = check_jump, [OP_JUMP_IND] = check_jump,
    [OP_COLD_BEGIN] = check_cold_begin, [OP_COLD_END] = check_cold_end,
};

static void check_insn(Verifier *v, const IrInsn *i)
{
    if (i->op >= OP_COUNT || i->type >= TY_COUNT) {
        complain(v, "no such op (%u) or type (%u)", i->op, i->type);
        return;
    }
    const IrOpInfo *info = &ir_op_info[i->op];
    bool valued = i->op == OP_LOAD || i->op == OP_CALL || info->shape != SHAPE_STMT;
    if (!valued)
        want_result(v, i->type == TY_NONE, "NONE");
    (info->shape == SHAPE_STMT ? statement[i->op] : by_shape[info->shape])(v, i);
    bool last = v->at == v->b->n - 1;
    if (!!(info->flags & OPF_END) != last)
        complain(v, last ? "the block does not end here" : "ends the block before its end");
}

const char *ir_verify(const IrBlock *b)
{
    if (b->n == 0)
        return "block is empty";
    Verifier v = { .b = b, .put = IR_NONE, .hidden = arena_alloc(b->arena, b->n) };
    for (; v.at < b->n && !v.msg; v.at++)
        check_insn(&v, &b->insn[v.at]);
    return v.msg;
}
