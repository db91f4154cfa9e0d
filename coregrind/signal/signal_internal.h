/* SPDX-License-Identifier: MIT */
/* What the files of this directory share. */
#ifndef COREGRIND_SIGNAL_INTERNAL_H
#define COREGRIND_SIGNAL_INTERNAL_H

#include "signal.h"

/** What the kernel puts into the context of a signal besides registers. */
typedef struct SignalFaultInfo {
    uint64_t err, trapno, cr2;
} SignalFaultInfo;

#define SIG_BIT(sig) (1ULL << ((sig)-1))
/** Signals that the host delivers whatever the client's mask says: the core needs them itself. */
#define SIG_SYNC_SET \
    (SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGFPE) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP))

/** Put the host's mask of this thread to what the client's mask asks for. */
void signal_apply_host_mask(Thread *t);
/** The client's disposition of @p sig (copy). */
KernelSigaction signal_disposition(int sig);
/** Put the table of 65 entries back without telling the host (whose dispositions never changed). */
void signal_restore_dispositions(const KernelSigaction *from);
/** After delivery with SA_RESETHAND. */
void signal_reset_disposition(int sig);
/** frame_amd64.c: push the frame and go to the handler; false if the stack is not writable. */
bool signal_push_frame(Thread *t, const siginfo_t *info, const KernelSigaction *act,
                       const SignalFaultInfo *fault);
/** deliver.c: the signal's default action ends the process: reports first. */
_Noreturn void signal_fatal(Thread *t, const siginfo_t *info);
/** host_handler.c: install or remove the host handler for @p sig as its disposition wants. */
void signal_host_install(int sig, const KernelSigaction *act);

/** How the kernel leaves registers after a system call: once, before signals arrive. */
void signal_host_init(void);

/** Keep a signal of SIG_SYNC_SET that was sent while the client blocks it. */
void signal_hold(Thread *t, const siginfo_t *info);
/** Queue what is held and blocked no longer; true if there was any, and then the host blocks all. */
bool signal_release_held(Thread *t);

/** The calling thread's alternate stack for the host's handlers: another one; returns the old one. */
char *signal_altstack_swap(char *new);
void signal_altstack_free(char *p);
/** Kernel's rt_sigprocmask for this host thread, without the C library's filtering. */
void signal_host_setmask(KernelSigset mask);

#endif
