/* SPDX-License-Identifier: MIT */
/*
 * A block falls into stretches that run as a whole; each increments its counter once, from which
 * all that its instructions do each time is counted at the end.  What remains are misses:
 *
 * - A fetch is looked at where code enters a line of I1 (fetches of the line of the fetch
 *   before always hit).  Translated code itself sees whether the line is there and notes the time.
 * - An access likewise; the time is in a register.  Only at misses, and for what is in two lines, a
 *   helper is called.
 * - Accesses that follow each other at known distances (pushes, moves of fields, what is read and
 *   then written) are one group with one look, if they are in the same line.
 * - A look changes condition codes, so a group ends before an instruction that sets them anyway.
 *
 * Writes of registers wait until the end of their instruction: nothing that could fault may follow
 * them (ir.h).
 *
 * Counts are those of Valgrind (references.h); a repeated string instruction counts once for each
 * time that it looks at its count register.
 */
#include "instrument.h"

#include <string.h>

#include "base/arena.h"
#include "block_data.h"
#include "cache_sim.h"
#include "simulate.h"
#include "track.h"

enum { MAX_PENDING = 16, MAX_GROUP = 12, LONG_GROUP = 16, WORD_BITS = 3 };

/** Accesses that will be looked at together. */
typedef struct OpenGroup {
    unsigned n;                 /**< 0: none */
    Address where;              /**< of the first */
    IrRef address;              /**< of the first, in the new block */
    int64_t lo, hi;             /**< bytes that are accessed, from there */
    GroupRef ref[MAX_GROUP + MAX_REFS];
} OpenGroup;

typedef struct Instr {
    IrCopier c;
    const IrBlock *src;
    IrBlock *b;
    struct Arena *arena;
    Block *block;          /**< counters and what they count */
    bool in_insn;          /**< false before the first instruction */
    GuestAddr insn;        /**< the present instruction */
    GuestAddr next;        /**< the one after it */
    bool in_stretch;       /**< one has begun */
    uint32_t runs;         /**< its counter */
    StretchInsn *insns;    /**< of the stretch */
    uint32_t n_insns;
    uint32_t loads;        /**< LOADs of the present instruction so far */
    uint64_t line;         /**< of I1, that the last fetch was in, + 1 */
    IrRef last_access;     /**< of the present instruction, in the source; IR_NONE */
    Tracker *tracker;
    OpenGroup group;
    bool in_cold;
    IrRef pending[MAX_PENDING]; /**< PUTs that wait */
    unsigned n_pending;
} Instr;

static IrRef pointer(IrBlock *b, const void *p) { return ir_const(b, TY_I64, (uint64_t)(uintptr_t)p); }

static void flush_puts(Instr *x)
{
    for (unsigned k = 0; k < x->n_pending; k++)
        ir_copy_insn(&x->c, x->pending[k]);
    x->n_pending = 0;
}

/** A pending PUT changes what this GET reads. */
static bool reads_pending(const Instr *x, const IrInsn *get)
{
    for (unsigned k = 0; k < x->n_pending; k++)
        if (x->src->insn[x->pending[k]].aux == get->aux)
            return true;
    return false;
}

/** Add @p n (I64 or constant) to a counter of ours. */
static void emit_add(IrBlock *b, uint64_t *counter, IrRef n)
{
    IrMem m = { pointer(b, counter), IR_NONE, 0, 0 };
    IrRef sum = ir_binop(b, OP_ADD, ir_load(b, SPACE_GUEST, TY_I64, m), n);
    ir_store(b, SPACE_GUEST, m, sum);
}

static void emit_trace(Instr *x, char kind, IrRef a, IrRef value)
{
    IrRef args[3] = { ir_const(x->b, TY_I64, (uint64_t)kind), a, value };
    if (cg_options.access_trace)
        ir_call(x->b, &sim_trace, IR_NONE, args, 3);
}

/* ---- stretches --------------------------------------------------------------------------------------- */

static void begin_stretch(Instr *x)
{
    x->in_stretch = true;
    x->n_insns = 0;
    x->runs = block_runs(x->block);
    IrMem m = { ir_const(x->b, TY_I64, block_runs_at(x->block, x->runs)), IR_NONE, 0, 0 };
    IrRef one = ir_const(x->b, TY_I64, 1), runs = ir_load(x->b, SPACE_SHADOW, TY_I64, m);
    ir_store(x->b, SPACE_SHADOW, m, ir_binop(x->b, OP_ADD, runs, one));
}

static void end_stretch(Instr *x)
{
    if (!x->in_stretch)
        return;
    size_t size = x->n_insns * sizeof x->insns[0];
    Stretch *s = block_item(x->block, ITEM_STRETCH, sizeof *s + size, x->n_insns, 0);
    s->head.counter = x->runs;
    if (size)
        memcpy(s->insn, x->insns, size);
    x->in_stretch = false;
}

/** The present instruction's record in the present stretch. */
static StretchInsn *here(Instr *x)
{
    if (!x->in_stretch)
        begin_stretch(x);
    if (x->n_insns == 0 || x->insns[x->n_insns - 1].addr != x->insn)
        x->insns[x->n_insns++] = (StretchInsn){ .addr = x->insn };
    return &x->insns[x->n_insns - 1];
}

/* ---- data ---------------------------------------------------------------------------------------------- */

/** The line whose time is at @p m is used now. */
static void emit_use(IrBlock *b, IrMem m)
{
    IrRef now = ir_get(b, TY_I64, REG_TOOL(0));
    ir_store(b, SPACE_SHADOW, m, now);
    ir_put(b, REG_TOOL(0), ir_binop(b, OP_ADD, now, ir_const(b, TY_I64, 1)));
}

static Group *new_group(Instr *x, const OpenGroup *o)
{
    Group *g = block_item(x->block, ITEM_GROUP, sizeof *g + o->n * sizeof g->ref[0], o->n, 2 * o->n);
    g->lo = (int32_t)o->lo;
    g->span = (uint32_t)(o->hi - o->lo - 1);
    memcpy(g->ref, o->ref, o->n * sizeof g->ref[0]);
    return g;
}

static void call_entry(Instr *x, const IrEntry *e, const void *item, IrRef arg)
{
    IrRef args[2] = { pointer(x->b, item), arg };
    ir_call(x->b, &e->callee, IR_NONE, args, 2);
}

/** Is it enough to see whether the group, one access, is aligned?  Few that are not are in one line. */
static bool is_mostly_aligned(const OpenGroup *o)
{
    unsigned size = o->ref[0].ref.size;
    return o->hi - o->lo == size && size <= sizeof(uint64_t) && (size & (size - 1)) == 0;
}

/** Might the group, whose first byte is at @p first, be in two lines? */
static IrRef emit_may_cross(IrBlock *b, const OpenGroup *o, IrRef first)
{
    uint64_t line = 1ULL << cache_sim_cache[CACHE_D1].line_bits, bytes = (uint64_t)(o->hi - o->lo);
    if (is_mostly_aligned(o))
        return ir_cmp(b, OP_CMPNE, ir_binop(b, OP_AND, first, ir_const(b, TY_I64, bytes - 1)),
                      ir_const(b, TY_I64, 0));
    IrRef offset = ir_binop(b, OP_AND, first, ir_const(b, TY_I64, line - 1));
    return ir_cmp(b, OP_CMPLTU, ir_const(b, TY_I64, line - bytes), offset);
}

/** The time of the line that byte @p at of the group is in. */
static IrMem data_time(IrBlock *b, const OpenGroup *o, int64_t at, IrRef *line)
{
    const Cache *d1 = &cache_sim_cache[CACHE_D1];
    IrRef a = at ? ir_binop(b, OP_ADD, o->address, ir_const(b, TY_I64, (uint64_t)at)) : o->address;
    /* A wild address must not lead out of the table. */
    *line = ir_binop(b, OP_SHL, a, ir_const(b, TY_I8, d1->cut_bits));
    *line = ir_binop(b, OP_SHR, *line, ir_const(b, TY_I8, d1->cut_bits + d1->line_bits));
    return (IrMem){ ir_const(b, TY_I64, d1->used_at), *line, WORD_BITS, 0 };
}

/** The line whose time is at @p time is used; if it is not there @p e is called before. */
static void emit_look(Instr *x, IrMem time, const IrEntry *e, const void *item, IrRef arg)
{
    IrRef used = ir_load(x->b, SPACE_SHADOW, TY_I64, time);
    ir_cold_begin(x->b, ir_cmp(x->b, OP_CMPEQ, used, ir_const(x->b, TY_I64, 0)));
    call_entry(x, e, item, arg);
    ir_cold_end(x->b);
    emit_use(x->b, time);
}

/**
 * Look whether the group's line is in D1, and note that it is used.  If the group is in two lines these
 * are used before, so that the look at the first one finds it; since it is of another set than
 * the second, it makes no difference that it is used last.
 */
static void emit_look_at_line(Instr *x, const OpenGroup *o)
{
    IrBlock *b = x->b;
    const Group *g = new_group(x, o);
    IrRef line, first = o->address;
    if (o->lo)
        first = ir_binop(b, OP_ADD, first, ir_const(b, TY_I64, (uint64_t)o->lo));
    if (o->hi - o->lo > 1) {
        ir_cold_begin(b, emit_may_cross(b, o, first));
        call_entry(x, &sim_group_odd, g, o->address);
        ir_cold_end(b);
    }
    IrMem time = data_time(b, o, o->lo, &line);
    emit_look(x, time, &sim_line_missed, item_counters(&g->head), line);
}

/**
 * What is long is in two lines about as often as in one: look at both ends, which may be in the same
 * line.  If either is not there all accesses are made one by one, after which both are.
 */
static void emit_look_at_ends(Instr *x, const OpenGroup *o)
{
    const Group *g = new_group(x, o);
    IrRef line;
    emit_look(x, data_time(x->b, o, o->lo, &line), &sim_group, g, o->address);
    emit_look(x, data_time(x->b, o, o->hi - 1, &line), &sim_group, g, o->address);
}

/** Translated code looks at D1 itself if its lines are usual, parts of those of LL, in several sets. */
static bool has_usual_lines(const Cache *d1)
{
    return d1->used && d1->line_bits == CACHE_SIM_USUAL_LINE_BITS && d1->set_mask &&
           cache_sim_lines_nest(CACHE_D1);
}

/** Emit the look at the open group, if there is one. */
static void close_group(Instr *x)
{
    const Cache *d1 = &cache_sim_cache[CACHE_D1];
    OpenGroup *o = &x->group;
    if (o->n == 0)
        return;
    bool fits = o->hi - o->lo <= 1LL << CACHE_SIM_USUAL_LINE_BITS;
    bool looks = fits && !x->in_cold && has_usual_lines(d1);
    if (looks && o->n > 1 && o->hi - o->lo > LONG_GROUP)
        emit_look_at_ends(x, o);
    else if (looks)
        emit_look_at_line(x, o);
    else
        call_entry(x, &sim_group, new_group(x, o), o->address);
    o->n = 0;
}

static IrRef address_of(IrBlock *b, IrMem m)
{
    IrRef a = m.base;
    if (m.index != IR_NONE) {
        IrRef scaled = m.scale ? ir_binop(b, OP_SHL, m.index, ir_const(b, TY_I8, m.scale)) : m.index;
        a = a == IR_NONE ? scaled : ir_binop(b, OP_ADD, a, scaled);
    }
    if (a == IR_NONE)
        return ir_const(b, TY_I64, (uint64_t)m.disp);
    return m.disp ? ir_binop(b, OP_ADD, a, ir_const(b, TY_I64, (uint64_t)m.disp)) : a;
}

/** May the accesses at @p at, bytes [lo, hi) from there, join the open group? */
static bool joins_group(const Instr *x, const Address *at, int64_t lo, int64_t hi, int64_t *distance)
{
    const OpenGroup *o = &x->group;
    int64_t line = 1LL << cache_sim_cache[CACHE_D1].line_bits;
    if (o->n == 0 || o->n >= MAX_GROUP || !track_distance(&o->where, at, distance))
        return false;
    lo += *distance;
    hi += *distance;
    return (hi > o->hi ? hi : o->hi) - (lo < o->lo ? lo : o->lo) <= line;
}

/** Accesses @p refs of source instruction @p i at its memory operand, or at @p address. */
static void add_refs(Instr *x, IrRef i, IrRef address, const Ref *refs, unsigned n)
{
    OpenGroup *o = &x->group;
    Address at = address == IR_NONE ? track_address(x->tracker, i) : track_nowhere();
    int64_t lo = refs[0].offset, hi = lo + refs[0].size, distance = 0;
    for (unsigned k = 0; k < n; k++) {
        lo = refs[k].offset < lo ? refs[k].offset : lo;
        hi = refs[k].offset + refs[k].size > hi ? refs[k].offset + refs[k].size : hi;
    }
    if (!joins_group(x, &at, lo, hi, &distance)) {
        close_group(x);
        distance = 0;
        o->where = at;
        o->address = address != IR_NONE ? address : address_of(x->b, ir_copy_mem(&x->c, i));
        o->lo = lo;
        o->hi = hi;
    }
    o->lo = lo + distance < o->lo ? lo + distance : o->lo;
    o->hi = hi + distance > o->hi ? hi + distance : o->hi;
    StretchInsn *s = here(x);
    for (unsigned k = 0; k < n; k++) {
        Ref r = refs[k];
        *(r.kind == COST_DR ? &s->reads : &s->writes) += 1;
        r.offset = (int16_t)(r.offset + distance);
        o->ref[o->n++] = (GroupRef){ x->insn, r };
        IrRef off = ir_const(x->b, TY_I64, (uint64_t)(int64_t)r.offset);
        if (cg_options.access_trace)
            emit_trace(x, r.kind == COST_DR ? TRACE_READ : TRACE_WRITE,
                       ir_binop(x->b, OP_ADD, o->address, off), ir_const(x->b, TY_I64, r.size));
    }
}

/** The second half of a read and write of the same place. */
static bool is_write_back(const Instr *x, const IrInsn *in)
{
    if (x->last_access == IR_NONE || in->op != OP_STORE)
        return false;
    const IrInsn *l = &x->src->insn[x->last_access];
    return l->op == OP_LOAD && l->arg[0] == in->arg[0] && l->arg[1] == in->arg[1] &&
           l->scale == in->scale && l->disp == in->disp &&
           l->type == x->src->insn[in->arg[2]].type;
}

static void add_load_or_store(Instr *x, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    bool read = in->op == OP_LOAD;
    unsigned size = ir_type_size((IrType)(read ? in->type : x->src->insn[in->arg[2]].type));
    if (in->space != SPACE_GUEST || is_write_back(x, in))
        return;
    if (size > cache_sim_max_access())
        size = cache_sim_max_access();
    Ref r = { 0, (uint8_t)(size ? size : 1), read ? COST_DR : COST_DW };
    x->last_access = i;
    add_refs(x, i, IR_NONE, &r, 1);
}

static void add_lanes(Instr *x, IrRef i, const Lanes *lanes)
{
    LaneRefs *r = block_item(x->block, ITEM_LANES, sizeof *r, 1, 3);
    r->addr = x->insn;
    r->lanes = *lanes;
    close_group(x);
    IrMem m = ir_copy_mem(&x->c, i);
    if (lanes->index_size)
        m.index = IR_NONE;
    IrRef args[2] = { pointer(x->b, r), address_of(x->b, m) };
    ir_call(x->b, &sim_lanes, IR_NONE, args, 2);
}

static void add_native(Instr *x, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    const NativeInsn *n = x->src->native[in->aux];
    Ref refs[MAX_REFS];
    Lanes lanes;
    if (references_lanes(n, in->scale, &lanes)) {
        add_lanes(x, i, &lanes);
        return;
    }
    unsigned count = references_of_native(n, refs);
    if (count)
        add_refs(x, i, IR_NONE, refs, count);
    RegId base;
    int64_t offset;
    count = references_implied(n, &base, &offset, refs);
    if (count) {
        IrRef at = ir_const(x->b, TY_I64, (uint64_t)offset);
        add_refs(x, i, ir_binop(x->b, OP_ADD, ir_get(x->b, TY_I64, base), at), refs, count);
    }
    if (n->cc_write)
        close_group(x);
}

static void add_call(Instr *x, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    Ref refs[MAX_REFS];
    unsigned count = references_of_call(in->callee, refs);
    if (count)
        add_refs(x, i, x->c.map[x->src->extra[in->arg[0]]], refs, count);
    close_group(x);
}

static void add_accesses(Instr *x, IrRef i)
{
    switch (x->src->insn[i].op) {
    case OP_LOAD:
    case OP_STORE:
        add_load_or_store(x, i);
        break;
    case OP_NATIVE:
        add_native(x, i);
        break;
    case OP_CALL:
        add_call(x, i);
        break;
    case OP_COLD_BEGIN:
    case OP_COLD_END:
        close_group(x);
        break;
    }
}

/* ---- instructions -------------------------------------------------------------------------------------- */

/** Where the time of a line of I1 is. */
static IrMem code_time(IrBlock *b, uint64_t line)
{
    GuestAddr at = cache_sim_cache[CACHE_I1].used_at + line * sizeof(uint64_t);
    return (IrMem){ ir_const(b, TY_I64, at), IR_NONE, 0, 0 };
}

/**
 * A fetch that enters a line: it is used now.  If it is not in I1 a helper puts it there first.
 * Where a fetch is in two lines the helper may be called without need, which changes nothing.
 */
static void emit_fetch(Instr *x, const Fetch *f, uint64_t first, uint64_t last)
{
    IrBlock *b = x->b;
    const Cache *i1 = &cache_sim_cache[CACHE_I1];
    IrRef arg = pointer(b, f);
    if (!i1->used || (first != last && i1->set_mask == 0)) {
        ir_call(b, &sim_fetch.callee, IR_NONE, &arg, 1);
        return;
    }
    if (first == last && cache_sim_lines_nest(CACHE_I1)) {
        emit_look(x, code_time(b, last), &sim_code_missed, item_counters(&f->head),
                  ir_const(b, TY_I64, last));
        return;
    }
    if (first + 1 == x->line) /* the line of the fetch before is still the one used last */
        first = last;
    IrMem time = code_time(b, first), end = code_time(b, last);
    IrRef used = ir_load(b, SPACE_SHADOW, TY_I64, time);
    if (first != last)
        used = ir_binop(b, OP_AND, used, ir_load(b, SPACE_SHADOW, TY_I64, end));
    ir_cold_begin(b, ir_cmp(b, OP_CMPEQ, used, ir_const(b, TY_I64, 0)));
    ir_call(b, &sim_fetch.callee, IR_NONE, &arg, 1);
    ir_cold_end(b);
    emit_use(b, time);
    if (first != last)
        emit_use(b, end);
}

static void add_fetch(Instr *x, GuestAddr a, unsigned len)
{
    unsigned bits = cache_sim_cache[CACHE_I1].line_bits;
    uint64_t first = a >> bits, last = (a + len - 1) >> bits;
    emit_trace(x, TRACE_FETCH, ir_const(x->b, TY_I64, a), ir_const(x->b, TY_I64, len));
    if (first + 1 == x->line && last + 1 == x->line)
        return;
    close_group(x);
    Fetch *f = block_item(x->block, ITEM_FETCH, sizeof *f, 1, 2);
    f->addr = a;
    f->size = len;
    emit_fetch(x, f, first, last);
    x->line = last + 1;
}

static void begin_insn(Instr *x, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    unsigned len = in->aux ? in->aux : 1;
    x->in_insn = true;
    x->insn = in->imm;
    block_note_insn(x->block, in->imm);
    x->next = in->imm + len;
    x->last_access = IR_NONE;
    x->loads = 0;
    here(x)->fetches = 1;
    if (cg_options.cache_sim)
        add_fetch(x, in->imm, len);
}

/* ---- branches --------------------------------------------------------------------------------------------- */

static IrRef widen(IrBlock *b, IrRef truth) { return ir_unop(b, OP_ZEXT, TY_I64, truth); }

static IrRef inverse(IrBlock *b, IrRef bit) { return ir_binop(b, OP_XOR, bit, ir_const(b, TY_I64, 1)); }

/** The record of the present instruction as a branch. */
static IrRef branch(Instr *x, ItemKind kind, uint32_t counters)
{
    Branch *r = block_item(x->block, kind, sizeof *r, 1, counters);
    r->addr = x->insn;
    return pointer(x->b, r);
}

/** A conditional branch; to the next instruction it counts as taken if it is not. */
static void add_conditional(Instr *x, IrRef taken, bool to_next)
{
    IrRef at = ir_const(x->b, TY_I64, x->insn);
    IrRef args[2] = { branch(x, ITEM_CONDITIONAL, 1), to_next ? inverse(x->b, taken) : taken };
    here(x)->conditional++;
    emit_trace(x, TRACE_BRANCH, at, args[1]);
    ir_call(x->b, &sim_conditional, IR_NONE, args, 2);
}

static void add_indirect(Instr *x, IrRef target)
{
    IrRef args[2] = { branch(x, ITEM_INDIRECT, 1), target };
    here(x)->indirect++;
    emit_trace(x, TRACE_JUMP, ir_const(x->b, TY_I64, x->insn), target);
    ir_call(x->b, &sim_indirect, IR_NONE, args, 2);
}

/** The end of an element of a repeated comparison.  It would look at the count again if all match. */
static void add_repeated(Instr *x, const IrInsn *again)
{
    IrRef more = widen(x->b, x->c.map[again->arg[0]]), match = widen(x->b, x->c.map[again->arg[1]]);
    IrRef ended = ir_binop(x->b, OP_AND, match, inverse(x->b, more));
    Branch *r = block_item(x->block, ITEM_REPEATED, sizeof *r, 1, 3);
    r->addr = x->insn;
    emit_add(x->b, item_counters(&r->head), ended);
    if (!cg_options.branch_sim)
        return;
    IrRef size = ir_const(x->b, TY_I64, x->next - x->insn);
    IrRef args[4] = { pointer(x->b, r), match, more, size };
    here(x)->conditional++;
    ir_call(x->b, &sim_repeated, IR_NONE, args, 4);
}

static void add_jump_ind(Instr *x, const IrInsn *in)
{
    const IrInsn *target = &x->src->insn[in->arg[0]];
    if (target->op == OP_SELECT) {
        const IrInsn *again = &x->src->insn[target->arg[0]], *first = &x->src->insn[target->arg[1]];
        bool is_const = first->op == OP_CONST;
        if (x->loads && again->op == OP_AND && is_const && first->imm == x->insn)
            add_repeated(x, again);
        else if (cg_options.branch_sim)
            add_conditional(x, widen(x->b, x->c.map[target->arg[0]]), is_const && first->imm == x->next);
    } else if (cg_options.branch_sim && (in->sub == JK_BORING || in->sub == JK_CALL)) {
        add_indirect(x, x->c.map[in->arg[0]]);
    }
}

/** The first look of a repeated instruction at a count that is known: Valgrind's code has no branch. */
static bool is_decided(const Instr *x, const IrInsn *exit)
{
    const IrInsn *cond = &x->src->insn[exit->arg[0]];
    return cond->op == OP_CMPEQ && exit->imm == x->next && track_is_constant(x->tracker, cond->arg[0]);
}

static void leave(Instr *x, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    close_group(x);
    if (x->in_insn && in->op == OP_JUMP_IND)
        add_jump_ind(x, in);
    else if (x->in_insn && in->op == OP_EXIT_IF && in->sub == JK_BORING && cg_options.branch_sim &&
             !is_decided(x, in))
        add_conditional(x, widen(x->b, x->c.map[in->arg[0]]), in->imm == x->next);
    end_stretch(x);
    flush_puts(x);
    ir_copy_insn(&x->c, i);
}

/** A locked instruction counts as a branch to itself that is not taken. */
static void add_retry(Instr *x, const IrInsn *in)
{
    if (cg_options.branch_sim && in->op == OP_NATIVE && references_retry(x->src->native[in->aux]))
        add_conditional(x, ir_const(x->b, TY_I64, 0), false);
}

/* ---- the block ------------------------------------------------------------------------------------------------ */

static bool ends_puts(const Instr *x, const IrInsn *in)
{
    return in->op == OP_IMARK || in->op == OP_PUT || in->op == OP_NATIVE || in->op == OP_CALL ||
           in->op == OP_COLD_BEGIN || in->op == OP_COLD_END || (in->op == OP_GET && reads_pending(x, in));
}

static void copy(Instr *x, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    if (in->op == OP_EXIT_IF || in->op == OP_JUMP || in->op == OP_JUMP_IND) {
        leave(x, i);
        return;
    }
    if (x->in_insn && cg_options.cache_sim)
        add_accesses(x, i);
    if (x->in_insn)
        add_retry(x, in);
    x->loads += in->op == OP_LOAD && in->space == SPACE_GUEST;
    track_insn(x->tracker, i);
    if (in->op == OP_PUT && x->n_pending < MAX_PENDING) {
        x->pending[x->n_pending++] = i;
        return;
    }
    if (ends_puts(x, in))
        flush_puts(x);
    ir_copy_insn(&x->c, i);
    if (in->op == OP_COLD_BEGIN || in->op == OP_COLD_END)
        x->in_cold = in->op == OP_COLD_BEGIN;
    if (in->op == OP_IMARK)
        begin_insn(x, i);
}

IrBlock *cg_instrument(void *ctx, IrBlock *in, struct Arena *arena)
{
    Instr x = { .c = ir_copier(in, arena), .src = in, .arena = arena, .last_access = IR_NONE };
    (void)ctx;
    x.b = x.c.dst;
    x.insns = arena_array(arena, StretchInsn, in->n + 1);
    x.tracker = track_new(in, arena);
    x.block = block_begin(in->addr, in->n);
    for (IrRef i = 0; i < in->n; i++)
        copy(&x, i);
    close_group(&x);
    end_stretch(&x);
    block_end(x.block, x.b->data);
    return x.b;
}
