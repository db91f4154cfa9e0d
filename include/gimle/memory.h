/* SPDX-License-Identifier: MIT */
/* The client's memory, its shadow, and the guest heap. */
#ifndef GIMLE_MEMORY_H
#define GIMLE_MEMORY_H

#include "thread.h"

/**
 * The two pages make the bits above the page offset of a byte and of its shadow differ: with
 * equal low bits the processor (measured on Zen 3) takes the store of one for the store of the
 * other, and each push and pop of a checked program waited for its stores: 46 ns became 4.
 */
#define GIMLE_SHADOW_SKEW 0x2000ULL
#define GIMLE_CLIENT_END  ((32ULL << 40) - GIMLE_SHADOW_SKEW) /**< client addresses are below */
#define GIMLE_SHADOW_DELTA ((32ULL << 40) + GIMLE_SHADOW_SKEW)
#define GIMLE_SHADOW2_BASE (64ULL << 40)
#define GIMLE_SHADOW2_END  (80ULL << 40)

/** The shadow byte of client byte @p a (a < GIMLE_CLIENT_END). Untouched shadow reads as zero. */
static inline uint8_t *gimle_shadow(GuestAddr a) { return (uint8_t *)(uintptr_t)(a + GIMLE_SHADOW_DELTA); }
/** Set the shadow of [a, a+len) to @p value without spending memory on large ranges: zero drops
 *  pages, other values of ranges of 128 KiB and more map a pre-filled copy-on-write pattern. */
void gimle_shadow_fill(GuestAddr a, size_t len, uint8_t value);
/** The same for a part of a range that was filled with @p value before: what was written to the shadow
 *  since then is given back. */
void gimle_shadow_refill(GuestAddr a, size_t len, uint8_t value);

/** Give back pages of the shadow of [a, a+len) that are all zero; how many bytes were looked at. Only
 *  while no other thread may write to them. */
size_t gimle_shadow_trim(GuestAddr a, size_t len);

/** Copy from client memory that may be unmapped: bytes copied before the first fault. Never faults. */
size_t gimle_read_guest(void *dst, GuestAddr src, size_t len);
size_t gimle_write_guest(GuestAddr dst, const void *src, size_t len);
/** Length of the string at @p a (without NUL), at most @p max; -1 if it runs into unmapped memory. */
long gimle_guest_strlen(GuestAddr a, size_t max);

/** One mapping of the client. */
typedef struct GuestMapping {
    GuestAddr start, end;
    int prot;             /**< PROT_* as the client sees it */
    bool is_stack, is_heap_arena, is_file, is_brk, is_shared;
    bool is_reserve;      /**< mapped with PROT_NONE, and never anything else since */
    uint64_t file_offset;
    const char *path;     /**< NULL if anonymous; valid until unmapped */
} GuestMapping;
/** The mapping that contains @p a, or false. */
bool gimle_mapping_at(GuestAddr a, GuestMapping *out);
/** The first mapping that ends above @p a, or false. For walking: a = out->end. */
bool gimle_mapping_next(GuestAddr a, GuestMapping *out);

/* ---- guest heap: size classes, red zones, quarantine; metadata outside the client's reach ---- */

/**
 * The last three are of the client's own making; those of pools are found by functions of their own.
 * HEAP_META_POOL: the client divides it further.
 */
typedef enum HeapAllocKind {
    HEAP_MALLOC, HEAP_NEW, HEAP_NEW_ARRAY, HEAP_CUSTOM, HEAP_POOL, HEAP_META_POOL
} HeapAllocKind;

/** Small, since there is one for each block, and a quarantine has hundreds of thousands. */
typedef struct HeapBlock {
    uint64_t addr : 45;       /**< what the client was given */
    uint64_t kind : 3;        /**< HeapAllocKind */
    uint64_t detail : 16;     /**< the heap's */
    uint64_t size : 45;       /**< what the client asked for */
    uint8_t freed;            /**< in quarantine */
    uint8_t taken;            /**< the tool's; 0 at first */
    const StackTrace *alloc;  /**< where allocated */
    union {
        const StackTrace *free; /**< where freed, if freed */
        uint64_t user;          /**< the tool's, before; 0 at first */
    };
} HeapBlock;

/** Configure once at init: red zone bytes (16..4096), quarantine bytes, size above which freed blocks
 *  are put at the quarantine's young end only ("big blocks"). */
void gimle_heap_init(size_t red_zone, uint64_t quarantine_bytes, uint64_t big_block);
/** New block; align a power of two >= 16. NULL if no memory. Memory contents are undefined (what an
 *  earlier block left). alloc is NULL for the caller to set. Thread-safe. */
HeapBlock *gimle_heap_alloc(Thread *t, size_t size, size_t align, HeapAllocKind kind);
/** Move @p b to the quarantine; blocks that fall out of it are reported to @p dropped first. */
void gimle_heap_free(Thread *t, HeapBlock *b, const StackTrace *where);
/** Called for blocks that leave the quarantine, before their memory can be reused (may be NULL). */
void gimle_heap_on_reuse(void (*dropped)(HeapBlock *b));
/** Called when pages [a,a+len) become the heap's: nothing in them is a block yet (may be NULL). */
void gimle_heap_on_arena(void (*mapped)(GuestAddr a, size_t len));
/** Called when nothing in [a,a+len), of which much was used, is live any more; nothing becomes so during
 *  the call (may be NULL). */
void gimle_heap_on_dead(void (*dead)(GuestAddr a, size_t len));
/** Change the recorded size in place if the slot is large enough (realloc); false otherwise. */
bool gimle_heap_resize(HeapBlock *b, size_t new_size);
/** Live block that starts exactly at @p a, the client's own before ours; not one of a pool. NULL. */
HeapBlock *gimle_heap_find_start(GuestAddr a);
/** Take the live block that starts exactly at @p a (as gimle_heap_find_start() finds it), was made by @p kind,
 *  and that nobody has taken; of several threads one gets it. NULL: there is none. */
HeapBlock *gimle_heap_claim(GuestAddr a, HeapAllocKind kind);
/** Live block of a pool that starts exactly at @p a, or NULL. */
HeapBlock *gimle_heap_find_in_pool(GuestAddr a);
/** Live block that contains @p a, red zones not included, or NULL. */
HeapBlock *gimle_heap_find_live(GuestAddr a);
/** Was there a block of the client's own making, freed since, whose range contained @p a? */
bool gimle_heap_is_reused(GuestAddr a);
/** Live or quarantined block whose range, red zones included, contains @p a; NULL. */
HeapBlock *gimle_heap_find_near(GuestAddr a);
/** Record a block the client made itself (MALLOCLIKE_BLOCK); not backed by the heap. */
HeapBlock *gimle_heap_register(Thread *t, GuestAddr a, size_t size, size_t red_zone);
/** Forget a block that was registered, as if it had never been. */
void gimle_heap_forget(HeapBlock *b);
/** Call @p f for every live block in order of address; the world must be stopped or single-threaded. */
void gimle_heap_for_each(void (*f)(void *ctx, HeapBlock *b), void *ctx);
/** Usable size of the block (>= size). */
size_t gimle_heap_slack(const HeapBlock *b);

#endif
