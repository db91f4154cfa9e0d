/* SPDX-License-Identifier: MIT */
/*
 * Fast mode: guest code that runs on the assumption that everything it reads is defined and
 * addressable.  Nothing is computed on V bits; the block tests once that no register it reads
 * is undefined, and before each access to memory that the shadow of what it reads is zero.
 * Where the assumption fails the block leaves to slow mode at the same guest instruction, so
 * this code never reports and never decides anything that slow mode would decide otherwise.
 *
 * When all inputs are defined the definedness rules give defined outputs; so a register that a
 * fast block overwrites is defined afterwards.  Its bit is cleared at the beginning of the
 * stretch of straight code that overwrites it: until then nothing reads it, and if the block is
 * left to slow mode in between, slow mode runs the rest of the same stretch.
 */
#include "base/check.h"
#include "checks.h"
#include "helpers.h"
#include "modes.h"

/** Register use of a block, by stretches that end with an exit. */
typedef struct Usage {
    MoveInfo moves;
    uint32_t need;        /**< used before they are overwritten */
    uint32_t moved;       /**< only moved on before they are overwritten */
    uint32_t written;     /**< overwritten so far */
    uint32_t *clear;      /**< by stretch: bits to be cleared at its start */
    RegUse *use;          /**< by ref of what touches registers: how */
    uint32_t *used_after; /**< by ref: registers that are used before anything overwrites them */
    unsigned n_stretch;
} Usage;

/* ---- which registers a block reads and writes --------------------------------------- */

static bool touches_registers(unsigned op)
{
    return op == OP_GET || op == OP_PUT || op == OP_NATIVE;
}

/** The next instruction does @p r with the registers. */
static void measure_insn(Usage *u, RegUse r)
{
    uint32_t writes = r.writes | r.loads;
    /* Registers that share a bit must be defined even to be overwritten: see regmask.h. */
    u->need |= (r.reads | (writes & RM_GROUP)) & ~u->written;
    u->moved |= r.moves & ~u->written;
    writes &= ~u->need & ~u->moved & ~u->written;
    u->clear[u->n_stretch] |= writes;
    u->written |= writes;
}

/** What the first @p n instructions of the block do with the registers. */
static void measure(const IrBlock *src, uint32_t n, Usage *u)
{
    for (uint32_t i = 0; i < src->n; i++) {
        unsigned op = src->insn[i].op;
        if (touches_registers(op)) {
            u->use[i] = (RegUse){ 0 };
            use_add(&u->use[i], &u->moves, src, i);
            if (i < n)
                measure_insn(u, u->use[i]);
        } else if (op == OP_EXIT_IF && i < n) {
            u->clear[++u->n_stretch] = 0;
        }
    }
    u->moved &= ~u->need;
    uint32_t used = 0;
    for (uint32_t i = src->n; i-- > 0;) {
        u->used_after[i] = used;
        if (touches_registers(src->insn[i].op)) {
            RegUse r = u->use[i];
            used = (used & ~(r.writes | r.loads)) | r.reads;
        }
    }
}

/**
 * Where to go on if a load by @p i into @p dst is not defined: where the value is soon used carry
 * mode is no good.
 */
static unsigned load_mode(const Usage *u, IrRef i, RegId dst)
{
    return u->used_after[i] & regmask_bit(dst) ? MODE_SLOW : MODE_CARRY;
}

/* ---- the block ---------------------------------------------------------------------- */

/** Test on entry: leave if a register that is read may be undefined. */
static void emit_entry(Instr *x, const Usage *u)
{
    IrBlock *b = x->b;
    uint32_t clear = u->clear[0], all = u->need | u->moved | clear;
    if (all == 0)
        return;
    IrRef mask = ir_get(b, TY_I32, REG_TOOL(TW_UNDEFINED));
    IrRef hit = nonzero(b, ir_binop(b, OP_AND, mask, ir_const(b, TY_I32, all)));
    if (clear == 0 && u->moved == 0) {
        leave_if(x, hit, MODE_SLOW, REASON_ENTRY);
        return;
    }
    ir_cold_begin(b, hit);
    if (u->need)
        leave_if(x, nonzero(b, ir_binop(b, OP_AND, mask, ir_const(b, TY_I32, u->need))), MODE_SLOW,
                 REASON_ENTRY);
    if (u->moved)
        leave_if(x, nonzero(b, ir_binop(b, OP_AND, mask, ir_const(b, TY_I32, u->moved))),
                 MODE_CARRY, REASON_ENTRY);
    if (clear)
        ir_put(b, REG_TOOL(TW_UNDEFINED), ir_binop(b, OP_AND, mask, ir_const(b, TY_I32, ~clear)));
    ir_cold_end(b);
}

/** A stretch after an exit begins. */
static void emit_clear(Instr *x, uint32_t clear)
{
    if (clear == 0)
        return;
    IrRef mask = ir_get(x->b, TY_I32, REG_TOOL(TW_UNDEFINED));
    ir_put(x->b, REG_TOOL(TW_UNDEFINED),
           ir_binop(x->b, OP_AND, mask, ir_const(x->b, TY_I32, ~clear)));
}

static void emit_native(Instr *x, const Usage *u, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    const NativeInsn *n = x->src->native[in->aux];
    if (n->mem_access) {
        Move m = move_at(&u->moves, x->src, i);
        check_native(x, i, m.kind == MOVE_LOAD ? load_mode(u, i, m.dst) : MODE_SLOW);
    }
    bool sp = native_writes_sp(n);
    IrRef old = sp ? instr_sp_before_native(x, n) : IR_NONE;
    ir_copy_insn(&x->copier, i);
    if (sp)
        instr_sp_after_native(x, n, old);
}

static void emit_insn(Instr *x, const Usage *u, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    switch (in->op) {
    case OP_IMARK:
        if (x->n_pending)
            instr_flush_puts(x);
        x->at = in->imm;
        ir_emit(x->b, in);
        return;
    case OP_CONST:
        x->copier.map[i] = ir_emit(x->b, in);
        return;
    case OP_PUT:
        instr_defer_put(x, i, IR_NONE);
        return;
    case OP_JUMP:
    case OP_JUMP_IND:
        x->is_call = in->sub == JK_CALL;
        instr_flush_puts(x);
        break;
    case OP_GET:
        if (x->n_pending)
            instr_flush_puts(x);
        if (in->aux == gimle_guest->sp)
            instr_track_sp(x, i);
        x->copier.map[i] = ir_emit(x->b, in);
        return;
    case OP_EXIT_IF:
        instr_flush_puts(x);
        break;
    case OP_LOAD:
        if (in->space == SPACE_GUEST)
            check_access(x, ir_copy_mem(&x->copier, i), ir_mem_of(in),
                         ir_type_size((IrType)in->type), NA_READ,
                         !u->moves.only_moved[i]
                             ? MODE_SLOW
                             : load_mode(u, u->moves.put_at[i],
                                         x->src->insn[u->moves.put_at[i]].aux));
        break;
    case OP_STORE:
        if (in->space == SPACE_GUEST)
            check_access(x, ir_copy_mem(&x->copier, i), ir_mem_of(in),
                         ir_type_size(type_of(x->src, in->arg[2])), NA_WRITE, MODE_SLOW);
        break;
    case OP_NATIVE:
        emit_native(x, u, i);
        return;
    default:
        break;
    }
    instr_track_sp(x, i);
    ir_copy_insn(&x->copier, i);
}

IrBlock *fast_instrument(void *ctx, IrBlock *src, struct Arena *arena)
{
    (void)ctx;
    Usage u = { .clear = arena_array(arena, uint32_t, src->n + 1),
                .use = arena_alloc_raw(arena, src->n * sizeof *u.use),
                .used_after = arena_alloc_raw(arena, src->n * sizeof *u.used_after) };
    moves_find(&u.moves, src, arena);
    uint32_t n = checkable_part(&u.moves, src);
    measure(src, n, &u);
    Instr x;
    instr_init(&x, src, arena);
    unsigned stretch = 0;
    bool entered = false;
    for (uint32_t i = 0; i < n; i++) {
        emit_insn(&x, &u, i);
        if (src->insn[i].op == OP_IMARK && !entered) {
            instr_count(&x, MODE_FAST);
            emit_entry(&x, &u);
            entered = true;
        } else if (src->insn[i].op == OP_EXIT_IF) {
            emit_clear(&x, u.clear[++stretch]);
        }
    }
    if (n < src->n) {
        instr_flush_puts(&x);
        x.b->flags_live_out = true;
        places_reason(&x, REASON_INSN);
        ir_jump(x.b, src->insn[n].imm, JK_BORING, MODE_SLOW);
    }
    return x.b;
}
