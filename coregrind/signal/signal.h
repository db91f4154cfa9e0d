/* SPDX-License-Identifier: MIT */
/*
 * The client's signals: dispositions, masks, alternate stacks, queues, and the building and undoing
 * of signal frames exactly as the kernel does.  Host handlers only record (DESIGN section 7).
 */
#ifndef COREGRIND_SIGNAL_H
#define COREGRIND_SIGNAL_H

#include "coregrind/thread/thread.h"

/** The kernel's struct sigaction for rt_sigaction on amd64. */
typedef struct KernelSigaction {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    KernelSigset mask;
} KernelSigaction;

/** Install the host handlers; the inherited mask and ignored signals become the client's. */
void signal_init(Thread *main_thread);
/** In a new guest thread: host alternate stack, mask. */
void signal_thread_init(Thread *t);
void signal_thread_fini(Thread *t);
/** rt_sigaction: @p act or @p old may be NULL. 0 or negative errno. */
int signal_sigaction(int sig, const KernelSigaction *act, KernelSigaction *old);
/** rt_sigprocmask on the guest's mask. */
int signal_sigprocmask(Thread *t, int how, const KernelSigset *set, KernelSigset *old);
int signal_sigaltstack(Thread *t, const KernelStack *ss, KernelStack *old);
/** rt_sigreturn: restores the state from the frame at guest SP. */
void signal_sigreturn(Thread *t);
/** Signals that are pending for the thread (rt_sigpending). */
KernelSigset signal_pending(const Thread *t);
/** A signal of @p set that came while it was blocked, and which the kernel does not have: or 0. */
int signal_take_held(Thread *t, KernelSigset set, siginfo_t *info);
/**
 * Deliver what is queued and not blocked: builds a frame and changes the state, or ends the process
 * by the default action. Called by the run loop at safe points.
 */
void signal_deliver_pending(Thread *t);
/** True if a signal is queued and deliverable now. */
bool signal_deliverable(const Thread *t);
/** What the context of the next signal_raise_sync() says in err, trapno, cr2 (zero otherwise). */
void signal_set_fault_info(uint64_t err, uint64_t trapno, uint64_t cr2);
/** In a vfork child before guest code runs; in its parent when it has left our memory. */
void signal_vfork_child(void);
void signal_vfork_parent(void);
/** What has a handler gets its default action, what is ignored stays so. */
void signal_clear_handlers(void);
/** Raise a synchronous signal at the present guest instruction (SIGILL, SIGTRAP, SIGSEGV …). */
void signal_raise_sync(Thread *t, int sig, int code, GuestAddr addr);
/** The same with all that the client's handler is told; @p fatal: whatever its disposition, it ends the process. */
void signal_force(Thread *t, const siginfo_t *info, bool fatal);
/**
 * Run system call @p no with @p args for the client in the kernel, the guest's mask being in force
 * while it blocks (restart_amd64.S): if a signal arrived before it began, it does not begin and the
 * result is -ERESTARTSYS-like (SIGNAL_RESTART); interrupted ones return -EINTR with the information
 * that signal_deliver_pending needs for SA_RESTART.
 */
int64_t signal_blocking_syscall(Thread *t, uint64_t no, const uint64_t args[6]);
/** A temporary mask for sigsuspend, ppoll, pselect6, epoll_pwait: in force until a handler returns. */
void signal_set_temporary_mask(Thread *t, KernelSigset mask);
/** Kill the process by @p sig as the kernel would (core dump flag and all), after reports are done. */
_Noreturn void signal_die(int sig);

#endif
