/* SPDX-License-Identifier: MIT */
/* System calls of the client: one table (syscalls.def), generic pre and post work, special handlers. */
#ifndef COREGRIND_SYSCALL_H
#define COREGRIND_SYSCALL_H

#include "coregrind/thread/thread.h"

/** Prepare tables, the descriptor table (client limit, core descriptors above it). */
void syscall_init(void);
/**
 * Run the system call that the guest state asks for (number in RAX); sets RAX and tells the tool.
 * May not return to the same image (execve) or process (exit).
 */
void syscall_run(Thread *t);
/** Run at process end: report open descriptors for --track-fds. */
void syscall_fini(void);

#endif
