/* SPDX-License-Identifier: MIT */
/* What translated code calls: accesses that may miss, branches, and events for the trace. */
#ifndef CACHEGRIND_SIMULATE_H
#define CACHEGRIND_SIMULATE_H

#include "block_data.h"
#include "cache_sim.h"

/** Kinds of events in the trace: characters. */
enum { TRACE_FETCH = 'I', TRACE_READ = 'R', TRACE_WRITE = 'W', TRACE_BRANCH = 'B', TRACE_JUMP = 'J' };

/** Before anything else. */
void sim_init(void);
/** Threads take turns: the time goes from one's state to another's; either may be NULL. */
void sim_thread_runs(struct VexState *before, struct VexState *now);

extern const IrEntry sim_fetch;         /**< (Fetch *): it is new in a line, which may not be in I1 */
extern const IrEntry sim_group;         /**< (Group *, address) */
extern const IrEntry sim_group_odd;     /**< (Group *, address): only if it is in two lines */
extern const IrEntry sim_line_missed;   /**< (counters of misses, line), which is not in D1 */
extern const IrEntry sim_code_missed;   /**< (counters of misses, line), which is not in I1 */
extern const IrCallee sim_lanes;        /**< (LaneRefs *, address) */
extern const IrCallee sim_conditional;  /**< (Branch *, taken): counts mispredictions only */
extern const IrCallee sim_indirect;     /**< (Branch *, target): counts mispredictions only */
extern const IrCallee sim_repeated;     /**< (Branch *, elements match, count lasts, size) */
extern const IrCallee sim_trace;       /**< (kind, address, size or whether taken or target) */

#endif
