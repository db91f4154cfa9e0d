/* SPDX-License-Identifier: MIT */
/*
 * Freed blocks wait here, first in first out, until their volume exceeds the limit, so that late
 * accesses are still recognised.  Big blocks have a queue of their own that is emptied first: one
 * of them costs as much room as thousands of small ones.
 */
#include <stddef.h>

#include "base/ranked_lock.h"
#include "coregrind/heap/heap_internal.h"

typedef struct Queue {
    Slot *first, **last;
} Queue;

static Queue small = { NULL, &small.first }, big = { NULL, &big.first };
static uint64_t volume, limit = 20000000, big_size = 1000000; /* under LOCK_heap */
void (*heap_dropped_callback)(HeapBlock *b);

void quarantine_init(uint64_t bytes, uint64_t big_block)
{
    limit = bytes;
    big_size = big_block;
}

static void push(Queue *q, Slot *s)
{
    s->next = NULL;
    *q->last = s;
    q->last = &s->next;
}

static Slot *pop(Queue *q)
{
    Slot *s = q->first;
    if (!s)
        return NULL;
    q->first = s->next;
    if (q->first)
        __builtin_prefetch(q->first->next, 1); /* needed one or two frees from now */
    else
        q->last = &q->first;
    return s;
}

/** What a block counts for: empty ones must not stay for ever. */
static uint64_t weight(const Slot *s) { return s->b.size ? s->b.size : 1; }

void quarantine_add(Slot *s)
{
    Slot *out = NULL;
    lock_take(LOCK_heap);
    push(s->b.size >= big_size && big_size ? &big : &small, s);
    volume += weight(s);
    while (volume > limit) {
        Slot *old = pop(&big);
        if (!old)
            old = pop(&small);
        if (!old)
            break;
        volume -= weight(old);
        old->next = out;
        out = old;
    }
    lock_release(LOCK_heap);
    while (out) {
        Slot *next = out->next;
        if (heap_dropped_callback)
            heap_dropped_callback(&out->b);
        heap_recycle(out);
        out = next;
    }
}
