/* SPDX-License-Identifier: MIT */
/*
 * Freed blocks wait here, first in first out, until their volume exceeds the limit, so that late
 * accesses are still recognised.  Big blocks have a queue of their own that is emptied first: one
 * of them costs as much room as thousands of small ones.  The block that was freed last stays and does not
 * count, however big it is: it is the one that is most likely accessed by mistake.
 *
 * What leaves was freed long ago and is in no cache, so the queue has what is needed to use the memory
 * again.
 */
#include <stddef.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/ranked_lock.h"
#include "coregrind/heap/heap_internal.h"
#include "gimle/thread.h"

enum { PIECE_SLOTS = 1023, MAX_OUT = 64 };

typedef struct Piece {
    struct Piece *next;
    Freed slot[PIECE_SLOTS];
} Piece;

typedef struct Queue {
    Piece *first, *last;
    unsigned begin, end; /**< of the first piece's rest; of the last piece's part in use */
} Queue;

static Queue small, big;
static const Queue *newest;                                   /* got the block that was freed last; LOCK_heap */
static uint64_t newest_weight;                                /* likewise */
static Piece *spare;                                          /* under LOCK_heap */
static uint64_t volume, limit = 20000000, big_size = 1000000; /* under LOCK_heap */
void (*heap_dropped_callback)(HeapBlock *b);

void quarantine_init(uint64_t bytes, uint64_t big_block)
{
    limit = bytes;
    big_size = big_block;
    parts_init(bytes);
}

bool quarantine_is_due(uint64_t bytes) { return bytes >= limit / 64; }

Slot *freed_slot(Freed f)
{
    if (freed_class(f) == FREED_RECORD)
        return (Slot *)(uintptr_t)freed_value(f);
    const Span *span = span_find(freed_value(f));
    return &span->slot[span_index(span, freed_value(f))];
}

Freed freed_of(const Slot *s)
{
    Freed big = s->b.size >= big_size && big_size ? 1ULL << FREED_BIG : 0;
    if (slot_is_registered(s) || s->b.detail == CLASS_LARGE)
        return big | (Freed)FREED_RECORD << FREED_CLASS | (uintptr_t)s;
    return big | (Freed)s->b.detail << FREED_CLASS | s->b.addr;
}
_Static_assert(HEAP_CLASSES < FREED_RECORD && FREED_CLASS >= 45, "Freed holds addresses and classes");

/**
 * What a block counts for: what it occupies, red zones included.  By the client's bytes alone, 20 MB
 * of small blocks would need 160.
 */
static inline uint64_t weight(Freed f)
{
    if (freed_class(f) != FREED_RECORD)
        return size_class_bytes(freed_class(f));
    const Slot *s = freed_slot(f);
    return s->b.size + 1 + 2 * (slot_is_registered(s) ? s->b.detail : heap_red_zone);
}

static Piece *piece_new(void)
{
    Piece *p = spare;
    if (p)
        spare = NULL;
    else
        p = malloc(sizeof *p);
    CHECK(p != NULL, "out of memory");
    p->next = NULL;
    return p;
}

static inline void push(Queue *q, Freed f)
{
    if (__builtin_expect(!q->last || q->end == PIECE_SLOTS, 0)) {
        Piece *p = piece_new();
        if (q->last)
            q->last->next = p;
        else
            q->first = p;
        q->last = p;
        q->end = 0;
    }
    q->last->slot[q->end++] = f;
}

/** The first piece has been read to its end. */
static void drop_piece(Queue *q)
{
    Piece *p = q->first;
    q->first = p->next;
    if (!q->first)
        q->last = NULL;
    q->begin = 0;
    free(spare);
    spare = p;
}

/**
 * What may wait.  Where several threads use the heap nothing of it is given back (parts.c), so that an eighth
 * less waits, and for each thread, which has tables of its own, a little more, but never less than half.
 */
static uint64_t limit_now(void)
{
    if (heap_is_of_one_thread())
        return limit;
    uint64_t less = limit / 8 + limit / 512 * gimle_thread_count();
    return limit - (less < limit / 2 ? less : limit / 2);
}

/** @p n blocks or none are left. */
static inline bool has_only(const Queue *q, unsigned n)
{
    return !q->first || (q->first == q->last && q->begin + n >= q->end);
}

/** Move blocks of @p q to @p out from number @p n on while there are too many; the new number. */
static unsigned pop(Queue *q, Freed *out, unsigned n)
{
    uint64_t most = limit_now();
    while (volume - newest_weight > most && n < MAX_OUT && !has_only(q, q == newest)) {
        Freed f = q->first->slot[q->begin++];
        volume -= weight(f);
        out[n++] = f;
        if (__builtin_expect(q->begin == PIECE_SLOTS, 0))
            drop_piece(q);
    }
    return n;
}

void quarantine_add(const Freed *blocks, unsigned n)
{
    Freed out[MAX_OUT];
    unsigned n_out;
    bool all = n == 0;
    do {
        lock_take(LOCK_heap);
        if (all) {
            newest = NULL;
            newest_weight = 0;
        }
        for (unsigned i = 0; i < n; i++) {
            Queue *q = blocks[i] >> FREED_BIG & 1 ? &big : &small;
            push(q, blocks[i]);
            newest = q;
            newest_weight = weight(blocks[i]);
            volume += newest_weight;
        }
        n = 0;
        n_out = pop(&small, out, pop(&big, out, 0));
        lock_release(LOCK_heap);
        for (unsigned i = 0; heap_dropped_callback && i < n_out; i++)
            heap_dropped_callback(&freed_slot(out[i])->b);
        heap_recycle(out, n_out);
    } while (n_out == MAX_OUT);
}
