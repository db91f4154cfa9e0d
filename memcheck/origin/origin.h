/* SPDX-License-Identifier: MIT */
/*
 * Where undefined values come from (--track-origins=yes).  Slow mode carries with each
 * undefined value the address it was loaded from; what that address says (a heap block, a
 * frame) is looked up only when an error is shown.
 */
#ifndef MEMCHECK_ORIGIN_H
#define MEMCHECK_ORIGIN_H

#include <stdatomic.h>

#include "../memcheck.h"
#include "note_layout.h"

typedef struct Origin {
    enum { ORIGIN_NONE, ORIGIN_HEAP, ORIGIN_STACK, ORIGIN_USER, ORIGIN_UNKNOWN } kind;
    const StackTrace *where; /**< NULL for ORIGIN_NONE and ORIGIN_UNKNOWN */
} Origin;

/**
 * A note: the instruction at pc stored undefined bytes, loaded from another address.  Code that does so
 * writes it, over whatever the table had in that place (instr_note_origin()).
 */
typedef struct OriginNote {
    GuestAddr to, from;
    uint64_t pc;  /**< and from bit ORIGIN_SIZE_AT on the number of bytes */
    uint64_t age; /**< the clock when it was written */
} OriginNote;

/**
 * The note about what was stored at @p to.  4 bytes of memory share one.  Aligned words have theirs
 * next to each other, in the first half of the table: copies of arrays need little of the cache.
 */
static inline OriginNote *origin_note_at(GuestAddr to)
{
    uint16_t n = (uint16_t)(to >> 2);
    return (OriginNote *)ORIGIN_TABLE + (uint16_t)(n >> 1 | n << 15);
}

/** The clock. */
static inline _Atomic uint64_t *origin_clock(void)
{
    return (_Atomic uint64_t *)(ORIGIN_TABLE + ORIGIN_TABLE_SIZE);
}
static inline uint64_t origin_now(void)
{
    return atomic_load_explicit(origin_clock(), memory_order_relaxed);
}

/** Make the table; before any code runs that writes notes. */
void origin_init(void);
/** A heap block is born: what HeapBlock.user is to be, so that older notes do not count for it. */
static inline uint64_t origin_birth(void)
{
    if (!mc_options.track_origins)
        return 0;
    /* Two threads may get the same time: nothing but an old note depends on it. */
    uint64_t now = origin_now() + 1;
    atomic_store_explicit(origin_clock(), now, memory_order_relaxed);
    return now;
}
/** The client itself made [a, a+len) undefined. */
void origin_note_user(Thread *t, GuestAddr a, size_t len);
/** Where the undefined value loaded from @p a comes from; @p now: the present stack of @p t. */
Origin origin_find(Thread *t, GuestAddr a, const StackTrace *now);

#endif
