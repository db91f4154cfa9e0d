/* SPDX-License-Identifier: MIT */
/* The stack pointer's course through a block, and guest register writes held back. */
#include "instrument.h"

#include "base/check.h"
#include "go_code.h"
#include "helpers.h"
#include "../origin/note.h"

/** Changes of the stack pointer up to this many bytes are marked by stores in the block. */
enum { INLINE_SP_CHANGE = 64 };
/** A page of code is Go's or not. */
enum { GO_PAGE = 4095 };

void instr_init(Instr *x, const IrBlock *src, struct Arena *arena)
{
    *x = (Instr){ .copier = ir_copier(src, arena), .src = src, .arena = arena, .sp_epoch = 1 };
    x->b = x->copier.dst;
    x->at = src->addr;
    x->sp_of = arena_array(arena, SpValue, src->n);
}

void instr_count(Instr *x, unsigned mode)
{
    if (!mc_options.stats)
        return;
    const uint64_t add[2] = { 1, x->src->n_guest };
    for (unsigned k = 0; k < 2; k++) {
        RegId r = REG_TOOL(TW_COUNTS + 2 * mode + k);
        ir_put(x->b, r, ir_binop(x->b, OP_ADD, ir_get(x->b, TY_I64, r), c64(x->b, add[k])));
    }
}

IrRef mem_address(IrBlock *b, IrMem m)
{
    IrRef a = m.base;
    if (m.index != IR_NONE) {
        IrRef i = m.scale ? ir_binop(b, OP_SHL, m.index, ir_const(b, TY_I8, m.scale)) : m.index;
        a = a == IR_NONE ? i : ir_binop(b, OP_ADD, a, i);
    }
    if (a == IR_NONE)
        return c64(b, (uint64_t)m.disp);
    return m.disp ? ir_binop(b, OP_ADD, a, c64(b, (uint64_t)m.disp)) : a;
}

void instr_note_origin(Instr *x, IrMem m, IrRef origin, unsigned size, IrRef any)
{
    IrBlock *b = x->b;
    IrRef args[2] = { mem_address(b, m), c64(b, x->at | (uint64_t)size << ORIGIN_SIZE_AT) };
    ir_put(b, REG_TOOL(TW_NOTE), origin);
    ir_call(b, &mc_helper_note.callee, any, args, 2);
}

bool instr_is_pop(const Instr *x, IrRef i)
{
    IrMem m = ir_mem_of(&x->src->insn[i]);
    int64_t off;
    if (!instr_sp_relative(x, &m, &off) || off != 0)
        return false;
    for (IrRef k = i + 1; k < x->src->n && x->src->insn[k].op != OP_IMARK; k++)
        if (x->src->insn[k].op == OP_PUT && x->src->insn[k].aux == gimle_guest->sp)
            return true;
    return false;
}

IrRef instr_popped_origin(Instr *x, IrMem m, IrRef any)
{
    IrRef a = mem_address(x->b, m);
    ir_call(x->b, &mc_helper_popped.callee, any, &a, 1);
    return ir_get(x->b, TY_I64, REG_TOOL(TW_NOTE));
}

/** Is @p r a constant? */
static bool is_const(const IrBlock *b, IrRef r, int64_t *v)
{
    if (b->insn[r].op != OP_CONST)
        return false;
    *v = (int64_t)b->insn[r].imm;
    return true;
}

void instr_track_sp(Instr *x, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    int64_t k;
    if (in->op == OP_GET && in->aux == gimle_guest->sp && in->type == TY_I64) {
        x->sp_of[i] = (SpValue){ x->sp_epoch, x->sp_off };
    } else if (in->op == OP_ADD && in->type == TY_I64) {
        if (x->sp_of[in->arg[0]].epoch && is_const(x->src, in->arg[1], &k))
            x->sp_of[i] = (SpValue){ x->sp_of[in->arg[0]].epoch, x->sp_of[in->arg[0]].off + k };
        else if (x->sp_of[in->arg[1]].epoch && is_const(x->src, in->arg[0], &k))
            x->sp_of[i] = (SpValue){ x->sp_of[in->arg[1]].epoch, x->sp_of[in->arg[1]].off + k };
    } else if (in->op == OP_SUB && in->type == TY_I64) {
        if (x->sp_of[in->arg[0]].epoch && is_const(x->src, in->arg[1], &k))
            x->sp_of[i] = (SpValue){ x->sp_of[in->arg[0]].epoch, x->sp_of[in->arg[0]].off - k };
    }
}

bool instr_sp_relative(const Instr *x, const IrMem *m, int64_t *off)
{
    if (m->base == IR_NONE || m->index != IR_NONE || x->sp_of[m->base].epoch != x->sp_epoch)
        return false;
    *off = x->sp_of[m->base].off + m->disp - x->sp_off;
    return true;
}

/** Mark [sp+disp, +size) (present stack pointer) with the repeated byte @p value. */
static void mark_inline(Instr *x, int64_t disp, uint64_t size, uint8_t value)
{
    IrBlock *b = x->b;
    IrRef word = c64(b, value * 0x0101010101010101ULL);
    IrMem m = { ir_get(b, TY_I64, gimle_guest->sp), IR_NONE, 0, disp };
    for (uint64_t i = 0; i < size; i += 8)
        ir_store(b, SPACE_SHADOW, mem_at(m, (int64_t)i), word);
}

/** Is the present instruction Go's?  Blocks may go on in other files. */
static bool in_go(Instr *x)
{
    GuestAddr page = x->at | GO_PAGE;
    if (x->go_page != page) {
        x->go_page = page;
        x->is_go = go_code_at(x->at);
    }
    return x->is_go;
}

static void sp_change_unknown(Instr *x, IrRef old, IrRef new)
{
    const IrCallee *f = in_go(x) ? &mc_helper_sp_change_go : &mc_helper_sp_change.callee;
    ir_call(x->b, f, IR_NONE, (IrRef[]){ old, new }, 2);
}

/**
 * A change of the stack pointer in Go's code: a new frame counts as defined, since C code may have
 * been there before; what is left stays as it is, since it may be the heap's next.
 */
static void sp_change_go(Instr *x, int64_t delta)
{
    uint64_t size = -(uint64_t)delta;
    if (delta >= 0)
        return;
    if (size <= INLINE_SP_CHANGE && size % 8 == 0) {
        mark_inline(x, delta - gimle_guest->red_zone, size, 0);
        return;
    }
    IrRef sp = ir_get(x->b, TY_I64, gimle_guest->sp);
    sp_change_unknown(x, sp, ir_binop(x->b, OP_ADD, sp, c64(x->b, (uint64_t)delta)));
}

/** The stack pointer is about to change by a known amount. */
static void sp_change_known(Instr *x, int64_t delta)
{
    IrBlock *b = x->b;
    int64_t red = gimle_guest->red_zone;
    uint64_t size = delta < 0 ? -(uint64_t)delta : (uint64_t)delta;
    if (size == 0)
        return;
    if (in_go(x)) {
        sp_change_go(x, delta);
        return;
    }
    if (size <= INLINE_SP_CHANGE && size % 8 == 0 && !x->is_call) {
        mark_inline(x, delta < 0 ? delta - red : -red, size,
                    delta < 0 ? SH_UNDEFINED : SH_NOACCESS);
        return;
    }
    IrRef sp = ir_get(b, TY_I64, gimle_guest->sp);
    IrRef args[2] = { sp, ir_binop(b, OP_ADD, sp, c64(b, (uint64_t)delta)) };
    if (x->is_call)
        ir_call(b, &mc_helper_call.callee, IR_NONE, &args[1], 1);
    else
        ir_call(b, &mc_helper_sp_change.callee, IR_NONE, args, 2);
}

void instr_defer_put(Instr *x, IrRef i, IrRef vbits)
{
    const IrInsn *in = &x->src->insn[i];
    if (x->n_pending == MAX_PENDING)
        instr_flush_puts(x);
    x->pending[x->n_pending++] = (PendingPut){ .reg = in->aux, .src = in->arg[0],
                                               .v = x->copier.map[in->arg[0]], .vbits = vbits };
}

/** Shadow of the stack for the write @p p of the stack pointer. */
static void put_sp(Instr *x, const PendingPut *p)
{
    SpValue v = x->sp_of[p->src];
    if (v.epoch == x->sp_epoch) {
        sp_change_known(x, v.off - x->sp_off);
        x->sp_off = v.off;
        return;
    }
    if (!in_go(x)) /* there it is another stack */
        sp_change_unknown(x, ir_get(x->b, TY_I64, gimle_guest->sp), p->v);
    x->sp_epoch++;
    x->sp_off = 0;
    x->sp_of[p->src] = (SpValue){ x->sp_epoch, 0 };
}

void instr_flush_puts(Instr *x)
{
    for (unsigned k = 0; k < x->n_pending; k++)
        if (x->pending[k].reg == gimle_guest->sp)
            put_sp(x, &x->pending[k]);
    for (unsigned k = 0; k < x->n_pending; k++) {
        ir_put(x->b, x->pending[k].reg, x->pending[k].v);
        if (x->on_put)
            x->on_put(x, &x->pending[k]);
    }
    x->n_pending = 0;
    x->is_call = false;
}

bool native_writes_sp(const NativeInsn *n)
{
    for (unsigned k = 0; k < n->n_ops; k++)
        if (n->op[k].reg == gimle_guest->sp && (n->op[k].access & NA_WRITE))
            return true;
    return false;
}

IrRef instr_sp_before_native(Instr *x, const NativeInsn *n)
{
    if (n->flags & NF_SP_CONST) {
        sp_change_known(x, n->sp_adjust);
        x->sp_off += n->sp_adjust;
        return IR_NONE;
    }
    return ir_get(x->b, TY_I64, gimle_guest->sp);
}

void instr_sp_after_native(Instr *x, const NativeInsn *n, IrRef old)
{
    if (n->flags & NF_SP_CONST)
        return;
    sp_change_unknown(x, old, ir_get(x->b, TY_I64, gimle_guest->sp));
    x->sp_epoch++;
    x->sp_off = 0;
}
