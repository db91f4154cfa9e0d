/* SPDX-License-Identifier: MIT */
/*
 * Spans and size classes.  The table from units to spans has two levels and only grows, so lookups
 * take no lock; free lists are under LOCK_heap, which is never held while the address space is
 * asked for pages.
 */
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

uintptr_t span_root[ROOT];

static void unit_enter(size_t unit, Span *value)
{
    uintptr_t *r = &span_root[unit >> LEAF_BITS], l = __atomic_load_n(r, __ATOMIC_ACQUIRE);
    if (!l) {
        uintptr_t fresh = (uintptr_t)heap_meta_alloc(sizeof(SpanLeaf));
        bool won = __atomic_compare_exchange_n(r, &l, fresh, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
        l = won ? fresh : l;
    }
    __atomic_store_n(&((SpanLeaf *)l)->span[unit % LEAF], value, __ATOMIC_RELEASE);
}

/** All units of a leaf, without one if there is none. */
static bool leaf_enter(size_t leaf, Span *value)
{
    uintptr_t l = __atomic_load_n(&span_root[leaf], __ATOMIC_ACQUIRE);
    return (!l || l & 1) &&
           __atomic_compare_exchange_n(&span_root[leaf], &l, value ? (uintptr_t)value | 1 : 0, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}

static void span_enter(const Span *s, Span *value)
{
    size_t unit = s->base >> HEAP_UNIT_BITS, end = (s->base + s->len) >> HEAP_UNIT_BITS;
    while (unit < end) {
        if (unit % LEAF == 0 && end - unit >= LEAF && leaf_enter(unit >> LEAF_BITS, value))
            unit += LEAF;
        else
            unit_enter(unit++, value);
    }
}

/** For free runs, whose inner units nobody asks for. */
static void span_enter_ends(Span *s)
{
    unit_enter(s->base >> HEAP_UNIT_BITS, s);
    unit_enter((s->base + s->len - 1) >> HEAP_UNIT_BITS, s);
}

Slot *span_slot_at(GuestAddr a) { return span_slot(a, false); }

GuestAddr span_slot_addr(const Slot *s)
{
    const Span *span = slot_span(s);
    return span->base + (GuestAddr)(s - span->slot) * span->slot_size;
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

/* ---- records of slots ----------------------------------------------------------------------------------- */

enum { ARRAY_CLASSES = 16 };

static Slot *free_arrays[ARRAY_CLASSES]; /* by log2 of their length, linked by alloc; LOCK_heap */

static unsigned array_class(uint32_t n) { return n <= 1 ? 0 : 32 - (unsigned)__builtin_clz(n - 1); }

/** Records for @p n slots: what an earlier span had, or new ones.  Never unmapped. */
static Slot *array_new(uint32_t n)
{
    unsigned c = array_class(n);
    CHECK(c < ARRAY_CLASSES, "%u slots", n);
    lock_take(LOCK_heap);
    Slot *a = free_arrays[c];
    if (a)
        free_arrays[c] = (Slot *)(uintptr_t)a->b.alloc;
    lock_release(LOCK_heap);
    return a ? a : heap_meta_alloc(sizeof(Slot) << c);
}

/** LOCK_heap is held. */
static void array_free(Slot *a, uint32_t n)
{
    a->b.addr = 0;
    a->b.alloc = (const StackTrace *)(uintptr_t)free_arrays[array_class(n)];
    free_arrays[array_class(n)] = a;
}

/* ---- spans --------------------------------------------------------------------------------------------- */

static Span *all_spans;               /* with slots; under LOCK_heap */
static Span *partial[HEAP_CLASSES];   /* with slots to give out, longest so first; under LOCK_heap */
static Span **partial_end[HEAP_CLASSES]; /* the last link of each list that is not empty */
static Span *free_records;            /* Span records without memory; under LOCK_heap */

/* Runs of units that no span uses, by length; the last list has all longer ones. Under LOCK_heap. */
enum { RUN_LISTS = 32 };
static Span *free_runs[RUN_LISTS];

static void list_push(Span **list, Span *s)
{
    s->next = *list;
    s->link = list;
    if (s->next)
        s->next->link = &s->next;
    *list = s;
}

static void list_remove(Span *s)
{
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
}

static Span **run_list(size_t len)
{
    size_t units = len >> HEAP_UNIT_BITS;
    return &free_runs[units < RUN_LISTS ? units : 0];
}

/** A record that readers may still look at as what it was: see span_slot_at(). */
static Span *record_new(void)
{
    lock_take(LOCK_heap);
    Span *s = free_records;
    if (s)
        free_records = s->next;
    lock_release(LOCK_heap);
    return s ? s : heap_meta_alloc(sizeof *s);
}

/** Change what @p s is; readers that were looking at it find nothing. */
static void span_become(Span *s, GuestAddr base, size_t len, uint32_t slot_size, uint32_t n_slots,
                        Slot *slot)
{
    __atomic_store_n(&s->version, s->version + 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&s->used, 0, __ATOMIC_SEQ_CST);
    s->base = base;
    s->len = len;
    s->slot_size = slot_size;
    s->n_slots = n_slots;
    s->slot = slot;
    s->n_out = 0;
    s->reciprocal = slot_size ? (1ULL << RECIPROCAL_BITS) / slot_size + 1 : 0;
    s->first_free = 0;
    for (uint32_t i = 0; slot_size && i < SPAN_WORDS; i++)
        s->free[i] = i < n_slots / 64 ? ~0ULL : i == n_slots / 64 ? (1ULL << n_slots % 64) - 1 : 0;
    s->is_run = s->is_partial = s->is_filling = false;
    __atomic_store_n(&s->version, s->version + 1, __ATOMIC_SEQ_CST);
}

/** [base, base+len) is free: joined with its neighbours.  LOCK_heap is held. */
static void run_add(Span *s, GuestAddr base, size_t len)
{
    Span *before = span_find(base - 1), *after = span_find(base + len);
    span_become(s, base, len, 0, 0, NULL);
    if (before && before->is_run) {
        list_remove(before);
        s->base = before->base;
        s->len += before->len;
        before->next = free_records;
        free_records = before;
    }
    if (after && after->is_run) {
        list_remove(after);
        s->len += after->len;
        after->next = free_records;
        free_records = after;
    }
    s->is_run = true;
    list_push(run_list(s->len), s);
    span_enter_ends(s);
}

/** @p len bytes of a run that was free before; 0 if there is none. */
static GuestAddr run_take(size_t len)
{
    GuestAddr a = 0;
    lock_take(LOCK_heap);
    for (size_t units = len >> HEAP_UNIT_BITS; units <= RUN_LISTS && !a; units++) {
        for (Span *s = free_runs[units % RUN_LISTS]; s && !a; s = s->next) {
            if (s->len < len)
                continue;
            a = s->base;
            list_remove(s);
            if (s->len > len) {
                s->base += len;
                s->len -= len;
                list_push(run_list(s->len), s);
                span_enter_ends(s);
            } else {
                s->is_run = false;
                s->next = free_records;
                free_records = s;
            }
            break;
        }
    }
    lock_release(LOCK_heap);
    return a;
}

static Span *span_new(GuestAddr base, size_t len, uint32_t slot_size, uint32_t n_slots, unsigned cls)
{
    Slot *slot = array_new(n_slots);
    Span *s = record_new();
    span_become(s, base, len, slot_size, n_slots, slot);
    s->cls = (uint16_t)cls;
    span_enter(s, s);
    lock_take(LOCK_heap);
    list_push(&all_spans, s);
    lock_release(LOCK_heap);
    return s;
}

/** Into the list of its class where @p link points. */
static void partial_add(Span *s, Span **link)
{
    s->is_partial = true;
    s->partial_next = *link;
    s->partial_link = link;
    if (s->partial_next)
        s->partial_next->partial_link = &s->partial_next;
    else
        partial_end[s->cls] = &s->partial_next;
    *link = s;
}

static void partial_add_first(Span *s) { partial_add(s, &partial[s->cls]); }

static void partial_add_last(Span *s)
{
    partial_add(s, partial[s->cls] ? partial_end[s->cls] : &partial[s->cls]);
}

static void partial_remove(Span *s)
{
    s->is_partial = s->is_filling = false;
    *s->partial_link = s->partial_next;
    if (s->partial_next)
        s->partial_next->partial_link = s->partial_link;
    else
        partial_end[s->cls] = s->partial_link;
}

/** Small slots have longer spans where there is room, so that there are fewer. */
enum { HEAP_SMALL = 512, GIVE_SPANS = 4 };
_Static_assert(HEAP_MAX_SLOT <= SPAN_PARTS * PART_BYTES, "each part of a span is counted");

/**
 * How long spans of slots of @p size are: as short as may be, so that what one leaves behind any other class
 * can use, but with no more than an eighth lost at the end.
 */
static size_t span_bytes(uint32_t size)
{
    size_t len = HEAP_UNIT;
    while (len < size || len % size > len / 8)
        len += HEAP_UNIT;
    return len;
}

/** A new span for class @p cls; false if there is no memory, or no free run if it is to be of one. */
static bool grow_class(unsigned cls, bool only_run)
{
    uint32_t size = size_class_bytes(cls);
    size_t least = span_bytes(size), len = size <= HEAP_SMALL ? least * SMALL_UNITS : least;
    GuestAddr base = run_take(len);
    if (!base && len > least) {
        base = run_take(least);
        len = base ? least : len;
    }
    bool of_run = base != 0;
    if (!base && !only_run)
        base = take_units(len);
    if (!base)
        return false;
    Span *s = span_new(base, len, size, (uint32_t)(len / size), cls);
    parts_take(s, of_run);
    lock_take(LOCK_heap);
    partial_add_first(s);
    lock_release(LOCK_heap);
    return true;
}

/** Up to @p want of the lowest free slots of @p s in *out; false: there is none. LOCK_heap is held. */
static bool span_take_run(Span *s, unsigned want, SlotRun *out)
{
    uint32_t w = s->first_free;
    while (w < SPAN_WORDS && !s->free[w])
        w++;
    s->first_free = (uint16_t)w;
    if (w == SPAN_WORDS)
        return false;
    uint64_t bits = s->free[w], left = bits;
    for (; want > 0 && left; want--)
        left &= left - 1;
    bits ^= left;
    uint32_t first = w * 64, last = first + 63 - (uint32_t)__builtin_clzll(bits);
    GuestAddr addr = s->base + (GuestAddr)first * s->slot_size + heap_red_zone;
    *out = (SlotRun){ bits, s->slot + first, addr, s, s->slot_size, first };
    for (uint64_t b = bits; b; b &= b - 1, s->n_out++) {
        unsigned i = (unsigned)__builtin_ctzll(b);
        slot_fill(s->slot + first + i, addr + (GuestAddr)i * s->slot_size, 0, HEAP_MALLOC, s->cls, SLOT_FREE);
    }
    __atomic_store_n(&s->free[w], left, __ATOMIC_RELAXED);
    if (last >= s->used)
        __atomic_store_n(&s->used, last + 1, __ATOMIC_RELEASE);
    return true;
}

/**
 * Blocks that were freed together leave the quarantine together: a span drains, and will soon be of
 * use to any class unless its first free slots are used at once.  So a free run is better than a span
 * of which less than a quarter is free.
 */
static bool wants_run(unsigned cls)
{
    lock_take(LOCK_heap);
    const Span *s = partial[cls];
    bool wants = s && !s->is_filling && s->n_slots - s->n_out < s->n_slots / 4;
    lock_release(LOCK_heap);
    return wants;
}

bool spans_take(unsigned cls, unsigned want, SlotRun *all)
{
    bool found = false, grown = wants_run(cls) && grow_class(cls, true);
    do {
        lock_take(LOCK_heap);
        while (!found && partial[cls]) {
            partial[cls]->is_filling = true;
            found = span_take_run(partial[cls], want, &all[cls]);
            if (!found)
                partial_remove(partial[cls]);
        }
        lock_release(LOCK_heap);
    } while (!found && (grown = grow_class(cls, false)));
    if (grown || parts_sweep_is_due())
        parts_sweep(all_spans, all);
    return found;
}

/** Slots @p bits of word @p w of @p s may be taken again; true: it has become a free run. LOCK_heap is held. */
static bool span_put_back(Span *s, uint32_t w, uint64_t bits)
{
    __atomic_store_n(&s->free[w], s->free[w] | bits, __ATOMIC_RELAXED);
    if (w < s->first_free)
        s->first_free = (uint16_t)w;
    for (; bits; bits &= bits - 1)
        s->n_out--;
    if (!s->is_partial)
        partial_add_last(s);
    /* Nothing of it is in use: for any class, unless it is all that its own has. */
    if (s->n_out > 0 || (!s->partial_next && partial[s->cls] == s))
        return false;
    partial_remove(s);
    list_remove(s);
    array_free(s->slot, s->n_slots);
    parts_forget(s);
    return true;
}

void spans_give_run(SlotRun *run)
{
    lock_take(LOCK_heap);
    Span *s = run->span;
    if (run->bits && span_put_back(s, run->first / 64, run->bits))
        run_add(s, s->base, s->len);
    run->bits = 0;
    lock_release(LOCK_heap);
}

void spans_give(const GuestAddr *addrs, unsigned n)
{
    struct {
        GuestAddr base;
        size_t len;
    } gone[GIVE_SPANS];
    unsigned n_gone = 0;
    lock_take(LOCK_heap);
    for (unsigned i = 0; i < n; i++) {
        Span *s = span_find(addrs[i]);
        uint32_t k = span_index(s, addrs[i]);
        if (!span_put_back(s, k / 64, 1ULL << k % 64))
            continue;
        if (n_gone < GIVE_SPANS)
            gone[n_gone++] = (typeof(*gone)){ s->base, s->len };
        run_add(s, s->base, s->len);
    }
    lock_release(LOCK_heap);
    for (unsigned i = 0; i < n_gone; i++)
        parts_give(gone[i].base, gone[i].len);
}

Slot *span_new_large(size_t bytes)
{
    size_t len = (bytes + HEAP_UNIT - 1) & ~(size_t)(HEAP_UNIT - 1);
    GuestAddr base = map_units(len);
    if (!base)
        return NULL;
    Span *s = span_new(base, len, 0, 1, 0);
    slot_fill(&s->slot[0], base + heap_red_zone, 0, HEAP_MALLOC, CLASS_LARGE, SLOT_FREE);
    __atomic_store_n(&s->used, 1, __ATOMIC_RELEASE);
    return &s->slot[0];
}

void span_free_large(Slot *slot)
{
    Span *s = slot_span(slot);
    GuestAddr base = s->base;
    size_t len = s->len;
    span_enter(s, NULL);
    lock_take(LOCK_heap);
    list_remove(s);
    array_free(s->slot, s->n_slots);
    span_become(s, base, len, 0, 0, NULL);
    s->next = free_records;
    free_records = s;
    lock_release(LOCK_heap);
    aspace_unmap_arena(base, len);
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
