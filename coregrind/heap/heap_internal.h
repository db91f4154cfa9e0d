/* SPDX-License-Identifier: MIT */
/*
 * Parts of the guest heap.  Client memory is cut into units of 16 KiB; a span is a run of units
 * divided into slots of one size (or holding one large block); every slot has its Slot record on
 * the host side, found from an address by table lookup and one division.
 */
#ifndef COREGRIND_HEAP_INTERNAL_H
#define COREGRIND_HEAP_INTERNAL_H

#include <stddef.h>

#include "gimle/memory.h"

#define HEAP_UNIT_BITS 14
#define HEAP_UNIT (1u << HEAP_UNIT_BITS)
#define HEAP_CHUNK (4u << 20)         /**< arena pages are asked for in such pieces */
#define HEAP_MAX_SLOT (128u << 10)    /**< larger blocks have mappings of their own */
#define HEAP_CLASSES 64

/**
 * Values of HeapBlock.freed; tools see the first two.  A slot that left the quarantine keeps the second
 * until it is taken again: its bit in Span.free says that it is free.
 */
typedef enum SlotState { SLOT_LIVE, SLOT_FREED, SLOT_FREE } SlotState;

/**
 * The record of one slot; `b` first, so that a HeapBlock * is a Slot *.  Half a cache line: programs
 * that allocate much go through more of these than any cache holds, and for small blocks they are a
 * third of what a full quarantine needs.  b.detail: the class of its span's slots, CLASS_LARGE, or
 * for a block that the client registered its red zone.
 */
typedef struct Slot {
    HeapBlock b;
} Slot;
_Static_assert(sizeof(Slot) == 32, "two records of slots are one cache line");
_Static_assert(GIMLE_CLIENT_END <= 1ULL << 45, "addresses and sizes have 45 bits");
_Static_assert(HEAP_META_POOL < 8, "kinds have three bits");

enum { CLASS_LARGE = 0xffff };

/** What is known about PART_BYTES of a span, as long as one thread uses the heap; see parts.c. */
typedef struct SpanPart {
    uint16_t live;       /**< blocks that touch it */
    bool has_pages;      /**< in use since the span is one: of the client's memory */
    bool has_shadow;     /**< likewise; false after its shadow was given back */
} SpanPart;
enum { PART_BITS = 14, PART_BYTES = 1 << PART_BITS, SPAN_PARTS = 16 };

/** Slots of at least 48 bytes in SMALL_UNITS units; RECIPROCAL_BITS: enough for any offset in a span. */
enum { SMALL_UNITS = 4, SPAN_WORDS = 22, RECIPROCAL_BITS = 42 };
_Static_assert(SPAN_WORDS * 64 * 48 >= SMALL_UNITS * HEAP_UNIT, "each slot has a bit");

/** A run of units.  Records are used again, but stay Span records for ever. */
typedef struct Span {
    GuestAddr base;
    size_t len;          /**< bytes, a multiple of HEAP_UNIT */
    Slot *slot;          /**< n_slots records */
    uint64_t reciprocal; /**< of slot_size */
    uint32_t slot_size;  /**< 0: one large block, or a free run */
    uint32_t n_slots;
    uint32_t used;       /**< slots taken at least once: those before have valid records */
    uint32_t n_out;      /**< slots that are not in `free` */
    uint32_t version;    /**< odd while the span becomes another one */
    uint16_t cls;
    uint16_t first_free; /**< words of `free` before this one are zero */
    bool is_run;         /**< a free run: the table knows its first and last unit */
    bool is_partial;     /**< in the list of spans of its class with slots to give out */
    bool is_filling;     /**< slots are taken from it until it has no more */
    struct Span *next, **link; /**< list of all spans, of free runs or records, and what points here */
    struct Span *partial_next, **partial_link;
    SpanPart part[SPAN_PARTS];
    uint64_t free[SPAN_WORDS]; /**< a bit for each slot that may be taken; the lowest words first */
} Span;

/** Slots of one word of Span.free that a thread may give out: downwards, as those who ask which of two fresh
 *  blocks is the younger rely on (origins of values made of two). */
typedef struct SlotRun {
    uint64_t bits;
    Slot *slot;          /**< the record of bit 0 */
    GuestAddr addr;      /**< where a block in its slot begins */
    Span *span;
    uint32_t bytes;      /**< slot_size */
    uint32_t first;      /**< the number of its slot */
} SlotRun;

static inline Slot *slot_of(HeapBlock *b) { return (Slot *)b; }

static inline SlotState slot_state(const Slot *s)
{
    SlotState state = (SlotState)__atomic_load_n(&s->b.freed, __ATOMIC_ACQUIRE);
    return s->b.addr ? state : SLOT_FREE;
}

/**
 * Where the members are in a record's second word.  It is read and written whole: a load of more than the
 * last store wrote would have to wait until that store and all before it are in the cache.
 */
enum { SLOT_SECOND = 1, SLOT_STATE = 48, SLOT_TAKEN = 56 };
_Static_assert(offsetof(HeapBlock, freed) == 14 && offsetof(HeapBlock, taken) == 15, "bits of the second word");

static inline uint64_t *slot_word(Slot *s) { return (uint64_t *)(void *)s + SLOT_SECOND; }

static inline void slot_set_state(Slot *s, SlotState state)
{
    uint64_t w = __atomic_load_n(slot_word(s), __ATOMIC_RELAXED) & ~(0xffULL << SLOT_STATE);
    __atomic_store_n(slot_word(s), w | (uint64_t)state << SLOT_STATE, __ATOMIC_RELEASE);
}

/** Make the record what is given, nothing else known of the block; the state last. */
static inline void slot_fill(Slot *s, GuestAddr a, size_t size, HeapAllocKind kind, unsigned detail,
                             SlotState state)
{
    s->b.alloc = NULL;
    s->b.user = 0;
    __atomic_store_n(slot_word(s) - 1, a | (uint64_t)kind << 45 | (uint64_t)detail << 48, __ATOMIC_RELAXED);
    __atomic_store_n(slot_word(s), size | (uint64_t)state << SLOT_STATE, __ATOMIC_RELEASE);
}

/** Did the client make this block itself? */
static inline bool slot_is_registered(const Slot *s) { return s->b.kind >= HEAP_CUSTOM; }

/* parts.c: giving back what the heap does not need to keep. All for a heap of one thread. */
/** A block in slot number @p i of @p span comes to life, or is freed. */
void parts_count_live(Span *span, uint32_t i);
void parts_count_dead(Span *span, uint32_t i);
/** @p len bytes become a span's, which were a free run if @p of_run. */
void parts_take(Span *span, bool of_run);
/** More may soon be in use: give back what is too much. @p all: the list of spans, @p open: the slots of each
 *  class that may be given out at any time. */
void parts_sweep(Span *all, const SlotRun *open);
/** Has much come into use again since the last sweep? */
bool parts_sweep_is_due(void);
/** [base, base+len) is a free run now; LOCK_heap is not held. */
void parts_give(GuestAddr base, size_t len);
/** The span's memory becomes a free run: its parts are forgotten. */
void parts_forget(Span *span);
/** What the heap may occupy beside live blocks, for a quarantine of @p bytes. */
void parts_init(uint64_t quarantine_bytes);
extern void (*heap_dead_callback)(GuestAddr a, size_t len);
/** Has no more than one thread used the heap? */
bool heap_is_of_one_thread(void);

/* spans.c */
/** Size class for slots of at least @p bytes (<= HEAP_MAX_SLOT), and its slot size. */
unsigned size_class(size_t bytes);
uint32_t size_class_bytes(unsigned cls);

/**
 * The table from units to spans has two levels.  Where a whole leaf would say the same, as for very large
 * blocks, there is the span itself instead, marked by the lowest bit.
 */
enum { LEAF_BITS = 14, LEAF = 1 << LEAF_BITS, ROOT = 1 << (45 - HEAP_UNIT_BITS - LEAF_BITS) };
_Static_assert(GIMLE_CLIENT_END <= 1ULL << 45, "the table covers the client's range");
typedef struct SpanLeaf {
    Span *span[LEAF];
} SpanLeaf;
extern uintptr_t span_root[ROOT];

/** The span that contains @p a, or NULL. No lock. */
static inline Span *span_find(GuestAddr a)
{
    if (a >= GIMLE_CLIENT_END)
        return NULL;
    size_t unit = a >> HEAP_UNIT_BITS;
    uintptr_t r = __atomic_load_n(&span_root[unit >> LEAF_BITS], __ATOMIC_ACQUIRE);
    if (r & 1)
        return (Span *)(r - 1);
    return r ? __atomic_load_n(&((SpanLeaf *)r)->span[unit % LEAF], __ATOMIC_ACQUIRE) : NULL;
}

/** The number of the slot of @p a in @p s, whose it is. */
static inline uint32_t span_index(const Span *s, GuestAddr a)
{
    return (uint32_t)((a - s->base) * s->reciprocal >> RECIPROCAL_BITS);
}

/** May slot @p i of @p s be taken? */
static inline bool span_is_free(const Span *s, uint32_t i)
{
    return s->slot_size && __atomic_load_n(&s->free[i / 64], __ATOMIC_RELAXED) >> i % 64 & 1;
}

/** The slot of @p a, in any state but never handed out; NULL. No lock. A span may become another one
 *  meanwhile, if @p a is in no block: then there is no slot. @p live_only: free ones may be found too. */
static inline Slot *span_slot(GuestAddr a, bool live_only)
{
    Span *s = span_find(a);
    if (!s)
        return NULL;
    uint32_t version = __atomic_load_n(&s->version, __ATOMIC_ACQUIRE), i = span_index(s, a);
    Slot *slot = a - s->base < s->len && i < __atomic_load_n(&s->used, __ATOMIC_ACQUIRE) &&
                 (live_only || !span_is_free(s, i)) ? &s->slot[i] : NULL;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&s->version, __ATOMIC_RELAXED) == version && !(version & 1) ? slot : NULL;
}

/** The slot of @p a unless it is free. */
Slot *span_slot_at(GuestAddr a);
/** Of a slot that is not registered. */
static inline Span *slot_span(const Slot *s) { return span_find(s->b.addr); }
GuestAddr span_slot_addr(const Slot *s);
/** Up to @p want free slots of class @p cls in all[cls], the thread's, where there is none; false if there is no
 *  memory. */
bool spans_take(unsigned cls, unsigned want, SlotRun *all);
/** Give back what is left of a run. */
void spans_give_run(SlotRun *run);
/** Give back the slots of blocks at these addresses; spans of which nothing is in use become free for any
 *  class. */
void spans_give(const GuestAddr *addrs, unsigned n);
/** A span for one block of @p bytes; NULL if no memory. */
Slot *span_new_large(size_t bytes);
/** Unmap the span of a large block. */
void span_free_large(Slot *s);
/** Spans in order of address; malloc'ed, *n of them. */
Span **spans_sorted(size_t *n);
extern void (*heap_arena_callback)(GuestAddr a, size_t len);
/** Zeroed host memory that is never freed. */
void *heap_meta_alloc(size_t bytes);
extern size_t heap_red_zone;

/* quarantine.c */
/**
 * A freed block as the quarantine knows it, so that the records of those that leave, which are in no cache,
 * need not be looked at: the class and the block's address, or if it is large or registered its record's.
 */
typedef uint64_t Freed;
enum { FREED_CLASS = 48, FREED_BIG = 56, FREED_RECORD = 0xff };
static inline unsigned freed_class(Freed f) { return (unsigned)(f >> FREED_CLASS) & 0xff; }
static inline uint64_t freed_value(Freed f) { return f & ((1ULL << FREED_CLASS) - 1); }
Slot *freed_slot(Freed f);
/** @p s as it is in the quarantine. */
Freed freed_of(const Slot *s);
/** Does a thread that holds back @p bytes of freed blocks have to hand them over? */
bool quarantine_is_due(uint64_t bytes);
/** Add freed blocks in the order of being freed; those that fall out are recycled.  With none, the one freed
 *  last may fall out too. */
void quarantine_add(const Freed *blocks, unsigned n);
void quarantine_init(uint64_t bytes, uint64_t big);
extern void (*heap_dropped_callback)(HeapBlock *b);
/** The memory of @p n blocks may be used again; overwrites the array (implemented in heap.c). */
void heap_recycle(Freed *blocks, unsigned n);

/* registered.c: blocks of the client's own allocators */
Slot *registered_add(GuestAddr a, size_t size, size_t red_zone);
void registered_remove(Slot *s);
/** Live one that starts at @p a. */
Slot *registered_find_start(GuestAddr a);
/** Live or freed one around @p a. */
Slot *registered_find_near(GuestAddr a);
/** Live ones in order of address; malloc'ed. */
Slot **registered_sorted(size_t *n);
/** How many there are, live or freed; no lock. */
static inline size_t registered_count(void)
{
    extern size_t registered_n;
    return __atomic_load_n(&registered_n, __ATOMIC_RELAXED);
}

#endif
