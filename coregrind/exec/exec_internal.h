/* SPDX-License-Identifier: MIT */
/* What the files of this directory share. */
#ifndef COREGRIND_EXEC_INTERNAL_H
#define COREGRIND_EXEC_INTERNAL_H

#include <setjmp.h>

#include "exec.h"

/** Why the fault handler made the run loop take over. */
typedef enum EscapeKind {
    ESCAPE_NONE,
    ESCAPE_SIGNAL,    /**< raise the recorded signal at guest.pc */
    ESCAPE_CODE_WRITE /**< discard translations of the written page and go on at guest.pc */
} EscapeKind;

/** Per host thread: where the run loop can be re-entered, and with what. */
typedef struct Escape {
    sigjmp_buf env;
    bool armed;        /**< translated code or a host function for the client runs */
    EscapeKind kind;
    siginfo_t info;
    uint64_t err, trapno, cr2;
    bool access_write, access_exec;
} Escape;

Escape *exec_escape(void);
/** The client writes to the protected page of code @p page: it loses protection and translations. */
void exec_code_written(GuestAddr page);
/** The core itself writes to @p page: its translations go at @p t's next safe point. */
void exec_note_code_write(Thread *t, GuestAddr page);
/** fault.c: finish what the handler began, on the run loop's stack. */
void exec_after_escape(Thread *t, Escape *e);

/** Do blocks come back to the run loop each time? (chaos.c) */
bool exec_chaos(void);
/** At the boundary of two blocks; before a system call. */
void exec_chaos_boundary(Thread *t);
void exec_chaos_syscall(Thread *t);
/** After a system call: if the thread ends by it, a signal may come with that. */
void exec_chaos_end(Thread *t);

#endif
