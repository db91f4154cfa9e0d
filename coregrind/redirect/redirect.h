/* SPDX-License-Identifier: MIT */
/*
 * Host functions in place of, or around, client functions.  When an object is mapped the names of
 * the tool's table are looked up in it; the translation of a found address calls the host function.
 * IFUNCs are resolved to small stand-in addresses of ours, one per name, so that functions that share
 * an implementation (memcpy, memmove) stay apart.
 */
#ifndef COREGRIND_REDIRECT_H
#define COREGRIND_REDIRECT_H

#include "gimle/intercept.h"

/** Set the tool's table (ends with symbol NULL). Before anything is mapped. */
void redirect_init(const Intercept *table);
/** Intercept address @p addr itself by @p what, whatever the tool's table says. */
void redirect_add(GuestAddr addr, const Intercept *what);
/** @p exe: path of the executable, whose objects match the soname pattern "NONE". */
void redirect_set_executable(const char *path);
/** TcacheHooks.redirect. */
bool redirect_lookup(GuestAddr pc, const IrCallee **callee, uint64_t *arg);

/** True while a host function runs for the client on @p t: its faults on client memory are the client's. */
bool redirect_in_host_call(const Thread *t);
/** The quick form of a host function faulted (VexState.quick): the state becomes that of its entry. */
void redirect_leave_quick(Thread *t);
/** Such a function was left by a fault: where the client goes on if its handler returns, 0 if it was none. */
GuestAddr redirect_abandon_host_call(Thread *t);

/** Outside of a replaced function (client requests): call @p fn with @p args, then go on at guest.pc;
 *  @p done gets the result. */
void redirect_client_call(Thread *t, GuestAddr fn, const uint64_t *args, unsigned n,
                          void (*done)(Thread *t, uint64_t result));

#endif
