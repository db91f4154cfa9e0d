/* SPDX-License-Identifier: MIT */
/* What translated code calls: accesses that may miss, branches, and events for the trace. */
#ifndef CACHEGRIND_SIMULATE_H
#define CACHEGRIND_SIMULATE_H

#include "block_data.h"
#include "cache_sim.h"

/** Kinds of events in the trace: characters. */
enum { TRACE_FETCH = 'I', TRACE_READ = 'R', TRACE_WRITE = 'W', TRACE_BRANCH = 'B', TRACE_JUMP = 'J' };

/** Looking at lines of D1, of which some are not those that their sets used last. */
typedef struct SimLook {
    IrEntry usual; /**< if cache_sim_is_usual() */
    IrCallee any;
} SimLook;

extern const IrEntry sim_fetch;         /**< (Fetch *): a line is not in I1 */
extern const SimLook sim_group;         /**< (Group *, address) */
extern const IrCallee sim_lanes;        /**< (LaneRefs *, address) */
extern const IrCallee sim_conditional;  /**< (Branch *, taken): counts mispredictions only */
extern const IrCallee sim_indirect;     /**< (Branch *, target): counts mispredictions only */
extern const IrCallee sim_repeated;     /**< (Branch *, elements match, count lasts, size) */
extern const IrCallee sim_trace;       /**< (kind, address, size or whether taken or target) */

#endif
