/* SPDX-License-Identifier: MIT */
/*
 * The client's dispositions and masks.  The host's mask of a thread always equals the client's,
 * but for the signals the core needs itself; so the kernel queues, merges and routes signals as it
 * would for the client alone.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/ranked_lock.h"
#include "signal_internal.h"

enum { N_SIGNALS = 64 };

static KernelSigaction table[N_SIGNALS + 1]; /* LOCK_signals */

KernelSigaction signal_disposition(int sig)
{
    lock_take(LOCK_signals);
    KernelSigaction a = table[sig];
    lock_release(LOCK_signals);
    return a;
}

void signal_reset_disposition(int sig)
{
    lock_take(LOCK_signals);
    memset(&table[sig], 0, sizeof table[sig]);
    signal_host_install(sig, &table[sig]);
    lock_release(LOCK_signals);
}

void signal_clear_handlers(void)
{
    for (int sig = 1; sig <= N_SIGNALS; sig++)
        if (sig != SIGKILL && sig != SIGSTOP && signal_disposition(sig).handler > (uintptr_t)SIG_IGN)
            signal_reset_disposition(sig);
}

void signal_restore_dispositions(const KernelSigaction *from)
{
    lock_take(LOCK_signals);
    memcpy(table, from, sizeof table);
    lock_release(LOCK_signals);
}

void signal_host_setmask(KernelSigset mask)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
}

void signal_apply_host_mask(Thread *t)
{
    bool queued = signal_release_held(t); /* then all stays blocked until that is delivered */
    signal_host_setmask(queued ? ~SIG_SYNC_SET : t->blocked & ~SIG_SYNC_SET);
}

void signal_init(Thread *main_thread)
{
    KernelSigset inherited;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &inherited, sizeof inherited);
    main_thread->blocked = inherited;
    signal_host_init();
    for (int sig = 1; sig <= N_SIGNALS; sig++) {
        KernelSigaction old;
        if (sig == SIGKILL || sig == SIGSTOP ||
            syscall(SYS_rt_sigaction, sig, NULL, &old, sizeof(KernelSigset)) != 0)
            continue;
        if (old.handler == (uint64_t)(uintptr_t)SIG_IGN)
            table[sig].handler = old.handler;
        signal_host_install(sig, &table[sig]);
    }
    signal_thread_init(main_thread);
}

int signal_sigaction(int sig, const KernelSigaction *act, KernelSigaction *old)
{
    if (sig < 1 || sig > N_SIGNALS || (act && (sig == SIGKILL || sig == SIGSTOP)))
        return -EINVAL;
    lock_take(LOCK_signals);
    KernelSigaction before = table[sig];
    if (act) {
        table[sig] = *act;
        table[sig].mask &= ~(SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP));
        signal_host_install(sig, &table[sig]);
    }
    lock_release(LOCK_signals);
    if (old)
        *old = before;
    return 0;
}

int signal_sigprocmask(Thread *t, int how, const KernelSigset *set, KernelSigset *old)
{
    KernelSigset before = t->blocked;
    if (set) {
        KernelSigset s = *set & ~(SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP));
        if (how == SIG_BLOCK)
            t->blocked |= s;
        else if (how == SIG_UNBLOCK)
            t->blocked &= ~s;
        else if (how == SIG_SETMASK)
            t->blocked = s;
        else
            return -EINVAL;
        signal_apply_host_mask(t);
    }
    if (old)
        *old = before;
    return 0;
}

int signal_sigaltstack(Thread *t, const KernelStack *ss, KernelStack *old)
{
    const int32_t autodisarm = (int32_t)(1u << 31);
    GuestAddr sp = gimle_thread_get_reg(t, gimle_guest->sp);
    bool on_it = !(t->altstack.flags & SS_DISABLE) && t->altstack.size &&
                 sp > t->altstack.sp && sp - t->altstack.sp <= t->altstack.size;
    KernelStack before = t->altstack;
    if (!before.size)
        before.flags = SS_DISABLE;
    else if (on_it)
        before.flags |= SS_ONSTACK;
    if (ss) {
        int32_t mode = ss->flags & ~autodisarm;
        if (on_it && !(t->altstack.flags & autodisarm))
            return -EPERM;
        if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
            return -EINVAL;
        if (mode == SS_DISABLE) {
            t->altstack = (KernelStack){ .flags = SS_DISABLE };
        } else {
            if (ss->size < 2048)
                return -ENOMEM;
            t->altstack = *ss;
            t->altstack.flags &= autodisarm;
        }
    }
    if (old)
        *old = before;
    return 0;
}

KernelSigset signal_pending(const Thread *t)
{
    KernelSigset kernel = 0;
    syscall(SYS_rt_sigpending, &kernel, sizeof kernel);
    return (kernel | t->pending_set | t->held) & t->blocked;
}

void signal_set_temporary_mask(Thread *t, KernelSigset mask)
{
    if (!t->has_saved_mask) {
        t->saved_mask = t->blocked;
        t->has_saved_mask = true;
    }
    t->blocked = mask & ~(SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP));
    signal_apply_host_mask(t);
}
