/* SPDX-License-Identifier: MIT */
/* Light helpers: they use general registers only and never block, but for writing the trace. */
#include "simulate.h"

#include <string.h>

#include "branch_sim.h"
#include "trace.h"

enum { MAX_REF_SIZE = UINT8_MAX };

/* simulate_amd64.S has the other way into these, and calls them. */
#define HIDDEN __attribute__((visibility("hidden")))
extern HIDDEN const char cg_fetch_entry[], cg_group_entry[], cg_group_odd_entry[],
    cg_line_missed_entry[], cg_code_missed_entry[];
HIDDEN uint64_t cg_fetch(struct VexState *s, uint64_t fetch);
HIDDEN uint64_t cg_group(struct VexState *s, uint64_t group, uint64_t a);
HIDDEN uint64_t cg_line_missed(struct VexState *s, uint64_t misses, uint64_t line);
HIDDEN uint64_t cg_code_missed(struct VexState *s, uint64_t misses, uint64_t line);

_Static_assert(offsetof(Group, lo) == 16 && offsetof(Group, span) == 20, "as in simulate_amd64.S");
_Static_assert(CACHE_SIM_D1_TIMES == 0x40000000 && CACHE_SIM_USUAL_CUT == 18, "as there");

/** Misses of the first level and of the last one: costs that stand next to each other. */
static inline __attribute__((always_inline, target("general-regs-only"))) void
count_misses(uint64_t *misses, unsigned what)
{
    misses[0] += what & MISS_L1;
    misses[1] += what >> 1;
}

uint64_t GIMLE_LIGHT cg_fetch(struct VexState *s, uint64_t fetch)
{
    const Fetch *f = (const Fetch *)(uintptr_t)fetch;
    (void)s;
    count_misses(item_counters(&f->head), cache_sim_fetch(f->addr, (unsigned)f->size));
    return 0;
}

uint64_t GIMLE_LIGHT cg_group(struct VexState *s, uint64_t group, uint64_t a)
{
    const Group *g = (const Group *)(uintptr_t)group;
    uint64_t *misses = item_counters(&g->head);
    (void)s;
    int before = INT32_MIN;
    for (uint32_t i = 0; i < g->head.n; i++) {
        Ref r = g->ref[i].ref;
        int where = r.offset * (MAX_REF_SIZE + 1) + r.size;
        if (where == before)
            continue; /* it was used just now */
        before = where;
        count_misses(&misses[2 * i], cache_sim_data(a + (uint64_t)(int64_t)r.offset, r.size));
    }
    return 0;
}

/** Of a group: the first access misses and the others find its line there. */
uint64_t GIMLE_LIGHT cg_line_missed(struct VexState *s, uint64_t misses, uint64_t line)
{
    (void)s;
    count_misses((uint64_t *)(uintptr_t)misses, cache_sim_line_missed(line));
    return 0;
}

uint64_t GIMLE_LIGHT cg_code_missed(struct VexState *s, uint64_t misses, uint64_t line)
{
    (void)s;
    count_misses((uint64_t *)(uintptr_t)misses, cache_sim_code_missed(line));
    return 0;
}

/* ---- without assembly: the time is in the state --------------------------------------------------- */

static uint32_t clock_offset;

void sim_init(void) { clock_offset = gimle_reg_offset(REG_TOOL(0)); }

static GIMLE_LIGHT uint64_t *clock_of(struct VexState *s)
{
    return (uint64_t *)(void *)((char *)s + clock_offset);
}

static GIMLE_LIGHT void take_time(struct VexState *s) { cache_sim_clock = *clock_of(s); }
static GIMLE_LIGHT void give_time(struct VexState *s) { *clock_of(s) = cache_sim_clock; }

void sim_thread_runs(struct VexState *before, struct VexState *now)
{
    if (before)
        take_time(before);
    if (now)
        give_time(now);
}

static GIMLE_LIGHT uint64_t fetch(struct VexState *s, uint64_t arg)
{
    take_time(s);
    cg_fetch(s, arg);
    give_time(s);
    return 0;
}

static GIMLE_LIGHT uint64_t group(struct VexState *s, uint64_t arg, uint64_t a)
{
    take_time(s);
    cg_group(s, arg, a);
    give_time(s);
    return 0;
}

/** A group at an odd address, lines have their usual size. If it is in one line its use is not seen here. */
static GIMLE_LIGHT uint64_t group_odd(struct VexState *s, uint64_t arg, uint64_t a)
{
    const Group *g = (const Group *)(uintptr_t)arg;
    uint64_t first = a + (uint64_t)(int64_t)g->lo, last = first + g->span;
    if ((first ^ last) >> CACHE_SIM_USUAL_LINE_BITS)
        group(s, arg, a);
    return 0;
}

static GIMLE_LIGHT uint64_t line_missed(struct VexState *s, uint64_t misses, uint64_t line)
{
    take_time(s);
    cg_line_missed(s, misses, line);
    give_time(s);
    return 0;
}

static GIMLE_LIGHT uint64_t code_missed(struct VexState *s, uint64_t misses, uint64_t line)
{
    take_time(s);
    cg_code_missed(s, misses, line);
    give_time(s);
    return 0;
}

/* ---- other events --------------------------------------------------------------------------------- */

/** Value of an index, with its sign. */
static GIMLE_LIGHT int64_t index_of(const uint8_t *reg, unsigned size, unsigned lane)
{
    if (size == 4)
        return ((const int32_t *)(const void *)reg)[lane];
    return ((const int64_t *)(const void *)reg)[lane];
}

/** The registers are in the state: this is a full call, before the instruction. */
static uint64_t access_lanes(struct VexState *s, uint64_t lane_refs, uint64_t a)
{
    const LaneRefs *r = (const LaneRefs *)(uintptr_t)lane_refs;
    const Lanes *l = &r->lanes;
    uint64_t *counter = item_counters(&r->head);
    const uint8_t *state = (const uint8_t *)s;
    take_time(s);
    for (unsigned i = 0; i < l->n; i++) {
        uint64_t at = a;
        if (l->masked && !(state[l->mask + (i + 1) * l->size - 1] & 0x80))
            continue;
        if (l->index_size)
            at += (uint64_t)index_of(state + l->index, l->index_size, i) << l->scale;
        else
            at += i * l->size;
        if (trace_on)
            trace_event(l->kind == COST_DR ? TRACE_READ : TRACE_WRITE, at, l->size);
        counter[0]++;
        count_misses(&counter[1], cache_sim_data(at, l->size));
    }
    give_time(s);
    return 0;
}

static GIMLE_LIGHT uint64_t conditional(struct VexState *s, uint64_t branch, uint64_t taken)
{
    const Branch *b = (const Branch *)(uintptr_t)branch;
    (void)s;
    *item_counters(&b->head) += branch_sim_conditional(b->addr, taken != 0);
    return 0;
}

static GIMLE_LIGHT uint64_t indirect(struct VexState *s, uint64_t branch, uint64_t target)
{
    const Branch *b = (const Branch *)(uintptr_t)branch;
    (void)s;
    *item_counters(&b->head) += branch_sim_indirect(b->addr, target);
    return 0;
}

/**
 * The end of an element of a repeated comparison: it goes on if the elements match.  If the
 * count is used up then it would look at it once more, and find that it has to end.
 */
static GIMLE_LIGHT uint64_t repeated(struct VexState *s, uint64_t branch, uint64_t match, uint64_t more,
                                     uint64_t size)
{
    enum { BRANCHES = 1, MISPREDICTED = 2 };
    const Branch *b = (const Branch *)(uintptr_t)branch;
    uint64_t *counter = item_counters(&b->head);
    (void)s;
    counter[MISPREDICTED] += branch_sim_conditional(b->addr, match != 0);
    if (trace_on)
        trace_event(TRACE_BRANCH, b->addr, match != 0);
    if (match && !more) {
        counter[BRANCHES]++;
        counter[MISPREDICTED] += branch_sim_conditional(b->addr, false);
        if (trace_on) {
            trace_event(TRACE_FETCH, b->addr, size);
            trace_event(TRACE_BRANCH, b->addr, 0);
        }
    }
    return 0;
}

static GIMLE_LIGHT uint64_t trace(struct VexState *s, uint64_t kind, uint64_t a, uint64_t value)
{
    (void)s;
    trace_event((char)kind, a, value);
    return 0;
}

#define LIGHT(name, fn, n) { "cachegrind_" name, (void *)(fn), CALLEE_LIGHT, TY_NONE, n }

#define ENTRY(fn, n) { { "cachegrind_" #fn, (void *)(fn), CALLEE_ENTRY, TY_NONE, n }, cg_##fn##_entry }

const IrEntry sim_fetch = ENTRY(fetch, 1);
const IrEntry sim_group = ENTRY(group, 2);
const IrEntry sim_group_odd = ENTRY(group_odd, 2);
const IrEntry sim_line_missed = ENTRY(line_missed, 2);
const IrEntry sim_code_missed = ENTRY(code_missed, 2);
const IrCallee sim_lanes = { "cachegrind_lanes", (void *)access_lanes, CALLEE_FULL, TY_NONE, 2 };
const IrCallee sim_conditional = LIGHT("conditional", conditional, 2);
const IrCallee sim_indirect = LIGHT("indirect", indirect, 2);
const IrCallee sim_repeated = LIGHT("repeated", repeated, 4);
const IrCallee sim_trace = LIGHT("trace", trace, 3);
