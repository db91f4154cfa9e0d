/* SPDX-License-Identifier: MIT */
/*
 * What happens to a queued signal at a safe point: ignored, the process ends, or the client's handler
 * is entered.  Interrupted system calls are restarted here, where the handler's SA_RESTART is known.
 */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "coregrind/core/events.h"
#include "host_handler.h"
#include "signal_internal.h"
#include "tracee.h"

static FatalSignalHook fatal_hook;
static _Thread_local SignalFaultInfo sync_fault;

void signal_set_fatal_hook(FatalSignalHook h) { fatal_hook = h; }

/** Default actions (signal(7)): does nothing? (stops are left to the kernel) */
static bool default_ignores(int sig)
{
    return sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH || sig == SIGCONT;
}

_Noreturn void signal_die(int sig)
{
    KernelSigaction dfl = { 0 };
    KernelSigset only = ~SIG_BIT(sig);
    syscall(SYS_rt_sigaction, sig, &dfl, NULL, sizeof(KernelSigset));
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), sig);
    signal_host_setmask(only);
    _exit(128 + sig); /* only reached if the signal does not end the process, which no default does */
}

/** Default actions: stops? */
static bool default_stops(int sig) { return sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU; }

_Noreturn void signal_fatal(Thread *t, const siginfo_t *info)
{
    if (tracee_is(t))
        tracee_exits(t, info->si_signo);
    if (fatal_hook)
        fatal_hook(t, info);
    signal_die(info->si_signo);
}

/**
 * The system call that was interrupted: again, or EINTR? @p act: NULL if no handler runs.  A signal
 * that came before the call had begun is one that came before it: the call is made afterwards.
 */
static void deliver_settle_syscall(Thread *t, const KernelSigaction *act)
{
    if (t->sys_result != SIGNAL_RESTART)
        return;
    t->sys_result = 0;
    if (act && !(act->flags & SA_RESTART) && t->sys_begun && !t->sys_restarts) {
        t->state->guest.gpr[0] = (uint64_t)-EINTR;
    } else {
        t->state->guest.gpr[0] = t->sys_no;
        t->state->guest.pc -= 2; /* back to the SYSCALL instruction */
    }
}

/** Enter the client's handler, or act by default. */
static void deliver_one(Thread *t, const siginfo_t *info, const SignalFaultInfo *fault)
{
    int sig = info->si_signo;
    KernelSigaction act = signal_disposition(sig);
    if (act.handler == (uintptr_t)SIG_IGN ||
        (act.handler == (uintptr_t)SIG_DFL && default_ignores(sig))) {
        deliver_settle_syscall(t, NULL);
        return;
    }
    if (act.handler == (uintptr_t)SIG_DFL && tracee_is(t) && (default_stops(sig) || sig == SIGSTOP)) {
        deliver_settle_syscall(t, NULL);
        tracee_default_stop(t, sig);
        return;
    }
    if (act.handler == (uintptr_t)SIG_DFL)
        signal_fatal(t, info);
    deliver_settle_syscall(t, &act);
    if (!signal_push_frame(t, info, &act, fault)) {
        siginfo_t segv = { .si_signo = SIGSEGV, .si_code = SI_KERNEL };
        signal_fatal(t, &segv);
    }
    EVENT(signal_enter, t, sig);
    if (t->has_saved_mask) {
        t->has_saved_mask = false; /* the frame restores the mask from before sigsuspend & co */
    }
    if (!(act.flags & SA_NODEFER))
        t->blocked |= SIG_BIT(sig);
    t->blocked |= act.mask & ~(SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP));
    if (act.flags & SA_RESETHAND)
        signal_reset_disposition(sig);
    if (t->trace_steps && tracee_is(t)) /* a step into the handler */
        tracee_stepped(t);
}

bool signal_deliverable(const Thread *t) { return t->queue_n > 0; }

/**
 * A signal that is blocked by now (by the handler of a fault or of another signal, entered since it was
 * caught) goes back to the kernel, where it waits, and where sigwaitinfo() and signalfd look.
 */
static bool deliver_put_back(Thread *t, const siginfo_t *info)
{
    int sig = info->si_signo;
    if (!(t->blocked & SIG_BIT(sig)))
        return false;
    if (SIG_SYNC_SET & SIG_BIT(sig)) { /* the kernel would send it at once */
        signal_hold(t, info);
        return true;
    }
    signal_host_setmask(~SIG_SYNC_SET);
    return syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), sig, info) == 0;
}

void signal_deliver_pending(Thread *t)
{
    bool any = t->queue_n > 0, entered = false;
    uint32_t n = 0;
    do {
        for (; n < t->queue_n; n++) {
            siginfo_t info = t->queue[n];
            if (deliver_put_back(t, &info) || (tracee_is(t) && !tracee_signal(t, &info)))
                continue;
            deliver_one(t, &info, &(SignalFaultInfo){ 0 });
            entered = true;
        }
    } while (!__sync_bool_compare_and_swap(&t->queue_n, n, 0)); /* the host's handler appends */
    t->pending_set = 0;
    if (!entered)
        deliver_settle_syscall(t, NULL);
    if (t->has_saved_mask) { /* the call with the temporary mask has ended without a handler */
        t->has_saved_mask = false;
        t->blocked = t->saved_mask;
        any = true;
    }
    if (any)
        signal_apply_host_mask(t);
}

void signal_set_fault_info(uint64_t err, uint64_t trapno, uint64_t cr2)
{
    sync_fault = (SignalFaultInfo){ err, trapno, cr2 };
}

void signal_force(Thread *t, const siginfo_t *forced, bool fatal)
{
    siginfo_t seen = *forced, *info = &seen;
    if (!fatal && tracee_is(t) && !tracee_signal(t, &seen)) {
        sync_fault = (SignalFaultInfo){ 0 };
        return;
    }
    int sig = info->si_signo;
    KernelSigaction act = signal_disposition(sig);
    SignalFaultInfo fault = sync_fault;
    sync_fault = (SignalFaultInfo){ 0 };
    /* A synchronous signal that is blocked or ignored ends the process (force_sig in the kernel). */
    if (fatal || (t->blocked & SIG_BIT(sig)) || act.handler == (uintptr_t)SIG_IGN)
        signal_fatal(t, info);
    deliver_one(t, info, &fault);
    if (t->queue_n == 0) /* else the host has everything blocked until they are delivered */
        signal_apply_host_mask(t);
}

void signal_raise_sync(Thread *t, int sig, int code, GuestAddr addr)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = sig;
    info.si_code = code;
    info.si_addr = (void *)addr;
    signal_force(t, &info, false);
}
