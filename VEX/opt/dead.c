/* SPDX-License-Identifier: MIT */
/*
 * The walk backwards: which PUTs are overwritten before anything can see them, and which values
 * nobody uses; what remains is moved together in place.
 *
 * "Can see" means: a GET or NATIVE that reads the register, and every point where control may
 * leave or an exception may show the registers.  Condition codes are shown by exceptions too,
 * but a guest cannot rely on dead ones there, so for them only leaving counts.
 */
#include <string.h>

#include "base/arena.h"
#include "ir/eval.h"
#include "gimle/native.h"
#include "opt_internal.h"

typedef struct Dead {
    Opt *o;
    uint8_t *needed;                /**< by ref */
    uint16_t covered[OPT_REG_SLOTS]; /**< by opt_slot(): low bytes to be overwritten unseen */
    uint32_t gen_of[OPT_REG_SLOTS]; /**< covered[] is valid if equal to gen */
    uint32_t gen;
    uint16_t flags_covered;         /**< covered[] of the condition codes, which outlive gen */
    bool in_cold;
    GuestAddr imark;                /**< guest instruction of the present one, 0 if not known */
} Dead;

static uint16_t *covered(Dead *d, RegId r)
{
    if (r == gimle_guest->flags)
        return &d->flags_covered;
    unsigned slot = opt_slot(r);
    if (d->gen_of[slot] != d->gen) {
        d->gen_of[slot] = d->gen;
        d->covered[slot] = 0;
    }
    return &d->covered[slot];
}

/** All registers but the condition codes can be seen here. */
static void show_registers(Dead *d)
{
    d->gen++;
}

static void show_all(Dead *d)
{
    d->gen++;
    d->flags_covered = 0;
}

static unsigned put_bytes(const Dead *d, const IrInsn *i)
{
    IrType t = (IrType)d->o->b->insn[i->arg[0]].type;
    return t == TY_FLAGS ? 8 : ir_type_size(t);
}

/** True if the PUT @p i is needed. */
static bool at_put(Dead *d, const IrInsn *i)
{
    unsigned n = put_bytes(d, i);
    uint16_t *c = covered(d, i->aux);
    if (n <= *c && opt_on(d->o, PASS_DEAD_PUT))
        return false;
    if (!d->in_cold && n > *c)
        *c = (uint16_t)n;
    return true;
}

static void at_native(Dead *d, const IrInsn *i)
{
    const NativeInsn *n = d->o->b->native[i->aux];
    show_registers(d);
    for (unsigned k = 0; k < n->n_ops; k++) {
        if (n->op[k].reg != REG_NONE)
            *covered(d, n->op[k].reg) = 0;
    }
    if (n->cc_read || (n->flags & NF_FLAGS_MAYBE))
        d->flags_covered = 0;
    else if ((n->cc_write & RF_CODES) == RF_CODES && !d->in_cold)
        d->flags_covered = 8;
}

/** Control leaves. An exit to another guest instruction here needs the flags as the end does. */
static void at_exit(Dead *d, const IrInsn *i)
{
    const IrBlock *b = d->o->b;
    bool plain = i->sub == JK_BORING || i->sub == JK_CALL || i->sub == JK_RET;
    bool elsewhere = i->op == OP_JUMP_IND || (d->imark && i->imm != d->imark);
    bool flags_dead = plain && elsewhere && !b->flags_live_out && i->mode == b->mode;
    show_registers(d);
    if (!flags_dead)
        d->flags_covered = 0;
    else if (i->op != OP_EXIT_IF)
        d->flags_covered = 8;
}

/** What instruction @p i lets be seen; true if it must stay whether or not its value is used. */
static bool visit(Dead *d, const IrInsn *i)
{
    switch (i->op) {
    case OP_PUT:
        return at_put(d, i);
    case OP_GET:
        return false;
    case OP_LOAD:
    case OP_STORE:
        if (i->space != SPACE_STATE)
            show_registers(d);
        else if (opt_touches_registers(i))
            show_all(d);
        return true;
    case OP_NATIVE:
        at_native(d, i);
        return true;
    case OP_CALL:
        if (ir_is_pure_call(i))
            return false;
        show_all(d);
        return true;
    case OP_EXIT_IF:
    case OP_JUMP:
    case OP_JUMP_IND:
        at_exit(d, i);
        return true;
    case OP_COLD_BEGIN:
    case OP_COLD_END:
        d->in_cold = i->op == OP_COLD_END;
        return true;
    default:
        return ir_op_info[i->op].flags & OPF_EFFECT;
    }
}

static void mark(Dead *d)
{
    IrBlock *b = d->o->b;
    IrRef *slot[IR_MAX_ARGS];
    bool keep_all = !opt_on(d->o, PASS_DCE);
    IrRef mark_at = b->n;
    for (IrRef r = b->n; r-- > 0;) {
        IrInsn *i = &b->insn[r];
        if ((i->op == OP_EXIT_IF || i->op == OP_JUMP) && r < mark_at) {
            /* Exits need the address of their guest instruction: look it up once for each. */
            mark_at = r;
            while (mark_at > 0 && b->insn[mark_at].op != OP_IMARK)
                mark_at--;
            d->imark = b->insn[mark_at].op == OP_IMARK ? b->insn[mark_at].imm : 0;
        }
        bool must = visit(d, i);
        if (!must && !d->needed[r] && !(keep_all && i->op != OP_PUT))
            continue;
        d->needed[r] = 1;
        if (i->op == OP_GET)
            *covered(d, i->aux) = 0;
        unsigned n = ir_arg_slots(b, i, slot);
        for (unsigned k = 0; k < n; k++)
            d->needed[*slot[k]] = 1;
    }
}

static void squeeze(Dead *d, struct Arena *arena)
{
    IrBlock *b = d->o->b;
    IrRef *slot[IR_MAX_ARGS];
    IrRef *map = arena_alloc_raw(arena, b->n * sizeof *map);
    uint32_t n = 0;
    for (IrRef r = 0; r < b->n; r++) {
        if (!d->needed[r])
            continue;
        IrInsn *i = &b->insn[n];
        if (n != r)
            *i = b->insn[r];
        unsigned args = ir_arg_slots(b, i, slot);
        for (unsigned k = 0; k < args; k++)
            *slot[k] = map[*slot[k]];
        map[r] = n++;
    }
    b->n = n;
}

void opt_drop_dead(Opt *o, struct Arena *arena)
{
    if (!opt_on(o, PASS_DEAD_PUT) && !opt_on(o, PASS_DCE))
        return;
    Dead *d = arena_new(arena, Dead);
    d->o = o;
    d->gen = 1;
    d->needed = arena_alloc(arena, o->b->n);
    mark(d);
    squeeze(d, arena);
}
