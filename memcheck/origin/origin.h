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

typedef struct Origin {
    enum { ORIGIN_NONE, ORIGIN_HEAP, ORIGIN_STACK, ORIGIN_USER, ORIGIN_UNKNOWN } kind;
    const StackTrace *where; /**< NULL for ORIGIN_NONE and ORIGIN_UNKNOWN */
} Origin;

/**
 * A note: the instruction at pc stored undefined bytes, loaded from another address.  Code that does so
 * writes it, over whatever the table had in that place (instr_note_origin()).
 */
typedef struct OriginNote {
    GuestAddr to, from, pc;
    uint64_t age; /**< the clock when it was written, and in the low byte the number of bytes */
} OriginNote;

/**
 * The table and the clock, which counts allocations in steps of 256, stand where the second
 * shadow would be: at the same address in each process, as stored translations need it.
 */
enum { ORIGIN_NOTES_LOG = 18, ORIGIN_NOTES = 1 << ORIGIN_NOTES_LOG };
#define ORIGIN_TABLE GIMLE_SHADOW2_BASE
/** Takes what is not to be noted. */
#define ORIGIN_SCRATCH (ORIGIN_TABLE + ORIGIN_NOTES * sizeof(OriginNote))
#define ORIGIN_CLOCK (ORIGIN_SCRATCH + sizeof(OriginNote))

/** Make the table; before any code runs that writes notes. */
void origin_init(void);
/** A heap block is born: what HeapBlock.user is to be, so that older notes do not count for it. */
static inline uint64_t origin_birth(void)
{
    _Atomic uint64_t *clock = (_Atomic uint64_t *)(uintptr_t)ORIGIN_CLOCK;
    if (!mc_options.track_origins)
        return 0;
    /* Two threads may get the same time: nothing but an old note depends on it. */
    uint64_t now = atomic_load_explicit(clock, memory_order_relaxed) + 256;
    atomic_store_explicit(clock, now, memory_order_relaxed);
    return now;
}
/** The client itself made [a, a+len) undefined. */
void origin_note_user(Thread *t, GuestAddr a, size_t len);
/** Where the undefined value loaded from @p a comes from; @p now: the present stack of @p t. */
Origin origin_find(Thread *t, GuestAddr a, const StackTrace *now);

#endif
