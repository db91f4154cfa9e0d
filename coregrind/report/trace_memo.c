/* SPDX-License-Identifier: MIT */
/*
 * The memory of traces is a table for each host thread, addressed by a hash of where the trace
 * starts.  An entry holds the words that the walk read; all else that a walk depends on is
 * which objects are mapped, which the unwinder's generation tells.  Only walks that read
 * nothing but the thread's stack are remembered, and only words in the same stack are compared.
 */
#include "coregrind/report/trace_memo.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { ENTRY_BITS = 10, ENTRIES = 1 << ENTRY_BITS, HINT_BITS = 11, HINTS = 1 << HINT_BITS,
       LATEST_BITS = 6 };

typedef struct TraceEntry {
    const StackTrace *trace;
    TraceStart at;
    uint32_t generation;
    uint16_t n;
    bool fp_matters;
    uint64_t value[UNWIND_LOG_WORDS];
    uint32_t offset[UNWIND_LOG_WORDS]; /**< from the stack pointer */
} TraceEntry;

/**
 * How far from the return address `ra` that of the next frame is.  Wrappers such as xmalloc() make
 * the innermost ones say little about where a call comes from.
 */
typedef struct FrameHint {
    GuestAddr ra;
    uint32_t distance;
} FrameHint;

typedef struct TraceMemo {
    GuestAddr lo, hi; /**< the stack that all entries are about */
    unsigned turn;    /**< which of a pair goes next */
    const TraceEntry *latest[1 << LATEST_BITS]; /**< by the innermost frame alone: most often it */
    FrameHint hint[HINTS];
    TraceEntry entry[ENTRIES];
} TraceMemo;

/** Not in the threads' own storage, which their host stacks have to hold. */
static _Thread_local TraceMemo *memo;

typedef uint64_t __attribute__((aligned(1), may_alias)) StackWord;

/* Not for AddressSanitizer: other frames' red zones are read on purpose. */
__attribute__((no_sanitize("address"))) static inline uint64_t word_at(GuestAddr a)
{
    return *(const StackWord *)(uintptr_t)a;
}

static bool in_stack(GuestAddr sp)
{
    return memo && sp >= memo->lo && sp < memo->hi && memo->hi - sp >= 8;
}

static inline uint64_t mix(uint64_t v) { return v * 0x9e3779b97f4a7c15ULL; }

static inline FrameHint *hint_of(GuestAddr ra)
{
    return &memo->hint[mix(ra) >> (64 - HINT_BITS)];
}

/**
 * The pair of entries for a start.  The return addresses tell calls from different places with the
 * same stack pointer apart.
 */
static TraceEntry *entries_of(const TraceStart *at)
{
    GuestAddr sp = at->sp, ra = word_at(sp);
    uint64_t v = at->sp ^ at->pc << 20 ^ ra;
    for (unsigned i = 1; i < UNWIND_LOG_CALLERS; i++) {
        const FrameHint *h = hint_of(ra);
        sp += h->distance;
        if (h->ra != ra || !in_stack(sp))
            break;
        ra = word_at(sp);
        v = (v ^ v >> 32) * 0xd6e8feb86659fd93ULL ^ ra;
    }
    return &memo->entry[mix(v) >> (64 - ENTRY_BITS) & ~1ULL];
}

static const TraceEntry **latest_of(const TraceStart *at)
{
    return &memo->latest[mix(at->sp ^ at->pc << 20 ^ word_at(at->sp)) >> (64 - LATEST_BITS)];
}

static void put_hints(const TraceStart *at, const UnwindLog *log)
{
    for (unsigned i = 0; i + 1 < log->n_callers; i++) {
        GuestAddr ra = word_at(at->sp + log->caller[i]);
        *hint_of(ra) = (FrameHint){ ra, log->caller[i + 1] - log->caller[i] };
    }
}

static const StackTrace *entry_match(const TraceEntry *e, const TraceStart *at)
{
    if (e->at.sp != at->sp || e->at.pc != at->pc || !e->trace ||
        (e->fp_matters && e->at.fp != at->fp) || e->at.max_frames != at->max_frames ||
        e->generation != unwind_generation())
        return NULL;
    for (uint32_t i = 0; i < e->n; i++)
        if (word_at(at->sp + e->offset[i]) != e->value[i])
            return NULL;
    return e->trace;
}

const StackTrace *trace_memo_find(const TraceStart *at)
{
    if (!in_stack(at->sp))
        return NULL;
    const TraceEntry **latest = latest_of(at), *e = *latest;
    const StackTrace *t = e ? entry_match(e, at) : NULL;
    if (t)
        return t;
    e = entries_of(at);
    t = entry_match(e, at);
    if (!t)
        t = entry_match(++e, at);
    if (t)
        *latest = e;
    return t;
}

/** All entries are about one stack: another one starts anew. */
static void change_stack(GuestAddr lo, GuestAddr hi)
{
    if (!memo) {
        memo = calloc(1, sizeof *memo);
        CHECK(memo != NULL, "out of memory");
    }
    if (memo->lo == lo && memo->hi == hi)
        return;
    for (unsigned i = 0; i < ENTRIES; i++)
        memo->entry[i].trace = NULL;
    memo->lo = lo;
    memo->hi = hi;
}

void trace_memo_put(const TraceStart *at, const UnwindLog *log, GuestAddr lo, GuestAddr hi,
                    const StackTrace *t)
{
    if (log->incomplete)
        return;
    change_stack(lo, hi);
    if (!in_stack(at->sp))
        return;
    put_hints(at, log);
    TraceEntry *e = entries_of(at) + (memo->turn++ & 1);
    e->trace = t;
    e->at = *at;
    e->generation = log->generation;
    e->n = (uint16_t)log->n;
    e->fp_matters = log->fp_matters;
    memcpy(e->value, log->value, log->n * sizeof *log->value);
    memcpy(e->offset, log->offset, log->n * sizeof *log->offset);
}

void trace_memo_forget(void)
{
    free(memo);
    memo = NULL;
}
