/* SPDX-License-Identifier: MIT */
/* A client that traces processes which run under Gimle, too: see signal/tracee.h. */
#ifndef SYSCALL_TRACER_H
#define SYSCALL_TRACER_H

#include "table.h"

/** ptrace(2) as in @p c, whose result is set; memory that the client gives is the client's. */
void tracer_ptrace(SysCall *c);
/**
 * wait(2) has told that @p pid has the state *@p status: is that for the client?  What it is to see comes
 * to *@p status; if it is not, the process has been made to go on.
 */
bool tracer_shows(pid_t pid, int *status);
/** The client opens memory of process @p pid to write there. */
void tracer_writes_memory(pid_t pid);

#endif
