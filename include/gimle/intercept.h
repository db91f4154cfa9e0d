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
} Intercept;

#endif
