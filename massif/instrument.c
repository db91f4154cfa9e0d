/* SPDX-License-Identifier: MIT */
/*
 * Each thread counts its instructions in a word of its state, once for each stretch of code without
 * an exit.  With --stacks=yes each change of a stack pointer calls a light helper, and if a snapshot
 * is due a full one.
 *
 * The counts are those of Valgrind: a repeated string instruction counts once for each time
 * that its count register is looked at.
 */
#include "instrument.h"

#include "base/vec.h"
#include "gimle/native.h"
#include "snapshots.h"

/**
 * Counts are spread over several words by address: one that is incremented again before the last
 * store to it has arrived would have the loop wait.
 */
enum { FIRST_WORD = 1, WORDS = 8, CODE_GRAIN = 4 };

static VEC(Thread *) threads;
static uint64_t ended; /**< instructions of threads that are gone */

static uint32_t counters_offset;

/** Instructions of a thread. */
static GIMLE_LIGHT uint64_t count_of(const struct VexState *s)
{
    const uint64_t *word = (const uint64_t *)(const void *)((const char *)s + counters_offset);
    uint64_t sum = 0;
    for (unsigned i = 0; i < WORDS; i++)
        sum += word[i];
    return sum;
}

static int64_t max_stack_frame;

void instructions_init(void)
{
    counters_offset = gimle_reg_offset(REG_TOOL(FIRST_WORD));
    max_stack_frame = gimle_core_option("max-stackframe");
}

uint64_t instructions_executed(void)
{
    uint64_t sum = ended;
    if (threads.n == 0 && gimle_thread_self())
        instructions_thread_start(gimle_thread_self());
    for (size_t i = 0; i < threads.n; i++)
        sum += count_of(gimle_thread_state(threads.data[i]));
    return sum;
}

void instructions_thread_start(Thread *t)
{
    for (size_t i = 0; i < threads.n; i++)
        if (threads.data[i] == t)
            return;
    vec_push(&threads, t);
}

void instructions_thread_end(Thread *t)
{
    for (size_t i = 0; i < threads.n; i++) {
        if (threads.data[i] == t) {
            ended += count_of(gimle_thread_state(t));
            vec_remove(&threads, i);
            return;
        }
    }
}

void instructions_forked(Thread *t)
{
    for (size_t i = 0; i < threads.n; i++)
        if (threads.data[i] != t)
            ended += count_of(gimle_thread_state(threads.data[i]));
    threads.n = 0;
    instructions_thread_start(t);
}

/* ---- the stack pointer --------------------------------------------------------------------------- */

/** A change of more than this is a switch to another stack. */
static GIMLE_LIGHT bool is_switch(int64_t delta)
{
    return delta > max_stack_frame || -delta > max_stack_frame;
}

static GIMLE_LIGHT uint64_t add_stack(int64_t growth)
{
    ms_totals.stacks += (uint64_t)growth;
    ms_totals.traffic += (uint64_t)(growth < 0 ? -growth : growth);
    return 0;
}

/** Follow the change if no snapshot is due, else say so and change nothing. */
static GIMLE_LIGHT uint64_t stack_changes(struct VexState *s, uint64_t old, uint64_t new)
{
    int64_t growth = (int64_t)(old - new);
    if (growth == 0 || is_switch(growth))
        return 0;
    if (growth < 0 && snapshot_peak_is_due())
        return 1;
    if (ms_options.time_unit == TIME_MS)
        return 1;
    uint64_t now = ms_totals.traffic + (uint64_t)(growth < 0 ? -growth : growth);
    if (ms_options.time_unit == TIME_INSTRUCTIONS) {
        now = ended;
        for (size_t i = 0; i < threads.n; i++)
            now += count_of(gimle_thread_state(threads.data[i]));
    }
    (void)s;
    return snapshot_is_due(now) ? 1 : add_stack(growth);
}

static uint64_t stack_changes_with_snapshot(struct VexState *s, uint64_t old, uint64_t new)
{
    int64_t growth = (int64_t)(old - new);
    (void)s;
    if (growth < 0)
        snapshot_before_shrink();
    add_stack(growth);
    snapshot_after_change();
    return 0;
}

static const IrCallee callee_light = { "massif_stack", (void *)stack_changes, CALLEE_LIGHT, TY_I64, 2 };
static const IrCallee callee_full = { "massif_stack_snapshot", (void *)stack_changes_with_snapshot,
                                      CALLEE_FULL, TY_NONE, 2 };

static void emit_stack_change(IrBlock *b, IrRef old, IrRef new)
{
    IrRef args[2] = { old, new };
    IrRef due = ir_call(b, &callee_light, IR_NONE, args, 2);
    IrRef yes = ir_cmp(b, OP_CMPNE, due, ir_const(b, TY_I64, 0));
    ir_call(b, &callee_full, yes, args, 2);
}

static bool native_writes_sp(const NativeInsn *n)
{
    for (unsigned k = 0; k < n->n_ops; k++)
        if (n->op[k].reg == gimle_guest->sp && (n->op[k].access & NA_WRITE))
            return true;
    return false;
}

/** Copy an instruction that may change the stack pointer. */
static void copy_with_stack(IrCopier *c, IrRef i)
{
    const IrInsn *in = &c->src->insn[i];
    RegId sp = gimle_guest->sp;
    if (in->op == OP_PUT && in->aux == sp) {
        emit_stack_change(c->dst, ir_get(c->dst, TY_I64, sp), c->map[in->arg[0]]);
        ir_copy_insn(c, i);
    } else if (in->op == OP_NATIVE && native_writes_sp(c->src->native[in->aux])) {
        IrRef old = ir_get(c->dst, TY_I64, sp);
        ir_copy_insn(c, i);
        emit_stack_change(c->dst, old, ir_get(c->dst, TY_I64, sp));
    } else {
        ir_copy_insn(c, i);
    }
}

/* ---- counting ---------------------------------------------------------------------------------------- */

static void emit_count(IrBlock *b, GuestAddr at, uint64_t n)
{
    int64_t word = (int64_t)(at / CODE_GRAIN % WORDS);
    IrMem m = { IR_NONE, IR_NONE, 0, counters_offset + word * (int64_t)sizeof(uint64_t) };
    IrRef old = ir_load(b, SPACE_STATE, TY_I64, m);
    ir_store(b, SPACE_STATE, m, ir_binop(b, OP_ADD, old, ir_const(b, TY_I64, n)));
}

/** Instructions from @p i up to the next exit that is not part of the instruction there. */
static uint64_t stretch(const IrBlock *b, IrRef i)
{
    uint64_t n = 0;
    for (; i < b->n && (b->insn[i].op != OP_EXIT_IF); i++)
        n += b->insn[i].op == OP_IMARK;
    return n;
}

IrBlock *ms_instrument(void *ctx, IrBlock *in, struct Arena *arena)
{
    IrCopier c = ir_copier(in, arena);
    bool due = true; /**< the count of the stretch that begins here */
    (void)ctx;
    for (IrRef i = 0; i < in->n; i++) {
        if (ms_options.stacks)
            copy_with_stack(&c, i);
        else
            ir_copy_insn(&c, i);
        if (in->insn[i].op == OP_EXIT_IF)
            due = true;
        if (in->insn[i].op == OP_IMARK && due) {
            uint64_t n = stretch(in, i);
            if (n)
                emit_count(c.dst, in->insn[i].imm, n);
            due = false;
        }
    }
    return c.dst;
}
