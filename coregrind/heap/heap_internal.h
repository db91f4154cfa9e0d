/* SPDX-License-Identifier: MIT */
/*
 * Parts of the guest heap.  Client memory is cut into units of 64 KiB; a span is a run of units
 * divided into slots of one size (or holding one large block); every slot has its Slot record on
 * the host side, found from an address by table lookup and one division.
 */
#ifndef COREGRIND_HEAP_INTERNAL_H
#define COREGRIND_HEAP_INTERNAL_H

#include "gimle/memory.h"

#define HEAP_UNIT_BITS 16
#define HEAP_UNIT (1u << HEAP_UNIT_BITS)
#define HEAP_CHUNK (4u << 20)         /**< arena pages are asked for in such pieces */
#define HEAP_MAX_SLOT (128u << 10)    /**< larger blocks have mappings of their own */
#define HEAP_CLASSES 64

/** Values of HeapBlock.freed; tools see the first two. A slot never used has address 0. */
typedef enum SlotState { SLOT_LIVE, SLOT_FREED, SLOT_FREE } SlotState;

/**
 * The record of one slot; `b` first, so that a HeapBlock * is a Slot *.  Half a cache line: programs
 * that allocate much go through more of these than any cache holds, and for small blocks they are a
 * third of what a full quarantine needs.  b.detail: the class of its span's slots, CLASS_LARGE, or
 * for a block that the client registered its red zone.  b.is_placed: b.addr is not where blocks of
 * this slot begin that need no special alignment.
 */
typedef struct Slot {
    HeapBlock b;
} Slot;
_Static_assert(sizeof(Slot) == 32, "two records of slots are one cache line");
_Static_assert(GIMLE_CLIENT_END <= 1ULL << 45, "addresses and sizes have 45 bits");
_Static_assert(HEAP_POOL < 8, "kinds have three bits");

enum { CLASS_LARGE = 0xffff };

/** What is known about PART_BYTES of a span, as long as one thread uses the heap; see parts.c. */
typedef struct SpanPart {
    uint16_t live;       /**< blocks that touch it */
    uint16_t retired;    /**< bytes / 16 of slots freed since its shadow was given back last */
    bool has_pages;      /**< in use since the span is one: of the client's memory */
    bool has_shadow;     /**< likewise; false after its shadow was given back */
} SpanPart;
enum { PART_BITS = 14, PART_BYTES = 1 << PART_BITS, SPAN_PARTS = 16 };

/** A run of units.  Records are used again, but stay Span records for ever. */
typedef struct Span {
    GuestAddr base;
    size_t len;          /**< bytes, a multiple of HEAP_UNIT */
    uint32_t slot_size;  /**< 0: one large block, or a free run */
    uint32_t n_slots;
    uint32_t used;       /**< slots handed out at least once: those before have valid records */
    uint32_t n_out;      /**< slots that are not in `free` */
    uint32_t version;    /**< odd while the span becomes another one */
    uint16_t cls;
    bool is_run;         /**< a free run: the table knows its first and last unit */
    bool is_partial;     /**< in the list of spans of its class with slots to give out */
    bool is_filling;     /**< slots are taken from it until it has no more */
    Slot *slot;          /**< n_slots records */
    Slot *free;          /**< slots that were given back */
    struct Span *next, **link; /**< list of all spans, of free runs or records, and what points here */
    struct Span *partial_next, **partial_link;
    SpanPart part[SPAN_PARTS];
} Span;

static inline Slot *slot_of(HeapBlock *b) { return (Slot *)b; }

static inline SlotState slot_state(const Slot *s)
{
    SlotState state = (SlotState)__atomic_load_n(&s->b.freed, __ATOMIC_ACQUIRE);
    return s->b.addr ? state : SLOT_FREE;
}

static inline void slot_set_state(Slot *s, SlotState state)
{
    __atomic_store_n(&s->b.freed, (uint8_t)state, __ATOMIC_RELEASE);
}

/** The next of a list of free slots, where a block that was freed has its trace. */
static inline Slot *slot_next(const Slot *s) { return (Slot *)(uintptr_t)s->b.free; }
static inline void slot_set_next(Slot *s, Slot *next) { s->b.free = (const StackTrace *)(uintptr_t)next; }

/** Did the client make this block itself? */
static inline bool slot_is_registered(const Slot *s) { return s->b.kind >= HEAP_CUSTOM; }

/* parts.c: giving back what the heap does not need to keep. All for a heap of one thread. */
/** A block in slot @p s of @p span comes to life, or is freed. */
void parts_count_live(Span *span, const Slot *s);
void parts_count_dead(Span *span, const Slot *s);
/** @p len bytes become a span's, which were a free run if @p of_run. */
void parts_take(Span *span, bool of_run);
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
/** The span that contains @p a, or NULL. No lock. */
Span *span_find(GuestAddr a);
/** The slot of @p a, in any state but never handed out; NULL. No lock. */
Slot *span_slot_at(GuestAddr a);
/** Of a slot that is not registered. */
static inline Span *slot_span(const Slot *s) { return span_find(s->b.addr); }
GuestAddr span_slot_addr(const Slot *s);
/** Up to @p want free slots of class @p cls; 0 if there is no memory. */
unsigned spans_take(unsigned cls, Slot **out, unsigned want);
/** Give slots back; spans of which nothing is in use become free for any class. */
void spans_give(Slot *const *slots, unsigned n);
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
/** Does a thread that holds back @p bytes of freed blocks have to hand them over? */
bool quarantine_is_due(uint64_t bytes);
/** Add freed slots in the order of being freed; blocks that fall out are recycled. */
void quarantine_add(Slot *const *slots, unsigned n);
void quarantine_init(uint64_t bytes, uint64_t big);
extern void (*heap_dropped_callback)(HeapBlock *b);
/** The memory of @p n slots may be used again; overwrites the array (implemented in heap.c). */
void heap_recycle(Slot **slots, unsigned n);

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
size_t registered_count(void);

#endif
