/* SPDX-License-Identifier: MIT */
/*
 * Each thread remembers the traces that it took last and what on the stack led to them: a call
 * from a place with the same callers has the same trace, and comparing some words of the stack is
 * several times quicker than unwinding it.
 */
#ifndef COREGRIND_REPORT_TRACE_MEMO_H
#define COREGRIND_REPORT_TRACE_MEMO_H

#include "coregrind/unwind/unwind.h"
#include "gimle/thread.h"

/** Where a trace starts. */
typedef struct TraceStart {
    GuestAddr pc, sp, fp;
    unsigned max_frames;
} TraceStart;

/** The trace from @p at, if this thread took it before and nothing that it depends on has changed;
 *  else NULL. */
const StackTrace *trace_memo_find(const TraceStart *at);

/** Remember @p t, whose words were read from the stack [lo, hi). */
void trace_memo_put(const TraceStart *at, const UnwindLog *log, GuestAddr lo, GuestAddr hi,
                    const StackTrace *t);

/** The calling host thread ends. */
void trace_memo_forget(void);

#endif
