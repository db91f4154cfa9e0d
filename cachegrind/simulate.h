/* SPDX-License-Identifier: MIT */
/* What translated code calls: accesses that may miss, branches, and events for the trace. */
#ifndef CACHEGRIND_SIMULATE_H
#define CACHEGRIND_SIMULATE_H

#include "cache_sim.h"
#include "cost_table.h"
#include "references.h"

/** An instruction's fetch. */
typedef struct Fetch {
    InsnCost *insn;
    CodeLine *first, *last;
    unsigned size;
} Fetch;

/** An access of a group. */
typedef struct GroupRef {
    InsnCost *insn;
    Ref ref;
} GroupRef;

/** Accesses one after another, at offsets from one address. */
typedef struct Group {
    uint32_t n;
    GroupRef ref[];
} Group;

/** Accesses lane by lane. */
typedef struct LaneRefs {
    InsnCost *insn;
    Lanes lanes;
} LaneRefs;

/** Kinds of events in the trace: characters. */
enum { TRACE_FETCH = 'I', TRACE_READ = 'R', TRACE_WRITE = 'W', TRACE_BRANCH = 'B', TRACE_JUMP = 'J' };

extern const IrCallee sim_fetch;       /**< (Fetch *) */
extern const IrCallee sim_access;      /**< (&misses of D1, address, size) */
extern const IrCallee sim_group;       /**< (Group *, address) */
extern const IrCallee sim_lanes;       /**< (LaneRefs *, address) */
extern const IrCallee sim_conditional; /**< (InsnCost *, taken): counts mispredictions only */
extern const IrCallee sim_indirect;    /**< (InsnCost *, target): counts mispredictions only */
extern const IrCallee sim_repeated;    /**< (InsnCost *, elements match, count lasts, size) */
extern const IrCallee sim_trace;       /**< (kind, address, size or whether taken or target) */

#endif
