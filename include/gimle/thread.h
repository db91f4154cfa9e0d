/* SPDX-License-Identifier: MIT */
/* Guest threads as tools see them, and stack traces. */
#ifndef GIMLE_THREAD_H
#define GIMLE_THREAD_H

#include "guest.h"

/** A guest thread (the core's Thread); valid until its thread_exit event has returned. */
typedef struct Thread Thread;

/** Small number, 1 for the main thread, reused after the thread has ended. */
unsigned gimle_thread_id(const Thread *t);
/** The calling host thread's guest thread; NULL in none. */
Thread *gimle_thread_self(void);
/** The state that translated code of this thread works on (== the helper's first argument). */
struct VexState *gimle_thread_state(Thread *t);
Thread *gimle_thread_of_state(struct VexState *s);
/** Number of live guest threads. */
unsigned gimle_thread_count(void);
/** Call @p f for each live thread, all of them stopped at safe points (stop the world). */
void gimle_thread_for_each_stopped(void (*f)(void *ctx, Thread *t), void *ctx);

/** Read or write the low 8 bytes of a guest register (state must be current: in helpers, events). */
uint64_t gimle_thread_get_reg(const Thread *t, RegId r);
void gimle_thread_set_reg(Thread *t, RegId r, uint64_t v);

/** The thread's stack: lowest and highest address (exclusive) of the mapping SP is in; false if unknown. */
bool gimle_thread_stack(const Thread *t, GuestAddr *lo, GuestAddr *hi);

/** Has the stack pointer gone to, or from, another stack of those that the client registered? */
bool gimle_stack_is_switch(GuestAddr from, GuestAddr to) GIMLE_LIGHT;

/** An interned stack trace: equal traces are the same pointer, never freed. */
typedef struct StackTrace {
    uint32_t id;     /**< unique, > 0 */
    uint32_t n;      /**< frames */
    GuestAddr pc[];  /**< innermost first; callers as return addresses */
} StackTrace;

/** Trace of thread @p t where it is now, at most --num-callers frames. Quick: ~100 ns when cached. */
const StackTrace *gimle_stack_trace(Thread *t);
/** The same starting at the caller of the present function (for replaced functions: pc = entry). */
const StackTrace *gimle_stack_trace_depth(Thread *t, unsigned max_frames);
/** Intern a trace given by addresses. */
const StackTrace *gimle_stack_trace_intern(const GuestAddr *pc, unsigned n);

/**
 * In a CALLEE_LIGHT helper: the guest instruction of the translated call, from the helper's
 * __builtin_return_address(0).  Also stores it in the state's PC so that traces are right.
 */
GuestAddr gimle_helper_pc(struct VexState *s, const void *return_address);

#endif
