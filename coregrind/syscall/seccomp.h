/* SPDX-License-Identifier: MIT */
/*
 * Seccomp for the client.  Its filters are not given to the kernel, where they would bind the core
 * too, but asked here before each of its system calls.  The kernel gets them when the client
 * executes a program that runs natively; one that runs under Gimle is told of them by its environment.
 */
#ifndef SYSCALL_SECCOMP_H
#define SYSCALL_SECCOMP_H

#include "table.h"

/** At the start: the filters that a traced execve handed on (launcher.h), if any. */
void seccomp_inherit(Thread *t);

/**
 * May the client make system call @p c? If not, c->result is what it returns, or, with c->no_result,
 * a signal is delivered instead. May end the thread or the process.
 */
bool seccomp_allows(SysCall *c);
/** Does it have to be asked at all? */
static inline bool seccomp_applies(const Thread *t) { return t->seccomp || t->seccomp_strict; }

/** prctl(PR_SET_SECCOMP) and prctl(PR_GET_SECCOMP). */
SysHandler seccomp_prctl_set;
SysHandler seccomp_prctl_get;

/** Before the calling thread's no_new_privs counts: another thread's filter may have set it. */
void seccomp_settle_privs(Thread *t);
/** Number of filters of @p t. */
unsigned seccomp_count(const Thread *t);

/** Give the kernel what it does not have yet of @p t's filters, just before an execve. 0 or -errno. */
int64_t seccomp_bind_host(Thread *t);

/** Call @p add with each variable (malloc'd, NAME=value) that tells a new core of @p t's filters. */
void seccomp_describe(const Thread *t, void (*add)(void *ctx, char *var), void *ctx);

#endif
