/* SPDX-License-Identifier: MIT */
/* Light helpers: they use general registers only and never block, but for writing the trace. */
#include "simulate.h"

#include <string.h>

#include "branch_sim.h"
#include "cache_sim_lookup.h"
#include "trace.h"

enum { MAX_REF_SIZE = UINT8_MAX };

/** Misses of the first level and of the last one: costs that stand next to each other. */
static inline __attribute__((always_inline, target("general-regs-only"))) void
count_misses(uint64_t *misses, unsigned what)
{
    misses[0] += what & MISS_L1;
    misses[1] += what >> 1;
}

static GIMLE_LIGHT uint64_t fetch(struct VexState *s, uint64_t fetch_of)
{
    const Fetch *f = (const Fetch *)(uintptr_t)fetch_of;
    (void)s;
    count_misses(&f->insn->cost[COST_I1MR], cache_sim_fetch(f->first, f->last, f->insn->addr, f->size));
    return 0;
}

static GIMLE_LIGHT uint64_t access_one(struct VexState *s, uint64_t misses, uint64_t a, uint64_t size)
{
    (void)s;
    count_misses((uint64_t *)(uintptr_t)misses, cache_sim_data(a, (unsigned)size));
    return 0;
}

static GIMLE_LIGHT uint64_t access_group(struct VexState *s, uint64_t group, uint64_t a)
{
    const Group *g = (const Group *)(uintptr_t)group;
    (void)s;
    int before = INT32_MIN;
    for (uint32_t i = 0; i < g->n; i++) {
        const GroupRef *r = &g->ref[i];
        int where = r->ref.offset * (MAX_REF_SIZE + 1) + r->ref.size;
        if (where == before)
            continue; /* it was used just now */
        before = where;
        count_misses(&r->insn->cost[r->ref.kind + 1],
                     cache_sim_data(a + (uint64_t)(int64_t)r->ref.offset, r->ref.size));
    }
    return 0;
}

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
    const uint8_t *state = (const uint8_t *)s;
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
        r->insn->cost[l->kind]++;
        count_misses(&r->insn->cost[l->kind + 1], cache_sim_data(at, l->size));
    }
    return 0;
}

static GIMLE_LIGHT uint64_t conditional(struct VexState *s, uint64_t insn, uint64_t taken)
{
    InsnCost *c = (InsnCost *)(uintptr_t)insn;
    (void)s;
    c->cost[COST_BCM] += branch_sim_conditional(c->addr, taken != 0);
    return 0;
}

static GIMLE_LIGHT uint64_t indirect(struct VexState *s, uint64_t insn, uint64_t target)
{
    InsnCost *c = (InsnCost *)(uintptr_t)insn;
    (void)s;
    c->cost[COST_BIM] += branch_sim_indirect(c->addr, target);
    return 0;
}

/**
 * The end of an element of a repeated comparison: it goes on if the elements match.  If the
 * count is used up then it would look at it once more, and find that it has to end.
 */
static GIMLE_LIGHT uint64_t repeated(struct VexState *s, uint64_t insn, uint64_t match, uint64_t more,
                                     uint64_t size)
{
    InsnCost *c = (InsnCost *)(uintptr_t)insn;
    conditional(s, insn, match);
    if (trace_on)
        trace_event(TRACE_BRANCH, c->addr, match != 0);
    if (match && !more) {
        c->cost[COST_BC]++;
        conditional(s, insn, 0);
        if (trace_on) {
            trace_event(TRACE_FETCH, c->addr, size);
            trace_event(TRACE_BRANCH, c->addr, 0);
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

const IrCallee sim_fetch = LIGHT("fetch", fetch, 1);
const IrCallee sim_access = LIGHT("access", access_one, 3);
const IrCallee sim_group = LIGHT("group", access_group, 2);
const IrCallee sim_lanes = { "cachegrind_lanes", (void *)access_lanes, CALLEE_FULL, TY_NONE, 2 };
const IrCallee sim_conditional = LIGHT("conditional", conditional, 2);
const IrCallee sim_indirect = LIGHT("indirect", indirect, 2);
const IrCallee sim_repeated = LIGHT("repeated", repeated, 4);
const IrCallee sim_trace = LIGHT("trace", trace, 3);
