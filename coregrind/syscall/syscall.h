/* SPDX-License-Identifier: MIT */
/* System calls of the client: one table (syscalls.def), generic work around it, special handlers.
 */
#ifndef COREGRIND_SYSCALL_H
#define COREGRIND_SYSCALL_H

#include "coregrind/thread/thread.h"

/** What the client's process looks like from outside, for /proc/self and limits. */
typedef struct SyscallClient {
    const char *exe;          /**< absolute path of the program (not of the core) */
    GuestAddr start_sp;       /**< stack pointer at the start: argc, argv, envp, auxv follow */
    uint64_t stack_limit;     /**< soft RLIMIT_STACK the client believes in; 0: the host's */
} SyscallClient;

/** Prepare tables, the descriptor table (client limit, core descriptors above it). */
void syscall_init(void);
/** After the client was loaded, before its main thread @p t runs. @p c is copied, the path too. */
void syscall_set_client(Thread *t, const SyscallClient *c);
/**
 * Run the system call that the guest state asks for (number in RAX; PC behind the instruction);
 * sets RAX and tells the tool. May not return to the same image (execve) or process (exit).
 */
void syscall_run(Thread *t);
/** The client jumped to an entry of the vsyscall page: true if it has been done, with the return. */
bool syscall_vsyscall(Thread *t);
/** Run at process end: report open descriptors for --track-fds. */
void syscall_fini(void);

#endif
