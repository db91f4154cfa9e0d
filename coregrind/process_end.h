/* SPDX-License-Identifier: MIT */
/* Running guest threads to their end, and the end of the process: reports, summary, exit status. */
#ifndef COREGRIND_PROCESS_END_H
#define COREGRIND_PROCESS_END_H

#include "coregrind/thread/thread.h"

/** Run @p t on this host thread; ends the thread, and the process if it was the last one. */
void process_run_thread(Thread *t);
/** FatalSignalHook: report the signal, finish the tool, print the summary. */
void process_fatal_signal(Thread *t, const siginfo_t *info);

#endif
