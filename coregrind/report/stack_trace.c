/* SPDX-License-Identifier: MIT */
/*
 * Interned stack traces.  The table is a fixed array of buckets with singly linked lists that only
 * grow at their heads: readers need no lock, a writer publishes with one compare-and-swap.  Traces
 * live as long as the process; blocks and errors point to them.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "VEX/state.h"
#include "base/check.h"
#include "coregrind/report/report_internal.h"
#include "coregrind/report/trace_memo.h"
#include "coregrind/unwind/unwind.h"

enum { BUCKETS = 1 << 16, MAX_FRAMES = 500, GPR_SP = 4, GPR_FP = 5 };

typedef struct Node {
    struct Node *next;
    uint64_t hash;
    StackTrace trace;
} Node;

static _Atomic(Node *) bucket[BUCKETS];
static _Atomic uint32_t next_id = 1;

/** Traces are never freed, so they come from big pieces; one piece per thread. */
static void *trace_memory(size_t size)
{
    enum { PIECE = 1 << 16 };
    static _Thread_local char *next, *end;
    size = (size + 15) & ~(size_t)15;
    if ((size_t)(end - next) < size) {
        size_t piece = size > PIECE ? size : PIECE;
        next = malloc(piece);
        CHECK(next != NULL, "out of memory for stack traces");
        end = next + piece;
    }
    void *p = next;
    next += size;
    return p;
}

static uint64_t hash_pcs(const GuestAddr *pc, unsigned n)
{
    /* Each address by itself, with its place: the multiplications need not wait for each other. */
    uint64_t h = n * 0x9e3779b97f4a7c15ULL, place = 0xd6e8feb86659fd93ULL;
    for (unsigned i = 0; i < n; i++, place += 0x9e3779b97f4a7c15ULL) {
        unsigned __int128 m = (unsigned __int128)(pc[i] ^ place) * 0xff51afd7ed558ccdULL;
        h += (uint64_t)m ^ (uint64_t)(m >> 64);
    }
    return h ^ (h >> 32);
}

static const StackTrace *find(Node *from, const Node *until, uint64_t hash, const GuestAddr *pc,
                              unsigned n)
{
    for (Node *i = from; i != until; i = i->next)
        if (i->hash == hash && i->trace.n == n && memcmp(i->trace.pc, pc, n * sizeof *pc) == 0)
            return &i->trace;
    return NULL;
}

const StackTrace *gimle_stack_trace_intern(const GuestAddr *pc, unsigned n)
{
    uint64_t hash = hash_pcs(pc, n);
    _Atomic(Node *) *b = &bucket[hash % BUCKETS];
    Node *head = atomic_load_explicit(b, memory_order_acquire);
    const StackTrace *t = find(head, NULL, hash, pc, n);
    if (t)
        return t;
    Node *node = trace_memory(sizeof *node + n * sizeof *pc);
    node->hash = hash;
    node->trace.n = n;
    node->trace.id = atomic_fetch_add(&next_id, 1);
    memcpy(node->trace.pc, pc, n * sizeof *pc);
    for (;;) {
        node->next = head;
        Node *seen = head;
        if (atomic_compare_exchange_weak(b, &head, node))
            return &node->trace;
        t = find(head, seen, hash, pc, n);
        if (t)
            return t;
    }
}

/**
 * Drop recursions of at most @p longest frames, as --merge-recursive-frames asks: a place that was met so
 * few frames before closes a cycle, and the frames since then go.
 */
static unsigned merge_recursion(GuestAddr *pc, unsigned n, unsigned longest)
{
    unsigned kept = n > 0 ? 1 : 0; /* the innermost is where it happened: never part of a cycle */
    for (unsigned i = 1; i < n; i++) {
        unsigned back = 1;
        while (back <= longest && back < kept && pc[kept - back] != pc[i])
            back++;
        if (back <= longest && back < kept)
            kept -= back - 1;
        else
            pc[kept++] = pc[i];
    }
    return kept;
}

/** Walk the stack of @p t, whose state is @p s. */
static __attribute__((noinline)) const StackTrace *walk(Thread *t, const VexState *s, const TraceStart *at)
{
    GuestAddr pcs[MAX_FRAMES];
    UnwindRegs regs;
    UnwindLog log;
    GuestAddr lo = 0, hi = 0;
    unsigned merge = (unsigned)core_options->merge_recursive_frames;
    unsigned max_frames = at->max_frames > MAX_FRAMES ? MAX_FRAMES : at->max_frames;
    regs.pc = s->guest.pc;
    memcpy(regs.gpr, s->guest.gpr, sizeof regs.gpr);
    if (!gimle_thread_stack(t, &lo, &hi))
        lo = hi = 0;
    unsigned n = unwind_stack_logged(&regs, pcs, merge ? MAX_FRAMES : max_frames, lo, hi, &log);
    if (merge) {
        n = merge_recursion(pcs, n, merge);
        n = n > max_frames ? max_frames : n;
    }
    const StackTrace *trace = gimle_stack_trace_intern(pcs, n);
    trace_memo_put(at, &log, lo, hi, trace);
    return trace;
}

const StackTrace *gimle_stack_trace_depth(Thread *t, unsigned max_frames)
{
    const VexState *s = gimle_thread_state(t);
    TraceStart at = { s->guest.pc, s->guest.gpr[GPR_SP], s->guest.gpr[GPR_FP], max_frames };
    const StackTrace *known = trace_memo_find(&at);
    return known ? known : walk(t, s, &at);
}

const StackTrace *gimle_stack_trace(Thread *t)
{
    return gimle_stack_trace_depth(t, (unsigned)core_options->num_callers);
}
