/* SPDX-License-Identifier: MIT */
/*
 * Guest threads.  Each is a host thread of its own; the Thread structure is its whole state that is
 * not registers.  Fields are the owning thread's unless a lock is named.
 */
#ifndef COREGRIND_THREAD_H
#define COREGRIND_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "VEX/state.h"
#include "gimle/thread.h"

/** The kernel's sigset_t: bit s-1 for signal s. */
typedef uint64_t KernelSigset;

/** The kernel's stack_t. */
typedef struct KernelStack {
    GuestAddr sp;
    int32_t flags;
    uint64_t size;
} KernelStack;

#define THREAD_MAX_QUEUED 64

/** prctl(PR_SET_SYSCALL_USER_DISPATCH): calls from outside the range become SIGSYS. */
typedef struct UserDispatch {
    bool on;
    GuestAddr start, selector;
    uint64_t len;
} UserDispatch;

/** How a thread ended up leaving its run loop. */
typedef enum ThreadExit { THREAD_RUNS, THREAD_EXITED, PROCESS_EXITS } ThreadExit;

struct Thread {
    unsigned id;             /**< gimle_thread_id(); index + 1 in the table */
    pid_t tid;               /**< kernel's thread id: what the client sees */
    pthread_t host;
    VexState *state;
    Thread *parent;

    /* signals: owner; queue also under LOCK_signals */
    KernelSigset blocked;    /**< guest's signal mask */
    KernelSigset saved_mask; /**< to restore after sigsuspend & co, if has_saved_mask */
    bool has_saved_mask;
    KernelStack altstack;
    siginfo_t queue[THREAD_MAX_QUEUED]; /**< caught by the host handler, not yet delivered */
    volatile uint32_t queue_n;
    volatile KernelSigset pending_set; /**< signals in the queue */
    volatile KernelSigset held; /**< sent though blocked: those that the host cannot block */
    siginfo_t held_info[32];    /**< by signal */

    /* traced by a process under Gimle (signal/tracee.h) */
    struct TraceRecord *trace;         /**< what the tracer sees, or NULL */
    volatile uint32_t trace_asked;     /**< the status of a stop that is wanted soon, or 0 */
    uint32_t trace_passes;             /**< a signal that the tracer has seen already */
    bool trace_steps;                  /**< stop after one instruction */
    bool trace_breaks_call;            /**< the tracer has changed registers while a call was broken off */

    volatile uint32_t asked;           /**< number of the socket where a monitor command waits, or 0 */

    /* syscalls */
    bool in_syscall;         /**< between pre and post work */
    volatile bool blocked_in_kernel;
    uint64_t sys_no, sys_args[6];
    int64_t sys_result;
    bool sys_begun;          /**< the kernel had begun the blocking call that a signal took back */
    bool sys_restarts;       /**< it begins again whatever the handler's SA_RESTART says */
    GuestAddr clear_child_tid, robust_list;
    size_t robust_len;
    const struct SeccompFilter *seccomp; /**< the client's filters, newest first; shared */
    const struct SeccompFilter *seccomp_bound; /**< as many of them as the kernel has too */
    bool seccomp_strict;
    bool gets_no_new_privs;  /**< by another thread's filter; the kernel is not told yet */
    bool frees_caches;       /**< its program has ended; what runs is only to free memory */
    uint64_t restart_block;  /**< for restart_syscall */
    UserDispatch dispatch;

    /* ending */
    ThreadExit exit_state;
    int exit_code;
    bool is_main;
    bool in_vfork_child;     /**< runs in a child that shares the parent's memory until exec */
    bool runs_on;            /**< such a child whose parent does not wait */

    /* stack */
    GuestAddr stack_lo, stack_hi; /**< of the mapping or registered stack SP was last seen in */
    GuestAddr code_written;  /**< range of translated code that was written meanwhile */
    size_t code_written_len;
    /* host functions in place of client functions (redirect) */
    unsigned host_calls;     /**< such a function runs */
    const void *host_entry;  /**< redirect's record of it */
    GuestAddr no_redirect_pc;/**< go on at this pc with the client's own code, once */
    GuestAddr nraddr;        /**< original of the client's wrapper that was entered last */
    struct ReturnHook *return_hooks; /**< planted return addresses, innermost first */
    void *tool_data;         /**< REG_TOOL words are in the state; this is for tools that want more */
};

/** The main thread, before anything runs; @p serial: guest threads take turns. */
Thread *thread_new_main(bool serial);
/** Current thread (TLS); NULL on host-only threads. */
Thread *thread_self(void);

/** Arguments of clone/clone3 in one form. */
typedef struct CloneArgs {
    uint64_t flags;          /**< CLONE_*, without the exit signal */
    uint64_t pidfd, child_tid, parent_tid;
    uint64_t exit_signal;
    uint64_t stack, stack_size;
    uint64_t tls;
    uint64_t set_tid, set_tid_size, cgroup;
} CloneArgs;

/**
 * clone for the client: a thread (CLONE_VM|CLONE_THREAD…) becomes a host thread; otherwise a process
 * (fork; with CLONE_VM one that shares our memory, whose parent waits with CLONE_VFORK). Returns the
 * client's result: child's id in the parent, 0 in a forked child, or negative errno.
 */
int64_t thread_clone(Thread *t, const CloneArgs *a);
/** exit(2) of one thread: marks it; the run loop ends. */
void thread_exit(Thread *t, int code);
/** exit_group(2). */
void thread_exit_group(Thread *t, int code);
/** Make thread @p t leave translated code or a blocking system call soon. Any thread. */
void thread_kick(Thread *t);
/** Stop all other guest threads at safe points; nestable by one owner. */
void thread_stop_world(void);
void thread_start_world(void);
/** At safe points: waits here while the world is stopped. */
void thread_safe_point(Thread *t);
/** Around anything that may block in the host: the thread counts as stopped meanwhile. */
void thread_enter_blocking(Thread *t);
void thread_leave_blocking(Thread *t);
Thread *thread_by_tid(pid_t tid);
/** Next live thread after @p t (NULL: first); take LOCK_threads around walks. */
Thread *thread_next(Thread *t);

#endif
