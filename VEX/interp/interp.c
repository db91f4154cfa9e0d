/* SPDX-License-Identifier: MIT */
/*
 * Interprets one block.  Values of pure ops come from ir/eval.h, the one definition that the
 * optimiser folds with too; this file adds what touches the world: registers, memory, calls,
 * control.  NATIVE instructions are run by the host back end, one at a time.
 */
#include "interp.h"

#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "host/host.h"
#include "ir/eval.h"
#include "ir/ir_internal.h"
#include "vex.h"

typedef struct Interp {
    VexState *s;
    const IrBlock *b;
    uint64_t *word;   /**< by ref: integer value, or index into wide */
    IrValue *wide;    /**< vector values */
    uint32_t n_wide;
    uint64_t shadow_offset;
    uint32_t next;    /**< instruction to go on with */
    bool left;
} Interp;

/* ---- values ------------------------------------------------------------------------------ */

static IrType type_of(const Interp *in, IrRef r)
{
    return (IrType)in->b->insn[r].type;
}

static void value_get(const Interp *in, IrRef r, IrValue *v)
{
    if (ir_is_vec(type_of(in, r)))
        *v = in->wide[in->word[r]];
    else
        v->u64[0] = in->word[r];
}

static void value_set(Interp *in, IrRef r, const IrValue *v)
{
    if (ir_is_vec(type_of(in, r))) {
        in->word[r] = in->n_wide;
        in->wide[in->n_wide++] = *v;
    } else {
        in->word[r] = v->u64[0];
    }
}

/** Copy a value of type @p t from memory (zero-extended) or to it. */
static void value_read(IrValue *v, IrType t, const void *from)
{
    v->u64[0] = 0;
    memcpy(v, from, ir_type_size(t));
}

static void do_pure(Interp *in, const IrInsn *i, IrRef r)
{
    IrValue a[3], out;
    for (unsigned k = 0; k < ir_op_info[i->op].nargs; k++) {
        if (i->arg[k] != IR_NONE)
            value_get(in, i->arg[k], &a[k]);
        else
            a[k].u64[0] = 0;
    }
    IrType from = ir_op_info[i->op].nargs ? type_of(in, i->arg[0]) : TY_NONE;
    eval_pure(i, from, &a[0], &a[1], &a[2], &out);
    value_set(in, r, &out);
}

/* ---- registers and memory ---------------------------------------------------------------- */

static void do_get(Interp *in, const IrInsn *i, IrRef r)
{
    const char *p = (const char *)in->s + gimle_reg_offset(i->aux);
    IrValue v;
    if (i->type == TY_FLAGS) {
        value_read(&v, TY_I64, p);
        v.u64[0] = eval_flags_of_cc(v.u64[0]);
    } else {
        value_read(&v, (IrType)i->type, p);
    }
    value_set(in, r, &v);
}

static void do_put(Interp *in, const IrInsn *i, IrRef r)
{
    (void)r;
    char *p = (char *)in->s + gimle_reg_offset(i->aux);
    IrType t = type_of(in, i->arg[0]);
    IrValue v;
    value_get(in, i->arg[0], &v);
    if (t == TY_FLAGS) {
        v.u64[0] = eval_cc_of_flags(v.u64[0]);
        t = TY_I64;
    }
    memcpy(p, &v, ir_type_size(t));
}

static uint64_t address(const Interp *in, const IrInsn *i)
{
    uint64_t a = (uint64_t)i->disp;
    if (i->arg[0] != IR_NONE)
        a += in->word[i->arg[0]];
    if (i->arg[1] != IR_NONE)
        a += in->word[i->arg[1]] << i->scale;
    return a;
}

static void *host_address(const Interp *in, const IrInsn *i)
{
    uint64_t a = address(in, i);
    if (i->space == SPACE_SHADOW)
        a += in->shadow_offset;
    else if (i->space == SPACE_STATE)
        a += (uint64_t)(uintptr_t)in->s;
    return (void *)(uintptr_t)a;
}

/** Tell fault handlers what is going on; nothing moves across. */
static void set_access(VexState *s, VexInterpAccess a)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    s->interp_access = a;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void do_load(Interp *in, const IrInsn *i, IrRef r)
{
    IrValue v;
    set_access(in->s, VEX_INTERP_LOAD_STORE);
    value_read(&v, (IrType)i->type, host_address(in, i));
    set_access(in->s, VEX_INTERP_NONE);
    value_set(in, r, &v);
}

static void do_store(Interp *in, const IrInsn *i, IrRef r)
{
    (void)r;
    IrValue v;
    value_get(in, i->arg[2], &v);
    set_access(in->s, VEX_INTERP_LOAD_STORE);
    memcpy(host_address(in, i), &v, ir_type_size(type_of(in, i->arg[2])));
    set_access(in->s, VEX_INTERP_NONE);
}

static void do_native(Interp *in, const IrInsn *i, IrRef r)
{
    (void)r;
    set_access(in->s, VEX_INTERP_NATIVE);
    host_native_exec(in->s, in->b->native[i->aux], address(in, i));
    in->left = in->s->interp_access == VEX_INTERP_FAULTED;
    set_access(in->s, VEX_INTERP_NONE);
}

/* ---- calls and control ------------------------------------------------------------------- */

typedef uint64_t (*HelperFn)(VexState *s, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

static void do_call(Interp *in, const IrInsn *i, IrRef r)
{
    if (i->arg[1] != IR_NONE && !in->word[i->arg[1]])
        return;
    /* By the psABI superfluous register arguments do no harm: one call serves all arities. */
    uint64_t a[5] = { 0 };
    for (unsigned k = 0; k < i->sub; k++)
        a[k] = in->word[in->b->extra[i->arg[0] + k]];
    HelperFn fn = (HelperFn)i->callee->fn;
    uint64_t v = fn(in->s, a[0], a[1], a[2], a[3], a[4]);
    if (i->type != TY_NONE)
        in->word[r] = v & ir_mask((IrType)i->type);
}

static void leave(Interp *in, const IrInsn *i, GuestAddr target)
{
    VexState *s = in->s;
    bool plain = i->sub == JK_BORING || i->sub == JK_CALL || i->sub == JK_RET;
    s->guest.pc = target;
    s->exit_kind = i->sub;
    s->exit_mode = i->mode;
    if (!plain)
        s->exit_reason = VEX_EXIT_KIND;
    else
        s->exit_reason = s->pending ? VEX_EXIT_PENDING : VEX_EXIT_INDIRECT;
    in->left = true;
}

static void do_imark(Interp *in, const IrInsn *i, IrRef r)
{
    (void)r;
    in->s->guest.pc = i->imm;
}

static void do_exit_if(Interp *in, const IrInsn *i, IrRef r)
{
    (void)r;
    if (in->word[i->arg[0]])
        leave(in, i, i->imm);
}

static void do_jump(Interp *in, const IrInsn *i, IrRef r)
{
    (void)r;
    leave(in, i, i->op == OP_JUMP ? i->imm : in->word[i->arg[0]]);
}

static void do_cold_begin(Interp *in, const IrInsn *i, IrRef r)
{
    if (in->word[i->arg[0]])
        return;
    while (in->b->insn[r].op != OP_COLD_END)
        r++;
    in->next = r + 1;
}

static void do_nothing(Interp *in, const IrInsn *i, IrRef r)
{
    (void)in, (void)i, (void)r;
}

typedef void (*DoFn)(Interp *in, const IrInsn *i, IrRef r);

/** Everything but pure ops. */
static const DoFn statement[OP_COUNT] = {
    [OP_IMARK] = do_imark, [OP_GET] = do_get, [OP_PUT] = do_put, [OP_LOAD] = do_load,
    [OP_STORE] = do_store, [OP_NATIVE] = do_native, [OP_CALL] = do_call,
    [OP_EXIT_IF] = do_exit_if, [OP_JUMP] = do_jump, [OP_JUMP_IND] = do_jump,
    [OP_COLD_BEGIN] = do_cold_begin, [OP_COLD_END] = do_nothing,
};

static uint32_t count_vectors(const IrBlock *b)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < b->n; k++)
        n += ir_is_vec((IrType)b->insn[k].type);
    return n;
}

void interp_run(VexState *s, const IrBlock *b)
{
    Interp in = {
        .s = s,
        .b = b,
        .word = arena_array(b->arena, uint64_t, b->n),
        .wide = arena_array(b->arena, IrValue, count_vectors(b)),
        .shadow_offset = vex_config()->shadow_offset,
    };
    s->cur_mode = b->mode;
    while (!in.left) {
        CHECK(in.next < b->n, "block 0x%llx does not end", (unsigned long long)b->addr);
        IrRef r = in.next++;
        const IrInsn *i = &b->insn[r];
        DoFn fn = statement[i->op];
        (fn ? fn : do_pure)(&in, i, r);
    }
}
