/* SPDX-License-Identifier: MIT */
/*
 * The memory of traces is a table for each host thread, addressed by a hash of where the trace
 * starts.  An entry knows where the words are that the walk read, and their hash; all else that a walk
 * depends on is which objects are mapped, which the unwinder's generation tells.  Only walks that read
 * nothing but the thread's stack are remembered, and only words in the same stack are looked at.
 *
 * Programs do things in the same order again and again, so the entry that followed the last one the
 * time before is tried first: that needs no hash.
 */
#include "coregrind/report/trace_memo.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

#include "base/check.h"
#include "coregrind/os/guarded_load.h"

enum { ENTRY_BITS = 11, ENTRIES = 1 << ENTRY_BITS, HINT_BITS = 11, HINTS = 1 << HINT_BITS };

/** Eleven words or less, as twelve frames have them, need one cache line. */
typedef struct __attribute__((aligned(64))) TraceEntry {
    const StackTrace *trace;
    GuestAddr sp, pc;
    uint64_t hash;                     /**< of the words */
    uint32_t generation;
    uint16_t max_frames;
    uint8_t n;
    bool fp_matters;
    uint16_t next;                     /**< number of the entry that came after this one */
    uint16_t offset[UNWIND_LOG_WORDS]; /**< from the stack pointer, in words */
    GuestAddr fp;
} TraceEntry;
_Static_assert(offsetof(TraceEntry, offset[11]) == 64, "the first cache line");

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
    TraceEntry *last; /**< the entry that was found or made last */
    FrameHint hint[HINTS];
    TraceEntry entry[ENTRIES];
} TraceMemo;

/** Not in the threads' own storage, which their host stacks have to hold. */
static _Thread_local TraceMemo *memo;

/** 0 where the client took part of its stack away: that is no return address. */
static inline uint64_t word_at(GuestAddr a)
{
    uint64_t v;
    guarded_load(a, &v);
    return v;
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

/** The words at @p offset from @p sp. Each has a factor of its own: return addresses change places. */
static inline uint64_t hash_words(GuestAddr sp, const uint16_t *offset, unsigned n)
{
    static const uint64_t factor[UNWIND_LOG_WORDS] = {
        0x8bc22e8cf1d36577, 0x08e35f3ad03e2bcb, 0x17eb9f8aee73eab9, 0x5cfcbbe3ed8bea07,
        0xa276cd30ca3f0a81, 0x47b42c6d0a2ec6cd, 0xf5e85dbf36f9e40b, 0x6d65fc3b6d0bd1a5,
        0x93cd95e2d2a41e83, 0xd5a1dd9a2c9dd5c7, 0x2d1d7c52a3b6a2ef, 0xbe3c6b1f4cf70bd9,
        0x3fd8a9e6c5e0b6b3, 0xc98b5e03b1f6d3a1, 0x7a3f60d37ecb5e4d, 0xe0b4a9a3d7d10e15,
        0x51f7d23c8a4a7ccf, 0xa9c8f1d68b0f0e67, 0x1e60bc97f26d3d3b, 0xf3a7e8841cb04593,
        0x65d9be7d3d2a0b2f, 0x9c13f5c0a6e7b8cb, 0x36a2d94d9b6c37a5, 0xdb41c87e2f9ac6e3,
    };
    uint64_t h = 0;
    for (unsigned i = 0; i < n; i++)
        h += word_at(sp + (GuestAddr)offset[i] * 8) * factor[i];
    return h;
}

static void put_hints(const TraceStart *at, const UnwindLog *log)
{
    for (unsigned i = 0; i + 1 < log->n_callers; i++) {
        GuestAddr ra = word_at(at->sp + log->caller[i]);
        *hint_of(ra) = (FrameHint){ ra, log->caller[i + 1] - log->caller[i] };
    }
}

static inline const StackTrace *entry_match(const TraceEntry *e, const TraceStart *at)
{
    if (e->sp != at->sp || e->pc != at->pc || !e->trace || (e->fp_matters && e->fp != at->fp) ||
        e->max_frames != at->max_frames || e->generation != unwind_generation() ||
        hash_words(at->sp, e->offset, e->n) != e->hash)
        return NULL;
    return e->trace;
}

/** @p e is what came after the last one. */
static inline void follow(TraceEntry *e)
{
    memo->last->next = (uint16_t)(e - memo->entry);
    memo->last = e;
}
_Static_assert(ENTRIES <= 1 << 16, "TraceEntry.next");

static __attribute__((noinline)) const StackTrace *find_by_hash(const TraceStart *at)
{
    TraceEntry *e = entries_of(at);
    const StackTrace *t = entry_match(e, at);
    if (!t)
        t = entry_match(++e, at);
    if (t)
        follow(e);
    return t;
}

const StackTrace *trace_memo_find(const TraceStart *at)
{
    if (!in_stack(at->sp))
        return NULL;
    TraceEntry *e = &memo->entry[memo->last->next];
    const StackTrace *t = entry_match(e, at);
    if (!t)
        return find_by_hash(at);
    memo->last = e;
    return t;
}

/** All entries are about one stack: another one starts anew. */
static void change_stack(GuestAddr lo, GuestAddr hi)
{
    if (!memo) {
        memo = mmap(NULL, sizeof *memo, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(memo != MAP_FAILED, "out of memory");
        memo->last = memo->entry;
    }
    if (memo->lo == lo && memo->hi == hi)
        return;
    for (unsigned i = 0; i < ENTRIES; i++)
        if (memo->entry[i].trace) /* most threads use little of it: what is only read needs no memory */
            memo->entry[i].trace = NULL;
    memo->lo = lo;
    memo->hi = hi;
}

void trace_memo_put(const TraceStart *at, const UnwindLog *log, GuestAddr lo, GuestAddr hi,
                    const StackTrace *t)
{
    if (log->incomplete || at->max_frames > UINT16_MAX)
        return;
    for (uint32_t i = 0; i < log->n; i++)
        if (log->offset[i] % 8 || log->offset[i] / 8 > UINT16_MAX)
            return;
    change_stack(lo, hi);
    if (!in_stack(at->sp))
        return;
    put_hints(at, log);
    TraceEntry *e = entries_of(at) + (memo->turn++ & 1);
    e->trace = t;
    e->sp = at->sp;
    e->pc = at->pc;
    e->fp = at->fp;
    e->max_frames = (uint16_t)at->max_frames;
    e->generation = log->generation;
    e->n = (uint8_t)log->n;
    e->fp_matters = log->fp_matters;
    for (uint32_t i = 0; i < log->n; i++)
        e->offset[i] = (uint16_t)(log->offset[i] / 8);
    e->hash = hash_words(at->sp, e->offset, e->n);
    follow(e);
}

void trace_memo_forget(void)
{
    if (memo)
        munmap(memo, sizeof *memo);
    memo = NULL;
}
