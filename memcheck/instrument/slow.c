/* SPDX-License-Identifier: MIT */
/*
 * Slow mode: every value has its V bits beside it, every access to memory looks at the shadow,
 * and what depends on undefined bits is reported.  A block is entered from fast mode with the
 * mask of undefined registers in TW_UNDEFINED; it leaves with that mask up to date, and goes
 * on in fast mode (or in slow mode for ever with --fast-mode=no, where the mask is not used).
 *
 * Order towards other threads: a store writes the shadow before the data, a load reads the
 * data before the shadow.
 */
#include "slow.h"

#include "base/check.h"
#include "checks.h"
#include "helpers.h"
#include "modes.h"

/* ---- reports ------------------------------------------------------------------------ */

void slow_check_value(Slow *s, IrRef v, unsigned size, IrRef origin)
{
    IrBlock *b = s->x.b;
    if (v == IR_NONE || !s->value_errors)
        return;
    IrRef any = vbits_any(b, v);
    IrRef args[2] = { c64(b, size), origin == IR_NONE ? c64(b, 0) : origin };
    if (size == 0)
        ir_call(b, &mc_helper_bad_cond, any, &args[1], 1);
    else
        ir_call(b, &mc_helper_bad_value, any, args, 2);
}

/* ---- origins ------------------------------------------------------------------------ */

void slow_join_origin(Slow *s, Whence *w, IrRef any, IrRef origin)
{
    IrBlock *b = s->x.b;
    if (!s->origins || any == IR_NONE || origin == IR_NONE || origin == w->origin)
        return;
    if (w->origin == IR_NONE) {
        *w = (Whence){ any, origin };
        return;
    }
    /* 0, not known, is higher than all others. */
    IrRef lower = ir_cmp(b, OP_CMPLTU, ir_binop(b, OP_SUB, origin, c64(b, 1)),
                         ir_binop(b, OP_SUB, w->origin, c64(b, 1)));
    IrRef take = ir_binop(b, OP_OR, lower, ir_unop(b, OP_NOT, TY_I1, w->any));
    w->origin = ir_select(b, ir_binop(b, OP_AND, take, any), origin, w->origin);
    w->any = ir_binop(b, OP_OR, w->any, any);
}

/** Likewise the value of source ref @p a. */
static void join_value(Slow *s, Whence *w, IrRef a)
{
    if (s->origins && s->vbits[a] != IR_NONE && s->origin[a] != IR_NONE)
        slow_join_origin(s, w, vbits_any(s->x.b, s->vbits[a]), s->origin[a]);
}

IrRef slow_get_origin(Slow *s, RegId r)
{
    if (!s->origins || regmask_bit(r) == 0)
        return IR_NONE;
    return ir_get(s->x.b, TY_I64, REG_TOOL(mc_origin_word(regmask_bit(r))));
}

void slow_put_origin(Slow *s, RegId r, IrRef origin)
{
    if (s->origins && origin != IR_NONE && regmask_bit(r))
        ir_put(s->x.b, REG_TOOL(mc_origin_word(regmask_bit(r))), origin);
}

/**
 * Source ref @p r was reported, if it is undefined, and counts as defined from here to the next
 * conditional jump: there a block of Valgrind's ends.  Where ours end plays no part, which depends on
 * where fast mode was left.
 */
static void take_as_defined(Slow *s, IrRef r)
{
    if (s->vbits[r] == IR_NONE)
        return;
    s->reported[s->n_reported].ref = r;
    s->reported[s->n_reported++].vbits = s->vbits[r];
    s->vbits[r] = IR_NONE;
}

/** A conditional jump: what was reported before it is undefined again. */
static void forget_reports(Slow *s)
{
    while (s->n_reported > 0) {
        s->n_reported--;
        s->vbits[s->reported[s->n_reported].ref] = s->reported[s->n_reported].vbits;
    }
}

void slow_check_address(Slow *s, IrRef i)
{
    const IrInsn *in = &s->x.src->insn[i];
    IrRef v = IR_NONE;
    Whence w = { IR_NONE, IR_NONE };
    for (int k = 0; k < 2; k++) {
        if (in->arg[k] == IR_NONE)
            continue;
        IrRef a = in->arg[k];
        join_value(s, &w, a);
        v = vbits_or(s->x.b, v, s->vbits[a]);
        take_as_defined(s, a);
    }
    slow_check_value(s, v, gimle_guest->word, w.origin);
}

/* ---- memory ------------------------------------------------------------------------- */

static IrRef or_i1(IrBlock *b, IrRef x, IrRef y)
{
    return x == IR_NONE ? y : ir_binop(b, OP_OR, x, y);
}

static void call_access(Slow *s, const IrCallee *c, IrMem m, unsigned size, IrRef guard)
{
    IrRef args[2] = { mem_address(s->x.b, m), c64(s->x.b, size) };
    ir_call(s->x.b, c, guard, args, 2);
}

Pieces slow_load(Slow *s, IrMem m, unsigned size)
{
    IrBlock *b = s->x.b;
    Pieces p = { .size = size };
    IrRef guard = IR_NONE;
    for (unsigned at = 0; at < size; p.n++) {
        CHECK(p.n < SLOW_MAX_PIECES, "load of %u bytes", size);
        unsigned n = next_piece(size - at);
        p.v[p.n] = ir_load(b, SPACE_SHADOW, ir_type_of_size(n), mem_at(m, at));
        guard = or_i1(b, guard, has_pattern(b, p.v[p.n]));
        at += n;
    }
    call_access(s, &mc_helper_load, m, size, guard);
    for (unsigned k = 0; k < p.n; k++) {
        IrRef fixed = ir_get(b, type_of(b, p.v[k]), REG_TOOL(TW_VBITS + k));
        p.v[k] = ir_select(b, guard, fixed, p.v[k]);
    }
    return p;
}

/** Undefined bytes are stored: where they come from may be asked for later. */
static void note_stored(Slow *s, IrMem m, const Pieces *p)
{
    IrBlock *b = s->x.b;
    IrRef any = IR_NONE;
    for (unsigned k = 0; s->store_origin != IR_NONE && k < p->n; k++)
        if (p->v[k] != IR_NONE)
            any = or_i1(b, any, vbits_any(b, p->v[k]));
    if (any == IR_NONE)
        return;
    ir_cold_begin(b, any);
    instr_note_origin(&s->x, m, s->store_origin, p->size, any);
    ir_cold_end(b);
}

void slow_store(Slow *s, IrMem m, const Pieces *p)
{
    IrBlock *b = s->x.b;
    IrRef guard = IR_NONE, v[SLOW_MAX_PIECES];
    unsigned at = 0;
    for (unsigned k = 0; k < p->n; k++) {
        unsigned n = next_piece(p->size - at);
        IrType t = ir_type_of_size(n);
        guard = or_i1(b, guard, has_pattern(b, ir_load(b, SPACE_SHADOW, t, mem_at(m, at))));
        if (p->v[k] != IR_NONE)
            guard = or_i1(b, guard, has_pattern(b, p->v[k]));
        v[k] = vbits_full(b, t, p->v[k]);
        at += n;
    }
    note_stored(s, m, p);
    ir_cold_begin(b, guard);
    for (unsigned k = 0; k < p->n; k++)
        ir_put(b, REG_TOOL(TW_VBITS + k), v[k]);
    call_access(s, &mc_helper_store, m, p->size, IR_NONE);
    ir_cold_end(b);
    at = 0;
    for (unsigned k = 0; k < p->n; k++) {
        IrType t = type_of(b, v[k]);
        IrRef fixed = ir_get(b, t, REG_TOOL(TW_VBITS + k));
        ir_store(b, SPACE_SHADOW, mem_at(m, at), ir_select(b, guard, fixed, v[k]));
        at += ir_type_size(t);
    }
}

IrRef pieces_join(IrBlock *b, const Pieces *p, IrType t)
{
    IrRef half[SLOW_MAX_PIECES];
    bool none = true;
    for (unsigned k = 0; k < p->n; k++)
        none = none && p->v[k] == IR_NONE;
    if (none)
        return IR_NONE;
    if (p->n == 1)
        return p->v[0];
    unsigned n = p->n;
    CHECK(p->size == ir_type_size(t));
    for (unsigned k = 0; k < n; k++)
        half[k] = vbits_full(b, TY_I64, p->v[k]);
    for (IrType w = TY_V128; w <= t; w++, n /= 2)
        for (unsigned k = 0; k < n / 2; k++) {
            IrInsn in = { .op = w == TY_V128 ? OP_VMAKE64 : OP_VJOIN, .type = (uint8_t)w,
                          .arg = { half[2 * k], half[2 * k + 1], IR_NONE } };
            half[k] = ir_emit(b, &in);
        }
    return half[0];
}

Pieces pieces_split(IrBlock *b, IrRef v, unsigned size)
{
    Pieces p = { .size = size };
    for (unsigned at = 0, n; at < size; at += n, p.n++) {
        n = next_piece(size - at);
        p.v[p.n] = v;
        if (v != IR_NONE && size > 8) {
            IrInsn in = { .op = OP_VGET64, .type = TY_I64, .arg = { v, IR_NONE, IR_NONE },
                          .imm = p.n };
            p.v[p.n] = ir_emit(b, &in);
        }
    }
    return p;
}

/* ---- registers ---------------------------------------------------------------------- */

static unsigned bit_number(uint32_t bit) { return (unsigned)__builtin_ctz(bit); }

void slow_note_written(Slow *s, RegId r)
{
    uint32_t bit = regmask_bit(r);
    s->dirty_gpr &= ~bit;
    s->dirty_other |= bit;
}

void slow_put_vec(Slow *s, RegId r, IrRef v, bool zero_above)
{
    IrBlock *b = s->x.b;
    IrType t = type_of(b, v), top = t;
    if (zero_above)
        top = __builtin_cpu_supports("avx512bw") ? TY_V512 : TY_V256;
    if (top > t)
        v = ir_unop(b, OP_VZEXT, top, v);
    ir_put(b, REG_SHADOW_OF(r), v);
    slow_note_written(s, r);
}

/** V bits of a guest register as a value of type @p t. */
static IrRef get_vbits(Slow *s, RegId r, IrType t)
{
    if (regmask_bit(r) == 0)
        return IR_NONE;
    return ir_get(s->x.b, vbits_type(t), REG_SHADOW_OF(r));
}

/** A guest register was written: so is its shadow. */
static void on_put(Instr *x, const PendingPut *p)
{
    Slow *s = (Slow *)x;
    uint32_t bit = regmask_bit(p->reg);
    if (bit == 0)
        return;
    if (p->vbits != IR_NONE)
        slow_put_origin(s, p->reg, s->origin[p->src]);
    IrType t = vbits_type(type_of(x->b, p->v));
    ir_put(x->b, REG_SHADOW_OF(p->reg), vbits_full(x->b, t, p->vbits));
    if (gimle_reg_size(p->reg) > 8 || bit >= 1u << 16) {
        s->dirty_other |= bit;
        return;
    }
    s->dirty_gpr |= bit;
    s->dirty_other &= ~bit;
    s->put_vbits[bit_number(bit)] = p->vbits;
}

/** Bring the mask of undefined registers up to date: control may leave here. */
static void update_mask(Slow *s)
{
    IrBlock *b = s->x.b;
    if (s->next_mode != MODE_FAST || (s->dirty_gpr | s->dirty_other) == 0)
        return;
    uint32_t dirty = s->dirty_gpr;
    if (dirty) {
        IrRef set = IR_NONE;
        for (uint32_t left = dirty; left; left &= left - 1) {
            unsigned n = bit_number(left);
            if (s->put_vbits[n] == IR_NONE)
                continue;
            IrRef one = ir_unop(b, OP_SEXT, TY_I32, vbits_any(b, s->put_vbits[n]));
            set = vbits_or(b, set, ir_binop(b, OP_AND, one, ir_const(b, TY_I32, 1u << n)));
        }
        IrRef mask = ir_get(b, TY_I32, REG_TOOL(TW_UNDEFINED));
        mask = ir_binop(b, OP_AND, mask, ir_const(b, TY_I32, ~dirty));
        ir_put(b, REG_TOOL(TW_UNDEFINED), vbits_or(b, mask, set));
        if (set != IR_NONE) {
            IrRef stale = ir_get(b, TY_I32, REG_TOOL(TW_STALE));
            ir_put(b, REG_TOOL(TW_STALE), ir_binop(b, OP_OR, stale, set));
        }
    }
    if (s->dirty_other) {
        IrRef arg = c64(b, s->dirty_other);
        ir_call(b, &mc_helper_note_regs, IR_NONE, &arg, 1);
    }
    s->dirty_gpr = s->dirty_other = 0;
}

/* ---- the block ---------------------------------------------------------------------- */

/** On entry from fast mode: shadow registers that fast code made stale become zero. */
static void emit_entry(Slow *s)
{
    IrBlock *b = s->x.b;
    if (s->started)
        return;
    s->started = true;
    instr_count(&s->x, MODE_SLOW);
    places_entry(&s->x);
    if (s->next_mode != MODE_FAST)
        return;
    IrRef stale = ir_get(b, TY_I32, REG_TOOL(TW_STALE));
    IrRef valid = ir_get(b, TY_I32, REG_TOOL(TW_UNDEFINED));
    IrRef old = ir_binop(b, OP_AND, stale, ir_unop(b, OP_NOT, TY_I32, valid));
    ir_call(b, &mc_helper_freshen, nonzero(b, old), NULL, 0);
}

static void emit_load(Slow *s, IrRef i)
{
    const IrInsn *in = &s->x.src->insn[i];
    IrType t = (IrType)in->type;
    slow_check_address(s, i);
    ir_copy_insn(&s->x.copier, i);
    Pieces p = slow_load(s, ir_copy_mem(&s->x.copier, i), ir_type_size(t));
    s->vbits[i] = pieces_join(s->x.b, &p, t);
    if (!s->origins)
        return;
    IrMem m = ir_copy_mem(&s->x.copier, i);
    s->origin[i] = instr_is_pop(&s->x, i)
                       ? instr_popped_origin(&s->x, m, vbits_any(s->x.b, s->vbits[i]))
                       : mem_address(s->x.b, m);
}

static void emit_store(Slow *s, IrRef i)
{
    const IrInsn *in = &s->x.src->insn[i];
    unsigned size = ir_type_size(type_of(s->x.src, in->arg[2]));
    slow_check_address(s, i);
    Pieces p = pieces_split(s->x.b, s->vbits[in->arg[2]], size);
    s->store_origin = s->origins ? s->origin[in->arg[2]] : IR_NONE;
    slow_store(s, ir_copy_mem(&s->x.copier, i), &p);
    ir_copy_insn(&s->x.copier, i);
}

/** Where the lifter called a C function. */
static void emit_call(Slow *s, IrRef i)
{
    const IrInsn *in = &s->x.src->insn[i];
    IrBlock *b = s->x.b;
    IrRef v = IR_NONE;
    for (unsigned k = 0; k < in->sub; k++) {
        IrRef a = s->vbits[s->x.src->extra[in->arg[0] + k]];
        if (a != IR_NONE)
            v = vbits_or(b, v, ir_unop(b, OP_ZEXT, TY_I64, vbits_any(b, a)));
    }
    if (in->callee->kind != CALLEE_PURE)
        slow_check_value(s, v, gimle_guest->word, IR_NONE);
    if (state_image_instrument(s, i))
        return;
    ir_copy_insn(&s->x.copier, i);
    if (in->callee->kind == CALLEE_PURE && v != IR_NONE && in->type != TY_NONE)
        s->vbits[i] = vbits_smear(b, (IrType)in->type, v);
}

/** Exits and ends: report undefined conditions and targets, then leave with everything in place. */
static void emit_exit(Slow *s, IrRef i)
{
    const IrInsn *in = &s->x.src->insn[i];
    if (in->op != OP_JUMP)
        slow_check_value(s, s->vbits[in->arg[0]],
                         in->op == OP_EXIT_IF ? 0 : gimle_guest->word,
                         s->origin[in->arg[0]]);
    s->x.is_call = in->op != OP_EXIT_IF && in->sub == JK_CALL;
    instr_flush_puts(&s->x);
    update_mask(s);
    IrRef r = ir_copy_insn(&s->x.copier, i);
    s->x.b->insn[r].mode = s->next_mode;
    if (in->op == OP_EXIT_IF)
        forget_reports(s);
}

static void emit_put(Slow *s, IrRef i)
{
    const IrInsn *in = &s->x.src->insn[i];
    IrRef v = s->vbits[in->arg[0]];
    if (in->aux == gimle_guest->sp) {
        /* An undefined stack pointer is reported here, and then it is what it is. */
        slow_check_value(s, v, gimle_guest->word, s->origin[in->arg[0]]);
        v = IR_NONE;
    }
    instr_defer_put(&s->x, i, v);
}

/** Any other operation: V bits by its row in vbits.def. */
static void emit_pure(Slow *s, IrRef i)
{
    const IrInsn *in = &s->x.src->insn[i];
    IrRef r = ir_copy_insn(&s->x.copier, i);
    unsigned n = ir_op_nargs((IrOp)in->op);
    IrRef v[3] = { IR_NONE, IR_NONE, IR_NONE };
    Whence w = { IR_NONE, IR_NONE };
    for (unsigned k = 0; k < n; k++) {
        if (in->arg[k] == IR_NONE)
            continue;
        v[k] = s->vbits[in->arg[k]];
        join_value(s, &w, in->arg[k]);
    }
    s->origin[i] = w.origin;
    IrInsn copy = s->x.b->insn[r];
    s->vbits[i] = vbits_of(s->x.b, &copy, v);
}

static void emit_insn(Slow *s, IrRef i)
{
    const IrInsn *in = &s->x.src->insn[i];
    switch (in->op) {
    case OP_IMARK:
        instr_flush_puts(&s->x);
        s->x.at = in->imm;
        ir_copy_insn(&s->x.copier, i);
        emit_entry(s);
        return;
    case OP_GET:
        if (s->x.n_pending)
            instr_flush_puts(&s->x);
        instr_track_sp(&s->x, i);
        ir_copy_insn(&s->x.copier, i);
        s->vbits[i] = get_vbits(s, in->aux, (IrType)in->type);
        s->origin[i] = slow_get_origin(s, in->aux);
        return;
    case OP_PUT:
        emit_put(s, i);
        return;
    case OP_LOAD:
        emit_load(s, i);
        return;
    case OP_STORE:
        emit_store(s, i);
        return;
    case OP_NATIVE:
        native_instrument(s, i);
        return;
    case OP_CALL:
        emit_call(s, i);
        return;
    case OP_EXIT_IF:
    case OP_JUMP:
    case OP_JUMP_IND:
        emit_exit(s, i);
        return;
    default:
        instr_track_sp(&s->x, i);
        emit_pure(s, i);
        return;
    }
}

IrBlock *slow_instrument(void *ctx, IrBlock *src, struct Arena *arena)
{
    Slow s = { .next_mode = (uint8_t)(uintptr_t)ctx, .value_errors = mc_options.undef_value_errors,
               .origins = mc_options.track_origins, .store_origin = IR_NONE };
    instr_init(&s.x, src, arena);
    s.x.on_put = on_put;
    s.vbits = arena_array(arena, IrRef, src->n);
    s.origin = arena_array(arena, IrRef, src->n);
    s.reported = arena_alloc(arena, src->n * sizeof *s.reported);
    for (uint32_t i = 0; i < src->n; i++)
        s.vbits[i] = s.origin[i] = IR_NONE;
    for (uint32_t i = 0; i < src->n; i++)
        emit_insn(&s, i);
    return s.x.b;
}
