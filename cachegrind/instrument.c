/* SPDX-License-Identifier: MIT */
/*
 * A block falls into stretches that run as a whole.  Without cache simulation a stretch increments
 * its counter.  With it the addresses of its accesses are stored to words of the thread's
 * state, and one call at its end simulates them all, together with those instruction fetches that
 * do not stay in the line of the one before.
 *
 * The call comes before the last instruction that sets condition codes if no access follows, so
 * that they need not be saved around it.
 *
 * Writes of registers wait until the end of their instruction: nothing that could fault may follow
 * them (ir.h).
 *
 * Counts are those of Valgrind: a repeated string instruction counts once for each time that it
 * looks at its count register; an access that reads and writes is a read; accesses that are longer
 * than a line are cut.
 */
#include "instrument.h"

#include "base/arena.h"
#include "branch_sim.h"
#include "cache_sim.h"
#include "cost_table.h"
#include "native.h"

enum { FIRST_WORD = 2, MAX_PENDING = 16 };

/* ---- called from translated code --------------------------------------------------------------- */

static uint32_t slots_offset;
/** The data cache, in words that need no pointer to be reached. */
static const uint64_t *d1_way;
static uint64_t d1_mask, d1_assoc;
static unsigned d1_bits;

void cg_instrument_init(void)
{
    const Cache *c = &cache_sim_cache[CACHE_D1];
    slots_offset = gimle_reg_offset(REG_TOOL(FIRST_WORD));
    d1_way = c->way;
    d1_mask = c->set_mask;
    d1_assoc = c->assoc;
    d1_bits = c->line_bits;
}

/** Addresses of the accesses of the stretch that runs in @p s. */
static inline __attribute__((always_inline, target("general-regs-only"))) const uint64_t *
slots_of(const struct VexState *s)
{
    return (const uint64_t *)((const char *)s + slots_offset);
}

static GIMLE_LIGHT void simulate(const StretchEvent *e, GuestAddr a)
{
    unsigned miss = cache_sim_access(e->kind == COST_IR ? CACHE_I1 : CACHE_D1, a, e->size);
    if (miss) {
        e->insn->cost[e->kind + 1]++;
        e->insn->cost[e->kind + 2] += miss >> 1;
    }
}

/** Accesses from number @p i on. */
static GIMLE_LIGHT uint64_t run_accesses(const Stretch *st, const uint64_t *slot, uint32_t i)
{
    const Cache *d1 = &cache_sim_cache[CACHE_D1];
    for (; i < st->n_accesses; i++) {
        const StretchEvent *e = &st->access[i];
        uint64_t a = slot[i], line = a >> d1->line_bits;
        if ((a + e->size - 1) >> d1->line_bits != line) {
            simulate(e, a);
        } else if (cache_sim_line_misses(d1, line)) {
            e->insn->cost[e->kind + 1]++;
            e->insn->cost[e->kind + 2] += cache_sim_misses(&cache_sim_cache[CACHE_LL], a, e->size);
        }
    }
    return 0;
}

/** Fetches and accesses in order. */
static GIMLE_LIGHT uint64_t run_events(const Stretch *st, const uint64_t *slot)
{
    for (const StretchEvent *e = st->event, *end = e + st->n_events; e < end; e++)
        simulate(e, e->kind == COST_IR ? e->insn->addr : slot[e->slot]);
    return 0;
}

/** The common case, as quick as can be: what hits the most recently used way changes nothing. */
static inline __attribute__((always_inline, target("general-regs-only"))) uint64_t
run_accesses_quickly(Stretch *st, const uint64_t *slot, uint32_t n)
{
    const uint64_t *way = d1_way, mask = d1_mask, assoc = d1_assoc;
    const unsigned bits = d1_bits;
#pragma GCC unroll 8
    for (uint32_t i = 0; i < n; i++) {
        uint64_t a = slot[i], line = a >> bits;
        if (way[(line & mask) * assoc] != line || (a + st->last[i]) >> bits != line)
            return run_accesses(st, slot, i);
    }
    return 0;
}

static GIMLE_LIGHT uint64_t run_stretch(struct VexState *s, uint64_t stretch)
{
    Stretch *st = (Stretch *)(uintptr_t)stretch;
    st->runs++;
    if (*st->first.way != st->first.line)
        return run_events(st, slots_of(s));
    for (uint32_t i = 0; i < st->n_more; i++)
        if (*st->more[i].way != st->more[i].line)
            return run_events(st, slots_of(s));
    return run_accesses_quickly(st, slots_of(s), st->n_accesses);
}

/** The same for stretches with one line of fetches and exactly so many accesses. */
#define RUN_STRETCH(n)                                                                     \
    static GIMLE_LIGHT uint64_t run_stretch_##n(struct VexState *s, uint64_t stretch)      \
    {                                                                                      \
        Stretch *st = (Stretch *)(uintptr_t)stretch;                                       \
        st->runs++;                                                                        \
        if (*st->first.way != st->first.line)                                              \
            return run_events(st, slots_of(s));                                            \
        return run_accesses_quickly(st, slots_of(s), n);                                   \
    }
RUN_STRETCH(0) RUN_STRETCH(1) RUN_STRETCH(2) RUN_STRETCH(3)
RUN_STRETCH(4) RUN_STRETCH(5) RUN_STRETCH(6) RUN_STRETCH(7)

static uint64_t (*const run_stretch_of[])(struct VexState *, uint64_t) = {
    run_stretch_0, run_stretch_1, run_stretch_2, run_stretch_3,
    run_stretch_4, run_stretch_5, run_stretch_6, run_stretch_7,
};

static GIMLE_LIGHT uint64_t run_conditional(struct VexState *s, uint64_t insn, uint64_t taken)
{
    InsnCost *c = (InsnCost *)(uintptr_t)insn;
    (void)s;
    c->cost[COST_BC]++;
    c->cost[COST_BCM] += branch_sim_conditional(c->addr, taken != 0);
    return 0;
}

static GIMLE_LIGHT uint64_t run_indirect(struct VexState *s, uint64_t insn, uint64_t target)
{
    InsnCost *c = (InsnCost *)(uintptr_t)insn;
    (void)s;
    c->cost[COST_BI]++;
    c->cost[COST_BIM] += branch_sim_indirect(c->addr, target);
    return 0;
}

static const IrCallee callee_stretch = { "cachegrind_stretch", (void *)run_stretch, CALLEE_LIGHT,
                                         TY_NONE, 1 };
static const IrCallee callee_conditional = { "cachegrind_conditional", (void *)run_conditional,
                                             CALLEE_LIGHT, TY_NONE, 2 };
static const IrCallee callee_indirect = { "cachegrind_indirect", (void *)run_indirect, CALLEE_LIGHT,
                                          TY_NONE, 2 };

/* ---- a block being instrumented ------------------------------------------------------------------- */

typedef struct Instr {
    IrCopier c;
    const IrBlock *src;
    IrBlock *b;
    InsnCost *insn;        /**< the present instruction, NULL before the first */
    Stretch *stretch;      /**< the present one, NULL: none begun */
    IrCallee *callee;      /**< of its call, which is emitted; NULL: not yet */
    struct Arena *arena;
    IrRef call_before;     /**< emit the call before this instruction, IR_NONE: at the end */
    InsnCost **insns;
    StretchEvent *events;
    uint32_t n_insns, n_events, n_slots;
    uint64_t line;         /**< of the last fetch in this stretch */
    IrRef last_access;     /**< of the present instruction, in the source; IR_NONE */
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

/* ---- stretches --------------------------------------------------------------------------------------- */

static bool is_exit(const IrInsn *i)
{
    return i->op == OP_EXIT_IF || i->op == OP_JUMP || i->op == OP_JUMP_IND;
}

static bool is_access(const Instr *x, const IrInsn *i)
{
    if (i->op == OP_NATIVE)
        return x->src->native[i->aux]->mem_access && x->src->native[i->aux]->mem_size > 0 &&
               !(x->src->native[i->aux]->flags & NF_VSIB);
    return (i->op == OP_LOAD || i->op == OP_STORE) && i->space == SPACE_GUEST;
}

/** Where the call of the stretch that begins at @p i should be: see above. */
static IrRef find_call_place(const Instr *x, IrRef i)
{
    IrRef place = IR_NONE;
    for (; i < x->src->n && !is_exit(&x->src->insn[i]); i++) {
        const IrInsn *in = &x->src->insn[i];
        if (in->op == OP_NATIVE && x->src->native[in->aux]->cc_write)
            place = i;
        else if (is_access(x, in) || in->op == OP_CALL)
            place = IR_NONE;
    }
    return place;
}

static void begin_stretch(Instr *x, IrRef i)
{
    x->stretch = cost_stretch();
    x->callee = NULL;
    x->n_insns = x->n_events = x->n_slots = 0;
    x->line = 0;
    x->call_before = cg_options.cache_sim ? find_call_place(x, i) : IR_NONE;
}

static void call_stretch(Instr *x)
{
    IrRef arg = pointer(x->b, x->stretch);
    x->callee = arena_new(x->arena, IrCallee);
    *x->callee = callee_stretch;
    ir_call(x->b, x->callee, IR_NONE, &arg, 1);
}

static void end_stretch(Instr *x)
{
    if (!x->stretch)
        return;
    if (cg_options.cache_sim && !x->callee)
        call_stretch(x);
    cost_stretch_fill(x->stretch, x->insns, x->n_insns, x->events, x->n_events);
    uint32_t n = x->stretch->n_accesses;
    if (x->callee && x->stretch->n_more == 0 && n < sizeof run_stretch_of / sizeof run_stretch_of[0])
        x->callee->fn = (void *)run_stretch_of[n];
    x->stretch = NULL;
}

static void add_event(Instr *x, CostKind k, unsigned slot, unsigned size)
{
    x->events[x->n_events++] = (StretchEvent){ (uint8_t)k, (uint8_t)slot, (uint16_t)size, x->insn };
}

/** The fetch of the present instruction, unless it is in the line of the one before. */
static void add_fetch(Instr *x, GuestAddr a, unsigned len)
{
    unsigned bits = cache_sim_line_bits(CACHE_I1);
    uint64_t first = (a >> bits) + 1, last = ((a + len - 1) >> bits) + 1;
    if (first != x->line || last != x->line)
        add_event(x, COST_IR, 0, len);
    x->line = last;
}

static void begin_insn(Instr *x, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    bool first = !x->stretch;
    x->insn = cost_insn(in->imm);
    x->last_access = IR_NONE;
    if (first)
        begin_stretch(x, i);
    x->insns[x->n_insns++] = x->insn;
    if (cg_options.cache_sim)
        add_fetch(x, in->imm, in->aux ? in->aux : 1);
    else if (first)
        emit_add(x->b, &x->stretch->runs, ir_const(x->b, TY_I64, 1));
}

/* ---- accesses -------------------------------------------------------------------------------------------- */

static unsigned access_size(const Instr *x, const IrInsn *in)
{
    unsigned size;
    if (in->op == OP_NATIVE)
        size = x->src->native[in->aux]->mem_size;
    else
        size = ir_type_size((IrType)(in->op == OP_LOAD ? in->type : x->src->insn[in->arg[2]].type));
    return size > cache_sim_max_access() ? cache_sim_max_access() : size ? size : 1;
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

/** The second half of a read and write of the same place. */
static bool is_write_back(const Instr *x, const IrInsn *in)
{
    if (x->last_access == IR_NONE || in->op != OP_STORE)
        return false;
    const IrInsn *l = &x->src->insn[x->last_access];
    return l->op == OP_LOAD && l->arg[0] == in->arg[0] && l->arg[1] == in->arg[1] &&
           l->scale == in->scale && l->disp == in->disp && access_size(x, l) == access_size(x, in);
}

static void add_access(Instr *x, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    if (!x->insn || is_write_back(x, in))
        return;
    if (!x->stretch || x->n_slots == MAX_SLOTS) {
        end_stretch(x);
        begin_stretch(x, i);
    }
    bool read = in->op == OP_NATIVE ? x->src->native[in->aux]->mem_access & NA_READ
                                    : in->op == OP_LOAD;
    x->last_access = i;
    add_event(x, read ? COST_DR : COST_DW, x->n_slots, access_size(x, in));
    IrMem where = { IR_NONE, IR_NONE, 0, slots_offset + 8 * (int64_t)x->n_slots++ };
    ir_store(x->b, SPACE_STATE, where, address_of(x->b, ir_copy_mem(&x->c, i)));
}

/* ---- branches --------------------------------------------------------------------------------------------- */

static void call_branch(Instr *x, const IrCallee *callee, IrRef value)
{
    IrRef args[2] = { pointer(x->b, x->insn), value };
    ir_call(x->b, callee, IR_NONE, args, 2);
}

static IrRef widen(IrBlock *b, IrRef truth) { return ir_unop(b, OP_ZEXT, TY_I64, truth); }

/** A comparison that ends since its count is used up: it would have looked at the count once more. */
static void count_last_look(Instr *x, const IrInsn *select)
{
    const IrInsn *again = &x->src->insn[select->arg[0]], *target = &x->src->insn[select->arg[1]];
    if (again->op != OP_AND || target->op != OP_CONST || target->imm != x->insn->addr)
        return;
    IrRef more = widen(x->b, x->c.map[again->arg[0]]), match = widen(x->b, x->c.map[again->arg[1]]);
    IrRef ended = ir_binop(x->b, OP_XOR, more, ir_const(x->b, TY_I64, 1));
    emit_add(x->b, &x->insn->cost[COST_IR], ir_binop(x->b, OP_AND, match, ended));
}

static void leave(Instr *x, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    end_stretch(x);
    if (x->insn && in->op == OP_JUMP_IND) {
        const IrInsn *target = &x->src->insn[in->arg[0]];
        if (target->op == OP_SELECT)
            count_last_look(x, target);
        if (cg_options.branch_sim && target->op == OP_SELECT)
            call_branch(x, &callee_conditional, widen(x->b, x->c.map[target->arg[0]]));
        else if (cg_options.branch_sim && (in->sub == JK_BORING || in->sub == JK_CALL))
            call_branch(x, &callee_indirect, x->c.map[in->arg[0]]);
    } else if (x->insn && in->op == OP_EXIT_IF && in->sub == JK_BORING && cg_options.branch_sim) {
        call_branch(x, &callee_conditional, widen(x->b, x->c.map[in->arg[0]]));
    }
    flush_puts(x);
    ir_copy_insn(&x->c, i);
}

/* ---- the block ------------------------------------------------------------------------------------------------ */

static void copy(Instr *x, IrRef i)
{
    const IrInsn *in = &x->src->insn[i];
    if (is_exit(in)) {
        leave(x, i);
        return;
    }
    if (in->op == OP_PUT && x->n_pending < MAX_PENDING) {
        x->pending[x->n_pending++] = i;
        return;
    }
    if (cg_options.cache_sim && is_access(x, in))
        add_access(x, i);
    if (i == x->call_before && x->stretch && !x->callee)
        call_stretch(x);
    if (in->op == OP_IMARK || in->op == OP_PUT || in->op == OP_NATIVE || in->op == OP_CALL ||
        in->op == OP_COLD_BEGIN || in->op == OP_COLD_END || (in->op == OP_GET && reads_pending(x, in)))
        flush_puts(x);
    ir_copy_insn(&x->c, i);
    if (in->op == OP_IMARK)
        begin_insn(x, i);
}

IrBlock *cg_instrument(void *ctx, IrBlock *in, struct Arena *arena)
{
    Instr x = { .c = ir_copier(in, arena), .src = in, .arena = arena,
                .last_access = IR_NONE };
    (void)ctx;
    x.b = x.c.dst;
    x.insns = arena_array(arena, InsnCost *, in->n);
    x.events = arena_array(arena, StretchEvent, in->n);
    for (IrRef i = 0; i < in->n; i++)
        copy(&x, i);
    end_stretch(&x);
    return x.b;
}
