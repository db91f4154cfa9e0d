/* SPDX-License-Identifier: MIT */
/*
 * The side of a traced process (ptrace(2)) whose tracer runs under Gimle, too.  What the tracer is to
 * see of it are the client's registers, signals and system calls, and these the core knows: it stops
 * by itself, by a signal SIGTRAP that only the tracer's core understands, at a place where the
 * client's state is complete, and tells by a record in its memory what kind of stop that is.  The
 * tracer's core (syscall/tracer.c) reads and writes the record while the thread stands still, and
 * resumes the thread by PTRACE_CONT, with what the client's tracer wants in the record.
 */
#ifndef COREGRIND_TRACEE_H
#define COREGRIND_TRACEE_H

#include <limits.h>
#include <sys/user.h>

#include "coregrind/thread/thread.h"

/** Values that come with SIGTRAP: this is a stop; with a status below: make such a stop soon. */
#define TRACEE_STOP 0x47696d6c53746f70ULL
#define TRACEE_ASK  0x47696d6c00000000ULL
#define TRACEE_ASK_MASK 0xffffffff00000000ULL
#define TRACEE_MAGIC 0x476d6c5472636531ULL

enum { TRACEE_XSAVE_BYTES = 4096, TRACEE_SYSCALL_STOP = 0x80 };
/** Like a request to go on, and there are none such: before there was one. */
enum { TRACEE_SYSEMU = 31, TRACEE_SYSEMU_STEP = 32, TRACEE_EVENT_STOP = 128 };

/** One traced thread: what the tracer may know of it and may change. */
typedef struct TraceRecord {
    struct TraceRecord *next;  /**< of the process, as all that follows; they stay, and are used again */
    int32_t tid;               /**< 0: nobody's */
    uint32_t traced;
    uint32_t stopped;          /**< at a stop of this kind, so that what is changed here counts */
    uint32_t status;           /**< signal | event << 8, as wait(2) has it above its lowest 8 bits */
    uint32_t in_call;          /**< PTRACE_EVENTMSG_SYSCALL_ENTRY or _EXIT for such a stop */
    uint32_t lets_stop;        /**< the next SIGSTOP is meant for the kernel */
    uint32_t request;          /**< by the tracer: how to go on (PTRACE_CONT ...) */
    uint32_t signal;           /**< by the tracer: signal to go on with */
    uint32_t vfork_of;         /**< of a child that shares memory: number of the thread that waits */
    uint32_t changed;          /**< by the tracer: registers are to be taken from here */
    uint64_t message;          /**< PTRACE_GETEVENTMSG */
    uint64_t blocked;          /**< signal mask */
    siginfo_t info;
    struct user_regs_struct regs;
    _Alignas(64) uint8_t xsave[TRACEE_XSAVE_BYTES];
} TraceRecord;

/** What other processes under Gimle look for in this one, at this variable's place. */
typedef struct TraceArea {
    uint64_t magic;
    TraceRecord *first;
    uint32_t on;           /**< the process is traced by one under Gimle */
    uint32_t seized;       /**< by PTRACE_SEIZE */
    uint32_t options;      /**< PTRACE_O_*, as the tracer's client set them */
    uint32_t code_changes; /**< by the tracer: it writes to the client's code without a word */
    GuestAddr auxv, auxv_end, args, args_end, env, env_end;
    char exe[PATH_MAX];
} TraceArea;

extern TraceArea trace_area;

/** Is @p t a traced thread? */
static inline bool tracee_is(const Thread *t) { return t->trace && t->trace->traced; }

/** The calling process has asked for its parent, which runs under Gimle, to trace it. */
void tracee_begin(Thread *t);
/** That has been refused. */
void tracee_abandon(Thread *t);
/** A new program begins in a process that was traced before execve; @p how as tracee_describe() made it. */
void tracee_exec(Thread *t, const char *how);
/** What a program that is executed under Gimle has to be told, or false if @p t is not traced. */
bool tracee_describe(const Thread *t, char *how, size_t size);
/** @p t runs in a new process or is a new thread: is it traced from its start? */
void tracee_start(Thread *t);
/** The same in a forked process, where nothing of the parent's is left. */
void tracee_fork_child(Thread *t);
/** @p t ends. */
void tracee_end(Thread *t);
/** The child that @p t waited for has left our memory. */
void tracee_vfork_done(const Thread *t);
/** From the host's handler: is this SIGTRAP about tracing? */
bool tracee_takes_signal(Thread *t, const siginfo_t *info);
/** At a safe point, or where a blocking system call was broken off: stop if that has been asked for. */
void tracee_answer(Thread *t, bool in_call);

/** A system call is about to be made; false: the tracer does not want it to be. Registers may have changed. */
bool tracee_call_begins(Thread *t);
void tracee_call_ends(Thread *t);
/**
 * A filter says that the tracer decides on the call of this number, and tells it @p data: false if
 * it does not want to know.  Otherwise registers may have changed, as at tracee_call_begins(), and *@p goes
 * says whether there is a call.
 */
bool tracee_filtered(Thread *t, uint32_t no, uint32_t data, bool *goes);
/** The thread is about to end, alone or with its process, with @p status as wait(2) has it. */
void tracee_exits(Thread *t, int status);
/**
 * A signal is about to be delivered: false if the tracer does not want it to be; otherwise @p info may
 * have become that of another.
 */
bool tracee_signal(Thread *t, siginfo_t *info);
/** A signal whose default action is to stop the process is delivered. */
void tracee_default_stop(Thread *t, int sig);
/** One instruction has been run, or a handler been entered, as the tracer wanted: stop. */
void tracee_stepped(Thread *t);

/** Called in a thread that goes on after the tracer began to write to code (set by main.c). */
void tracee_set_code_hook(void (*h)(void));

#endif
