/* SPDX-License-Identifier: MIT */
/* Replacing and wrapping client functions by host functions, by address, with nothing preloaded. */
#ifndef GIMLE_INTERCEPT_H
#define GIMLE_INTERCEPT_H

#include "thread.h"

/** A call of a replaced function, arguments by the guest's calling convention. */
typedef struct GuestCall {
    Thread *thread;
    GuestAddr function;    /**< address that was called */
    GuestAddr ret_addr;    /**< where it returns to */
    const struct Intercept *what;
    uint64_t user;         /**< wrapper: carried from before to after */
} GuestCall;

/** i-th integer argument (0..5 registers, then stack). */
uint64_t guest_call_arg(const GuestCall *c, unsigned i);
/** What the original is to get as argument @p i, 0 to 5. */
void guest_call_set_arg(GuestCall *c, unsigned i, uint64_t v);
/** Set the integer return value (and optionally the second word). */
void guest_call_return(GuestCall *c, uint64_t v);
uint64_t guest_call_result(const GuestCall *c);
/** In a replacement: do not return to the caller, run the original function instead. */
void guest_call_original(GuestCall *c);
/**
 * In a replacement: call client function @p fn with @p n arguments after the handler has returned,
 * then return to the caller with that function's result if @p keep_result, else with the result
 * set before (used for new's failure, and free functions such as __libc_freeres).
 */
void guest_call_client(GuestCall *c, GuestAddr fn, const uint64_t *args, unsigned n, bool keep_result);

/** What a quick form of a replacement returns: the result, and 1 if the call is done. */
typedef struct GuestQuick {
    uint64_t value, done;
} GuestQuick;

/**
 * The quick form of a replacement, tried before it where that saves time: four integer arguments,
 * the state with all general registers in it and the pc at the function, the row.  Either it
 * does the whole call (then it changes nothing of the guest's registers but what the tool knows of
 * the result's), or it declines before it has changed anything that the replacement would
 * do, reports included: it may not report.  It computes nothing in floating point, since
 * MXCSR and x87 registers are the guest's.  Faults on client memory are the client's.
 */
typedef GuestQuick GuestQuickFn(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
                                struct VexState *s, const struct Intercept *what);
static inline GuestQuick guest_quick_done(uint64_t value) { return (GuestQuick){ value, 1 }; }
static inline GuestQuick guest_quick_declined(void) { return (GuestQuick){ 0, 0 }; }

/** Flags of Intercept. */
enum {
    IC_WRAP = 1,      /**< before() and after() around the original; otherwise before() replaces it */
    IC_ANY_OBJECT = 2 /**< also in objects whose soname does not match (static allocators etc.) */
};

/** A row of a tool's table. */
typedef struct Intercept {
    const char *soname;  /**< pattern with * and ?: "libc.so*", "NONE" for the executable, "*" */
    const char *symbol;  /**< exact symbol name (mangled) */
    unsigned flags;
    void (*before)(GuestCall *c);
    void (*after)(GuestCall *c); /**< wrapper only */
    intptr_t aux;
    GuestQuickFn *quick; /**< replacement only, may be NULL */
} Intercept;

#endif
