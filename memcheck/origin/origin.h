/* SPDX-License-Identifier: MIT */
/*
 * Where undefined values come from (--track-origins=yes).  Slow mode carries with each
 * undefined value the address it was loaded from; what that address says (a heap block, a
 * frame) is looked up only when an error is shown.
 */
#ifndef MEMCHECK_ORIGIN_H
#define MEMCHECK_ORIGIN_H

#include "../memcheck.h"

typedef struct Origin {
    enum { ORIGIN_NONE, ORIGIN_HEAP, ORIGIN_STACK, ORIGIN_USER, ORIGIN_UNKNOWN } kind;
    const StackTrace *where; /**< NULL for ORIGIN_NONE and ORIGIN_UNKNOWN */
} Origin;

/** The instruction at @p pc stores @p size undefined bytes, loaded from @p from, at @p to. */
void origin_note_copy(GuestAddr to, GuestAddr from, size_t size, GuestAddr pc);
/** The client itself made [a, a+len) undefined. */
void origin_note_user(Thread *t, GuestAddr a, size_t len);
/** Where the undefined value loaded from @p a comes from; @p now: the present stack of @p t. */
Origin origin_find(Thread *t, GuestAddr a, const StackTrace *now);

#endif
