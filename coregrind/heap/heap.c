/* SPDX-License-Identifier: MIT */
/*
 * The guest heap as tools use it.  Each host thread has a few free slots of each size class, so
 * that allocating takes no lock; freeing takes one for the quarantine, once for many blocks.  Nothing
 * of ours is in the client's memory: whatever the client overwrites, the heap stays whole.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/ranked_lock.h"
#include "coregrind/heap/heap_internal.h"

enum { CACHE_BATCH = 32, BIG_BATCH_BYTES = 32768, MAX_HELD = 16 };

typedef struct ThreadCache {
    bool registered;     /**< with cache_key, so that it is emptied when the thread ends */
    unsigned n_held;
    uint64_t held_bytes;
    Freed held[MAX_HELD]; /**< on the way to the quarantine */
    SlotRun run[HEAP_CLASSES];
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
    for (unsigned i = 0; i < HEAP_CLASSES; i++)
        spans_give_run(&c->run[i]);
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

enum { AHEAD = 3 };

/** Slots are mostly taken one after the other, downwards, so one some way on will be used soon: its record,
 *  its memory and the shadow that a tool may have for it. */
static inline void prefetch_slot(const Slot *s, GuestAddr a, uint32_t bytes)
{
    __builtin_prefetch(s, 1);
    __builtin_prefetch((void *)(uintptr_t)a, 1);
    for (uint32_t i = 0; i < bytes && i < 8 * 64; i += 64)
        __builtin_prefetch(gimle_shadow(a) + i, 1);
}

static unsigned highest_bit(uint64_t bits) { return 63 - (unsigned)__builtin_clzll(bits); }

static bool refill(unsigned cls)
{
    SlotRun *run = &cache.run[cls];
    if (!cache.registered)
        register_cache();
    if (!spans_take(cls, batch_of(cls), cache.run))
        return false;
    unsigned top = highest_bit(run->bits);
    for (unsigned i = 0; i < AHEAD && i <= top; i++)
        prefetch_slot(run->slot + top - i, run->addr + (GuestAddr)(top - i) * run->bytes, run->bytes);
    return true;
}

void heap_recycle(Freed *blocks, unsigned n)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < n; i++) {
        if (freed_class(blocks[i]) != FREED_RECORD) {
            blocks[kept++] = freed_value(blocks[i]);
            continue;
        }
        Slot *s = freed_slot(blocks[i]);
        if (slot_is_registered(s)) {
            registered_remove(s);
        } else {
            slot_set_state(s, SLOT_FREE);
            span_free_large(s);
        }
    }
    spans_give(blocks, kept);
}

/* ---- allocating and freeing -------------------------------------------------------------------------- */

static inline GuestAddr align_up(GuestAddr a, size_t align) { return (a + align - 1) & ~(GuestAddr)(align - 1); }

static HeapBlock *alloc_large(size_t need, size_t size, size_t align, HeapAllocKind kind)
{
    quarantine_add(NULL, 0); /* its place may be wanted */
    Slot *s = span_new_large(need);
    if (!s)
        return NULL;
    slot_fill(s, align_up(s->b.addr, align), size, kind, CLASS_LARGE, SLOT_LIVE);
    return &s->b;
}

HeapBlock *gimle_heap_alloc(Thread *t, size_t size, size_t align, HeapAllocKind kind)
{
    (void)t;
    if (align < 16)
        align = 16;
    if ((align & (align - 1)) || align > (1ULL << 31) || size > GIMLE_CLIENT_END - align - 2 * heap_red_zone)
        return NULL;
    size_t payload = (size + 15) & ~(size_t)15;
    size_t need = heap_red_zone + (align - 16) + (payload ? payload : 16) + heap_red_zone;
    if (__builtin_expect(need > HEAP_MAX_SLOT, 0))
        return alloc_large(need, size, align, kind);
    unsigned cls = size_class(need);
    SlotRun *run = &cache.run[cls];
    if (__builtin_expect(!run->bits, 0) && !refill(cls))
        return NULL;
    unsigned i = highest_bit(run->bits);
    run->bits ^= 1ULL << i;
    Slot *s = run->slot + i;
    GuestAddr a = run->addr + (GuestAddr)i * run->bytes;
    prefetch_slot(s - AHEAD, a - AHEAD * (GuestAddr)run->bytes, run->bytes);
    slot_fill(s, align_up(a, align), size, kind, cls, SLOT_LIVE);
    if (heap_is_of_one_thread())
        parts_count_live(run->span, run->first + i);
    return &s->b;
}

void gimle_heap_free(Thread *t, HeapBlock *b, const StackTrace *where)
{
    Slot *s = slot_of(b);
    (void)t;
    CHECK(b->freed == SLOT_LIVE, "block %llx is not live", (unsigned long long)b->addr);
    b->free = where;
    slot_set_state(s, SLOT_FREED);
    if (heap_is_of_one_thread() && !slot_is_registered(s) && s->b.detail != CLASS_LARGE) {
        Span *span = slot_span(s);
        parts_count_dead(span, (uint32_t)(s - span->slot));
    }
    if (__builtin_expect(!cache.registered, 0))
        register_cache();
    cache.held[cache.n_held++] = freed_of(s);
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

static inline HeapBlock *find_start(GuestAddr a)
{
    Slot *s = registered_count() ? registered_find_start(a) : NULL; /* the first of a pool in a block of ours */
    if (s)
        return &s->b;
    s = span_slot(a, true);
    return s && s->b.addr == a && slot_state(s) == SLOT_LIVE ? &s->b : NULL;
}

HeapBlock *gimle_heap_find_start(GuestAddr a) { return find_start(a); }

HeapBlock *gimle_heap_claim(GuestAddr a, HeapAllocKind kind)
{
    HeapBlock *b = find_start(a);
    if (!b || b->kind != kind)
        return NULL;
    if (gimle_thread_count() > 1)
        return __atomic_exchange_n(&b->taken, 1, __ATOMIC_ACQ_REL) == 0 ? b : NULL;
    /* An atomic exchange waits for all stores before it, some of which are in no cache. */
    uint64_t was = *slot_word(slot_of(b));
    *slot_word(slot_of(b)) = was | 1ULL << SLOT_TAKEN;
    return was >> SLOT_TAKEN == 0 ? b : NULL;
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
