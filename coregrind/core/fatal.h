/* SPDX-License-Identifier: MIT */
/* The end when something of ours went wrong: what to print so that it can be mended. */
#ifndef COREGRIND_FATAL_H
#define COREGRIND_FATAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "gimle/ir.h"

/** Install the hook of base/check.h. Call after host_fd_init(). */
void fatal_init(void);

/**
 * The core's own code faulted (host context @p uc of the signal handler): prints what, where, our
 * backtrace and the guest's, and ends with status 134. Called by the fault handler.
 */
_Noreturn void fatal_host_fault(const siginfo_t *si, const void *uc);

/** End since the program cannot be run; the status is 1, or the shell's 127 and 126 as Valgrind. */
_Noreturn void fatal_exec_error(const char *why, bool not_found);

/** Set by whoever can: prints what the guest is at to stderr. It may fail, or take for ever. */
extern void (*fatal_print_guest)(void);

/** Fail on purpose, to see the report: what --debug-crash= says (CrashKind). */
void fatal_crash(int how);

#endif
