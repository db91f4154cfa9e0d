/* SPDX-License-Identifier: MIT */
/* Running guest threads: dispatch, translation on demand, service of exits. */
#ifndef COREGRIND_EXEC_H
#define COREGRIND_EXEC_H

#include "coregrind/thread/thread.h"

/** Run @p t until it exits; returns when the thread (or process) is to end. */
void exec_run_thread(Thread *t);
/**
 * From the host signal handler: a fault at host pc while translated code or a helper ran.
 * Returns true if the context was changed so that the run loop takes over.
 */
bool exec_handle_fault(Thread *t, int sig, siginfo_t *info, void *ucontext);
/** Empty all threads' jump caches; nobody else runs translated code. */
void exec_flush_jump_caches(void);

#endif
