/* SPDX-License-Identifier: MIT */
/*
 * Freed blocks wait here, first in first out, until their volume exceeds the limit, so that late
 * accesses are still recognised.  Big blocks have a queue of their own that is emptied first: one
 * of them costs as much room as thousands of small ones.
 *
 * What leaves was freed long ago and is in no cache: the queue is an array, so that the records
 * of the next ones are known and fetched in time.
 */
#include <stddef.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/ranked_lock.h"
#include "coregrind/heap/heap_internal.h"

enum { PIECE_SLOTS = 1023, AHEAD = 8, MAX_OUT = 64 };

typedef struct Piece {
    struct Piece *next;
    Slot *slot[PIECE_SLOTS];
} Piece;

typedef struct Queue {
    Piece *first, *last;
    unsigned begin, end; /**< of the first piece's rest; of the last piece's part in use */
} Queue;

static Queue small, big;
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

static void push(Queue *q, Slot *s)
{
    if (!q->last || q->end == PIECE_SLOTS) {
        Piece *p = piece_new();
        if (q->last)
            q->last->next = p;
        else
            q->first = p;
        q->last = p;
        q->end = 0;
    }
    q->last->slot[q->end++] = s;
}

static Slot *pop(Queue *q)
{
    Piece *p = q->first;
    if (!p || (p == q->last && q->begin == q->end))
        return NULL;
    Slot *s = p->slot[q->begin++];
    if (q->begin + AHEAD < PIECE_SLOTS && (p != q->last || q->begin + AHEAD < q->end))
        __builtin_prefetch(p->slot[q->begin + AHEAD], 1);
    if (q->begin == PIECE_SLOTS) {
        q->first = p->next;
        if (!q->first)
            q->last = NULL;
        q->begin = 0;
        free(spare);
        spare = p;
    }
    return s;
}

/**
 * What a block counts for: what it occupies, red zones included.  By the client's bytes alone, 20 MB
 * of small blocks would need 160.
 */
static uint64_t weight(const Slot *s)
{
    if (slot_is_registered(s))
        return s->b.size + 2 * s->b.detail + 1;
    return s->b.detail == CLASS_LARGE ? s->b.size + 2 * heap_red_zone + 1 : size_class_bytes(s->b.detail);
}

/** Up to MAX_OUT blocks that are too many. LOCK_heap is held. */
static unsigned take_out(Slot **out)
{
    unsigned n = 0;
    while (volume > limit && n < MAX_OUT) {
        Slot *old = pop(&big);
        if (!old)
            old = pop(&small);
        if (!old)
            break;
        volume -= weight(old);
        out[n++] = old;
    }
    return n;
}

void quarantine_add(Slot *const *slots, unsigned n)
{
    Slot *out[MAX_OUT];
    do {
        lock_take(LOCK_heap);
        for (unsigned i = 0; i < n; i++) {
            push(slots[i]->b.size >= big_size && big_size ? &big : &small, slots[i]);
            volume += weight(slots[i]);
        }
        n = 0;
        unsigned n_out = take_out(out);
        lock_release(LOCK_heap);
        for (unsigned i = 0; heap_dropped_callback && i < n_out; i++)
            heap_dropped_callback(&out[i]->b);
        heap_recycle(out, n_out);
        if (n_out < MAX_OUT)
            break;
    } while (true);
}
