/* SPDX-License-Identifier: MIT */
/*
 * Spans and size classes.  The table from units to spans has two levels and only grows, so lookups
 * take no lock; free lists are under LOCK_heap, which is never held while the address space is
 * asked for pages.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "base/ranked_lock.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/heap/heap_internal.h"

void (*heap_arena_callback)(GuestAddr a, size_t len);

/* ---- host memory of records ------------------------------------------------------------------- */

void *heap_meta_alloc(size_t bytes)
{
    enum { PIECE = 1 << 20 };
    static char *next, *end;
    bytes = (bytes + 63) & ~(size_t)63;
    lock_take(LOCK_heap);
    if ((size_t)(end - next) < bytes) {
        size_t piece = bytes > PIECE ? bytes : PIECE;
        char *p = mmap(NULL, piece, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        CHECK(p != MAP_FAILED, "out of memory for heap records");
        if (bytes == piece) {
            lock_release(LOCK_heap);
            return p;
        }
        next = p;
        end = p + piece;
    }
    void *p = next;
    next += bytes;
    lock_release(LOCK_heap);
    return p;
}

/* ---- size classes: steps of 16 to 512, then four to each doubling ------------------------------- */

enum { FINE_CLASSES = 32, FINE_STEP = 16, FINE_END = FINE_CLASSES * FINE_STEP };

unsigned size_class(size_t bytes)
{
    CHECK(bytes > 0 && bytes <= HEAP_MAX_SLOT, "%zu bytes", bytes);
    if (bytes <= FINE_END)
        return (unsigned)((bytes + FINE_STEP - 1) / FINE_STEP) - 1;
    unsigned log = 63 - (unsigned)__builtin_clzl(bytes - 1); /* 2^log < bytes <= 2^(log+1) */
    size_t step = (size_t)1 << (log - 2);
    return FINE_CLASSES + (log - 9) * 4 + (unsigned)((bytes - 1 - ((size_t)1 << log)) / step);
}

uint32_t size_class_bytes(unsigned cls)
{
    if (cls < FINE_CLASSES)
        return (cls + 1) * FINE_STEP;
    unsigned log = (cls - FINE_CLASSES) / 4 + 9, quarter = (cls - FINE_CLASSES) % 4;
    return (1u << log) + (quarter + 1) * (1u << (log - 2));
}

_Static_assert(HEAP_CLASSES == FINE_CLASSES + 4 * 8, "classes reach HEAP_MAX_SLOT = 2^17");

/* ---- units → spans --------------------------------------------------------------------------------- */

enum { LEAF_BITS = 14, LEAF = 1 << LEAF_BITS, ROOT = 1 << (45 - HEAP_UNIT_BITS - LEAF_BITS) };
_Static_assert(GIMLE_CLIENT_END <= 1ULL << 45, "the table covers the client's range");

typedef struct Leaf {
    _Atomic(Span *) span[LEAF];
} Leaf;

static _Atomic(Leaf *) root[ROOT];

Span *span_find(GuestAddr a)
{
    if (a >= GIMLE_CLIENT_END)
        return NULL;
    size_t unit = a >> HEAP_UNIT_BITS;
    Leaf *l = atomic_load_explicit(&root[unit >> LEAF_BITS], memory_order_acquire);
    return l ? atomic_load_explicit(&l->span[unit % LEAF], memory_order_acquire) : NULL;
}

static void span_enter(const Span *s, Span *value)
{
    for (GuestAddr a = s->base; a < s->base + s->len; a += HEAP_UNIT) {
        size_t unit = a >> HEAP_UNIT_BITS;
        _Atomic(Leaf *) *r = &root[unit >> LEAF_BITS];
        Leaf *l = atomic_load(r);
        if (!l) {
            Leaf *fresh = heap_meta_alloc(sizeof *fresh), *none = NULL;
            l = atomic_compare_exchange_strong(r, &none, fresh) ? fresh : none;
        }
        atomic_store_explicit(&l->span[unit % LEAF], value, memory_order_release);
    }
}

Slot *span_slot_at(GuestAddr a)
{
    Span *s = span_find(a);
    if (!s)
        return NULL;
    if (s->slot_size == 0)
        return &s->slot[0];
    uint32_t i = (uint32_t)(a - s->base) / s->slot_size;
    return i < __atomic_load_n(&s->used, __ATOMIC_ACQUIRE) ? &s->slot[i] : NULL;
}

GuestAddr span_slot_addr(const Slot *s)
{
    return s->span->base + (GuestAddr)(s - s->span->slot) * s->span->slot_size;
}

/* ---- client pages ----------------------------------------------------------------------------------- */

/** Map @p len bytes (a multiple of HEAP_UNIT) at a unit boundary; 0 if there is no room. */
static GuestAddr map_units(size_t len)
{
    GuestAddr a = aspace_map_arena(len);
    if (a && a % HEAP_UNIT != 0) {
        aspace_unmap_arena(a, len);
        a = aspace_map_arena(len + HEAP_UNIT);
        if (!a)
            return 0;
        GuestAddr start = (a + HEAP_UNIT - 1) & ~(GuestAddr)(HEAP_UNIT - 1), end = a + len + HEAP_UNIT;
        if (start > a)
            aspace_unmap_arena(a, start - a);
        if (start + len < end)
            aspace_unmap_arena(start + len, end - (start + len));
        a = start;
    }
    if (a && heap_arena_callback)
        heap_arena_callback(a, len);
    return a;
}

/** @p len bytes cut from the current chunk. */
static GuestAddr take_units(size_t len)
{
    static GuestAddr chunk, chunk_end;
    lock_take(LOCK_heap);
    GuestAddr a = chunk;
    bool fits = chunk_end - chunk >= len;
    chunk += fits ? len : 0;
    lock_release(LOCK_heap);
    if (fits)
        return a;
    a = map_units(HEAP_CHUNK);
    if (!a)
        return map_units(len);
    lock_take(LOCK_heap);
    chunk = a + len; /* what was left of the old chunk is not worth keeping */
    chunk_end = a + HEAP_CHUNK;
    lock_release(LOCK_heap);
    return a;
}

/* ---- spans --------------------------------------------------------------------------------------------- */

static Span *all_spans;                    /* under LOCK_heap */
static Slot *free_slots[HEAP_CLASSES];     /* under LOCK_heap */
static Span *fresh_span[HEAP_CLASSES];     /* the one with slots never used; under LOCK_heap */

static Span *span_new(GuestAddr base, size_t len, uint32_t slot_size, uint32_t n_slots, unsigned cls)
{
    Span *s = heap_meta_alloc(sizeof *s);
    *s = (Span){ .base = base, .len = len, .slot_size = slot_size, .n_slots = n_slots,
                 .cls = (uint16_t)cls, .slot = heap_meta_alloc(n_slots * sizeof(Slot)) };
    span_enter(s, s);
    lock_take(LOCK_heap);
    s->next = all_spans;
    s->link = &all_spans;
    if (s->next)
        s->next->link = &s->next;
    all_spans = s;
    lock_release(LOCK_heap);
    return s;
}

/** A new span for class @p cls becomes the fresh one; false if there is no memory. */
static bool grow_class(unsigned cls)
{
    uint32_t size = size_class_bytes(cls);
    size_t len = ((size_t)size * 8 + HEAP_UNIT - 1) & ~(size_t)(HEAP_UNIT - 1);
    GuestAddr base = take_units(len);
    if (!base)
        return false;
    Span *s = span_new(base, len, size, (uint32_t)(len / size), cls);
    lock_take(LOCK_heap);
    fresh_span[cls] = s; /* two threads at once: the other's rest stays unused */
    lock_release(LOCK_heap);
    return true;
}

/** The next slot that was never used. LOCK_heap is held. */
static Slot *take_fresh(unsigned cls)
{
    Span *s = fresh_span[cls];
    if (!s || s->used == s->n_slots)
        return NULL;
    Slot *slot = &s->slot[s->used];
    slot->span = s;
    slot->b.freed = SLOT_FREE;
    __atomic_store_n(&s->used, s->used + 1, __ATOMIC_RELEASE);
    return slot;
}

Slot *spans_take(unsigned cls, unsigned want)
{
    Slot *list = NULL;
    do {
        lock_take(LOCK_heap);
        for (unsigned i = 0; i < want; i++) {
            Slot *s = free_slots[cls];
            if (s)
                free_slots[cls] = s->next;
            else
                s = take_fresh(cls);
            if (!s)
                break;
            s->next = list;
            list = s;
        }
        lock_release(LOCK_heap);
    } while (!list && grow_class(cls));
    return list;
}

void spans_give(unsigned cls, Slot *list)
{
    lock_take(LOCK_heap);
    while (list) {
        Slot *next = list->next;
        list->next = free_slots[cls];
        free_slots[cls] = list;
        list = next;
    }
    lock_release(LOCK_heap);
}

Slot *span_new_large(size_t bytes)
{
    size_t len = (bytes + HEAP_UNIT - 1) & ~(size_t)(HEAP_UNIT - 1);
    GuestAddr base = map_units(len);
    if (!base)
        return NULL;
    Span *s = span_new(base, len, 0, 1, 0);
    s->used = 1;
    s->slot[0].span = s;
    s->slot[0].b.freed = SLOT_FREE;
    return &s->slot[0];
}

void span_free_large(Slot *slot)
{
    Span *s = slot->span;
    span_enter(s, NULL);
    lock_take(LOCK_heap);
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    lock_release(LOCK_heap);
    aspace_unmap_arena(s->base, s->len); /* the record stays: errors may still point to it */
}

static int by_base(const void *a, const void *b)
{
    const Span *x = *(Span *const *)a, *y = *(Span *const *)b;
    return x->base < y->base ? -1 : x->base > y->base;
}

Span **spans_sorted(size_t *n)
{
    lock_take(LOCK_heap);
    size_t count = 0, i = 0;
    for (Span *s = all_spans; s; s = s->next)
        count++;
    Span **list = calloc(count + 1, sizeof *list);
    CHECK(list != NULL, "out of memory");
    for (Span *s = all_spans; s; s = s->next)
        list[i++] = s;
    lock_release(LOCK_heap);
    qsort(list, count, sizeof *list, by_base);
    *n = count;
    return list;
}
