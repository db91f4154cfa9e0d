/* SPDX-License-Identifier: MIT */
/* The host's threads that guest threads run on. */
#ifndef COREGRIND_HOST_THREAD_H
#define COREGRIND_HOST_THREAD_H

/** Called before the first of the client's is started, with all signals blocked. */
extern void (*host_thread_on_first)(void);
/** Make the first, which ends at once, now: later nothing is seen of it. */
void host_thread_prepare(void);
/** Start one, with all signals blocked: signal_thread_init() opens it. 0 or an errno. */
int host_thread_start(void *(*run)(void *), void *arg);
/** The caller, started so, will do nothing of ours after it has left the world (thread_end()). */
void host_thread_ends(void);
/** Wait until those that end are gone. The world is stopped. */
void host_thread_wait_ended(void);

#endif
