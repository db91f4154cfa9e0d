/* SPDX-License-Identifier: MIT */
/* Running guest threads to their end, and the end of the process: reports, summary, exit status. */
#ifndef COREGRIND_PROCESS_END_H
#define COREGRIND_PROCESS_END_H

#include "coregrind/thread/thread.h"

/**
 * Run @p t on this host thread.  Ends the process if it was the last one; otherwise @p t is gone
 * when this returns, and the host thread has to end without pthread_exit(): that would load
 * libgcc for unwinding, which nobody waits for, and a fork() at that moment would leave the child
 * with a dynamic linker in the middle of its work.
 */
void process_run_thread(Thread *t);
/** The numbers of --stats=yes. */
void process_print_stats(void);
/** FatalSignalHook: report the signal, finish the tool, print the summary. */
void process_fatal_signal(Thread *t, const siginfo_t *info);

#endif
