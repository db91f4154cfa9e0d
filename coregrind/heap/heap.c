/* SPDX-License-Identifier: MIT */
/*
 * The guest heap as tools use it.  Each host thread keeps a few free slots of each size class, so
 * that allocating takes no lock; freeing takes one for the quarantine.  Nothing of ours is in
 * the client's memory: whatever the client overwrites, the heap stays whole.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/ranked_lock.h"
#include "coregrind/heap/heap_internal.h"

enum { CACHE_BATCH = 32, BIG_BATCH_BYTES = 32768, MAX_HELD = 16 };

typedef struct ThreadCache {
    uint16_t n[HEAP_CLASSES];
    bool registered;     /**< with cache_key, so that it is emptied when the thread ends */
    unsigned n_held;
    uint64_t held_bytes;
    Slot *held[MAX_HELD]; /**< freed, on the way to the quarantine */
    Slot *free[HEAP_CLASSES][CACHE_BATCH];
} ThreadCache;

static _Thread_local ThreadCache cache;
static pthread_key_t cache_key;
size_t heap_red_zone = 16;
static unsigned n_caches;  /**< threads that have used the heap */

/* ---- set-up -------------------------------------------------------------------------------------- */

static void release_held(ThreadCache *c)
{
    unsigned n = c->n_held;
    c->n_held = 0;
    c->held_bytes = 0;
    quarantine_add(c->held, n);
}

static void empty_cache(void *arg)
{
    ThreadCache *c = arg;
    release_held(c);
    for (unsigned i = 0; i < HEAP_CLASSES; i++) {
        spans_give(c->free[i], c->n[i]);
        c->n[i] = 0;
    }
    c->registered = false;
}

static void make_key(void)
{
    int r = pthread_key_create(&cache_key, empty_cache);
    CHECK(r == 0, "no thread key: %d", r);
}

static void register_cache(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    pthread_setspecific(cache_key, &cache);
    __atomic_add_fetch(&n_caches, 1, __ATOMIC_SEQ_CST);
    cache.registered = true;
}

/** Counting is for programs with one thread: there it costs little, and nobody can interfere. */
bool heap_is_of_one_thread(void) { return __atomic_load_n(&n_caches, __ATOMIC_RELAXED) <= 1; }

void gimle_heap_init(size_t red_zone, uint64_t quarantine_bytes, uint64_t big_block)
{
    red_zone = red_zone < 16 ? 16 : red_zone > 4096 ? 4096 : red_zone;
    heap_red_zone = (red_zone + 15) & ~(size_t)15;
    quarantine_init(quarantine_bytes, big_block);
}

void gimle_heap_on_reuse(void (*dropped)(HeapBlock *b)) { heap_dropped_callback = dropped; }
void gimle_heap_on_arena(void (*mapped)(GuestAddr a, size_t len)) { heap_arena_callback = mapped; }

void gimle_heap_on_dead(void (*dead)(GuestAddr a, size_t len)) { heap_dead_callback = dead; }

/* ---- slots ----------------------------------------------------------------------------------------- */

/** How many slots of a class move at once. */
static unsigned batch_of(unsigned cls)
{
    unsigned n = BIG_BATCH_BYTES / size_class_bytes(cls);
    return n < 1 ? 1 : n > CACHE_BATCH ? CACHE_BATCH : n;
}

static Slot *refill(unsigned cls)
{
    if (!cache.registered)
        register_cache();
    unsigned n = spans_take(cls, cache.free[cls], batch_of(cls));
    if (n == 0)
        return NULL;
    cache.n[cls] = (uint16_t)(n - 1);
    return cache.free[cls][n - 1];
}

/** The slot will be used soon: its memory, and the shadow that a tool may have for it. */
static inline void prefetch_slot(const Slot *s, unsigned cls)
{
    GuestAddr a = s->b.addr;
    __builtin_prefetch(s, 1);
    __builtin_prefetch((void *)(uintptr_t)a, 1);
    __builtin_prefetch(gimle_shadow(a), 1);
    if (cls >= 5)
        __builtin_prefetch(gimle_shadow(a) + 64, 1);
}

static inline Slot *take_slot(unsigned cls)
{
    enum { AHEAD = 3 };
    unsigned n = cache.n[cls];
    if (__builtin_expect(n == 0, 0))
        return refill(cls);
    if (n > AHEAD)
        prefetch_slot(cache.free[cls][n - 1 - AHEAD], cls);
    cache.n[cls] = (uint16_t)(n - 1);
    return cache.free[cls][n - 1];
}

void heap_recycle(Slot **slots, unsigned n)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < n; i++) {
        Slot *s = slots[i];
        if (slot_is_registered(s)) {
            registered_remove(s);
            continue;
        }
        slot_set_state(s, SLOT_FREE);
        if (s->b.detail == CLASS_LARGE)
            span_free_large(s);
        else
            slots[kept++] = s;
    }
    spans_give(slots, kept);
}

/* ---- allocating and freeing -------------------------------------------------------------------------- */

HeapBlock *gimle_heap_alloc(Thread *t, size_t size, size_t align, HeapAllocKind kind)
{
    (void)t;
    if (align < 16)
        align = 16;
    if ((align & (align - 1)) || align > (1ULL << 31) || size > GIMLE_CLIENT_END - align - 2 * heap_red_zone)
        return NULL;
    size_t payload = (size + 15) & ~(size_t)15;
    size_t need = heap_red_zone + (align - 16) + (payload ? payload : 16) + heap_red_zone;
    Slot *s = need <= HEAP_MAX_SLOT ? take_slot(size_class(need)) : span_new_large(need);
    if (!s)
        return NULL;
    GuestAddr a = s->b.addr; /* of the block that was here before, most often as aligned */
    if (s->b.is_placed || align != 16)
        a = (span_slot_addr(s) + heap_red_zone + align - 1) & ~(GuestAddr)(align - 1);
    s->b = (HeapBlock){ .addr = a, .size = size, .kind = kind, .detail = s->b.detail,
                        .is_placed = align != 16, .freed = SLOT_FREE };
    slot_set_state(s, SLOT_LIVE);
    if (s->b.detail != CLASS_LARGE && heap_is_of_one_thread())
        parts_count_live(slot_span(s), s);
    return &s->b;
}

void gimle_heap_free(Thread *t, HeapBlock *b, const StackTrace *where)
{
    Slot *s = slot_of(b);
    (void)t;
    CHECK(b->freed == SLOT_LIVE, "block %llx is not live", (unsigned long long)b->addr);
    b->free = where;
    slot_set_state(s, SLOT_FREED);
    if (!slot_is_registered(s) && s->b.detail != CLASS_LARGE && heap_is_of_one_thread())
        parts_count_dead(slot_span(s), s);
    if (!cache.registered)
        register_cache();
    cache.held[cache.n_held++] = s;
    cache.held_bytes += b->size;
    if (cache.n_held == MAX_HELD || quarantine_is_due(cache.held_bytes))
        release_held(&cache);
}

size_t gimle_heap_slack(const HeapBlock *b)
{
    const Slot *s = (const Slot *)b;
    if (slot_is_registered(s))
        return b->size;
    const Span *span = slot_span(s);
    size_t bytes = span->slot_size ? span->slot_size : span->len;
    return (size_t)(span_slot_addr(s) + bytes - b->addr) - heap_red_zone;
}

bool gimle_heap_resize(HeapBlock *b, size_t new_size)
{
    if (slot_is_registered(slot_of(b)) || new_size > gimle_heap_slack(b))
        return false;
    b->size = new_size;
    return true;
}

HeapBlock *gimle_heap_register(Thread *t, GuestAddr a, size_t size, size_t red_zone)
{
    (void)t;
    Slot *s = registered_add(a, size, red_zone);
    return s ? &s->b : NULL;
}

/* ---- finding --------------------------------------------------------------------------------------------- */

HeapBlock *gimle_heap_find_start(GuestAddr a)
{
    Slot *s = registered_find_start(a); /* the first block of a pool in a block of ours */
    if (s)
        return &s->b;
    s = span_slot_at(a);
    return s && slot_state(s) == SLOT_LIVE && s->b.addr == a ? &s->b : NULL;
}

HeapBlock *gimle_heap_find_near(GuestAddr a)
{
    Slot *s = registered_find_near(a);
    if (s)
        return &s->b;
    s = span_slot_at(a);
    return s && slot_state(s) != SLOT_FREE ? &s->b : NULL;
}

void gimle_heap_for_each(void (*f)(void *ctx, HeapBlock *b), void *ctx)
{
    size_t n_spans, n_reg, r = 0;
    Span **spans = spans_sorted(&n_spans);
    Slot **reg = registered_sorted(&n_reg);
    for (size_t i = 0; i < n_spans; i++) {
        for (uint32_t k = 0; k < spans[i]->used; k++) {
            Slot *s = &spans[i]->slot[k];
            if (slot_state(s) != SLOT_LIVE)
                continue;
            for (; r < n_reg && reg[r]->b.addr < s->b.addr; r++)
                f(ctx, &reg[r]->b);
            f(ctx, &s->b);
        }
    }
    for (; r < n_reg; r++)
        f(ctx, &reg[r]->b);
    free(reg);
    free(spans);
}
