/* SPDX-License-Identifier: MIT */
/* Calls about signals: the client's state of them is signal/'s, the kernel's queues are real. */
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "coregrind/aspace/aspace.h"
#include "coregrind/os/kernel_abi.h"
#include "coregrind/os/raw_syscall.h"
#include "coregrind/report/report.h"
#include "coregrind/signal/host_handler.h"
#include "coregrind/signal/signal.h"
#include "special.h"

/* The kernel takes masks of this size only. */
static bool mask_size_ok(SysCall *c, uint64_t size)
{
    if (size == sizeof(KernelSigset))
        return true;
    c->result = -EINVAL;
    return false;
}

void sys_rt_sigaction(SysCall *c)
{
    KernelSigaction act, old;
    GuestAddr a = c->arg[1], o = c->arg[2];
    const uint64_t has_restorer = 0x04000000;
    if (a) { /* field by field: there is padding in nobody's, but reports name the fields */
        sys_reads(c, "act->sa_handler", a, 8);
        sys_reads(c, "act->sa_mask", a + 24, 8);
        sys_reads(c, "act->sa_flags", a + 8, 8);
        if (gimle_read_guest(&act, a, sizeof act) != sizeof act)
            gimle_umsg("Warning: bad act handler address 0x%llx in rt_sigaction()\n",
                       (unsigned long long)a);
        else if (act.flags & has_restorer)
            sys_reads(c, "act->sa_restorer", a + 16, 8);
    }
    if (!mask_size_ok(c, c->arg[3]))
        return;
    if ((o && !sys_will_write(c, "oldact", o, sizeof old)) ||
        (a && !sys_fetch(c, &act, a, sizeof act))) {
        c->result = -EFAULT;
        return;
    }
    c->result = signal_sigaction((int)c->arg[0], a ? &act : NULL, &old);
    if (c->result == 0 && o) {
        if (gimle_write_guest(o, &old, sizeof old) != sizeof old)
            c->result = -EFAULT;
        else
            sys_wrote(c, o, sizeof old);
    }
}

void sys_rt_sigprocmask(SysCall *c)
{
    KernelSigset set, old;
    if (!mask_size_ok(c, c->arg[3]))
        return;
    if (c->arg[1] && !sys_fetch(c, &set, c->arg[1], sizeof set)) {
        gimle_umsg("Warning: Bad set handler address 0x%llx in sigprocmask\n",
                   (unsigned long long)c->arg[1]);
        return;
    }
    c->result = signal_sigprocmask(c->t, (int)c->arg[0], c->arg[1] ? &set : NULL, &old);
    if (c->result == 0 && c->arg[2] && gimle_write_guest(c->arg[2], &old, sizeof old) != sizeof old)
        c->result = -EFAULT;
}

void sys_rt_sigpending(SysCall *c)
{
    KernelSigset set = signal_pending(c->t);
    size_t size = c->arg[1];
    if (size > sizeof set)
        c->result = -EINVAL;
    else
        c->result = gimle_write_guest(c->arg[0], &set, size) == size ? 0 : -EFAULT;
}

void sys_sigaltstack(SysCall *c)
{
    KernelStack ss, old;
    memset(&old, 0, sizeof old);
    if (c->arg[0]) { /* not the padding between flags and size */
        sys_reads(c, "ss", c->arg[0], offsetof(KernelStack, flags) + sizeof ss.flags);
        sys_reads(c, "ss", c->arg[0] + offsetof(KernelStack, size), sizeof ss.size);
    }
    if (c->arg[0] && !sys_fetch(c, &ss, c->arg[0], sizeof ss))
        return;
    c->result = signal_sigaltstack(c->t, c->arg[0] ? &ss : NULL, &old);
    if (c->result == 0 && c->arg[1] && gimle_write_guest(c->arg[1], &old, sizeof old) != sizeof old)
        c->result = -EFAULT;
}

void sys_rt_sigreturn(SysCall *c)
{
    c->no_result = true;
    signal_sigreturn(c->t);
}

/*
 * Calls with a mask of their own.  The mask is put in force before; the kernel then makes the call
 * without one.  A signal that arrives in between is recorded by the host's handler, and the call
 * does not begin (signal_blocking_syscall), so none is lost.
 */
static bool begin_masked(SysCall *c, GuestAddr mask, uint64_t size)
{
    KernelSigset set;
    if (mask == 0)
        return true;
    if (!mask_size_ok(c, size) || !sys_fetch(c, &set, mask, sizeof set))
        return false;
    signal_set_temporary_mask(c->t, set);
    return true;
}

/*
 * These calls end with EINTR whatever SA_RESTART says; but if no signal was the reason that the
 * call did not begin (the world was stopped), it is made again.
 */
static void settle_masked(SysCall *c)
{
    if (c->result == SIGNAL_RESTART && signal_deliverable(c->t))
        c->result = -EINTR;
}

/* The mask stays in force until the signal that ended the call is delivered. */
static void do_masked(SysCall *c)
{
    sys_do(c);
    settle_masked(c);
    if (c->t->has_saved_mask)
        c->t->state->pending = 1; /* at the next safe point the old mask comes back */
}

void sys_rt_sigsuspend(SysCall *c)
{
    KernelSigset set;
    if (!mask_size_ok(c, c->arg[1]) || !sys_fetch(c, &set, c->arg[0], sizeof set))
        return;
    signal_set_temporary_mask(c->t, set);
    const uint64_t none[6] = { 0 };
    c->result = signal_blocking_syscall(c->t, SYS_pause, none);
    settle_masked(c);
    c->t->state->pending = 1;
}

void sys_ppoll(SysCall *c)
{
    if (!begin_masked(c, c->arg[3], c->arg[4]))
        return;
    c->arg[3] = 0;
    do_masked(c);
}

void sys_do_with_mask(SysCall *c, GuestAddr mask, uint64_t size)
{
    if (begin_masked(c, mask, size))
        do_masked(c);
}

void sys_epoll_pwait(SysCall *c)
{
    if (!begin_masked(c, c->arg[4], c->arg[5]))
        return;
    c->arg[4] = 0;
    do_masked(c);
}

void sys_pselect6(SysCall *c)
{
    struct { uint64_t mask, size; } sig = { 0, 0 };
    if (c->arg[5]) {
        if (!sys_take(c, "sig", &sig, c->arg[5], sizeof sig) ||
            (sig.mask && !sys_reads(c, "sig->sigmask", sig.mask, sizeof(KernelSigset)))) {
            c->result = -EFAULT;
            return;
        }
        if (!begin_masked(c, sig.mask, sig.size))
            return;
    }
    c->arg[5] = 0;
    do_masked(c);
}

void sys_io_pgetevents(SysCall *c)
{
    struct { uint64_t mask, size; } sig = { 0, 0 };
    sys_reg(c, 5, "usig", 8);
    if (c->arg[5]) {
        if (!sys_take(c, "usig", &sig, c->arg[5], sizeof sig)) {
            c->result = -EFAULT;
            return;
        }
        if (!begin_masked(c, sig.mask, sig.size))
            return;
    }
    c->arg[5] = 0;
    do_masked(c);
}

void sys_rt_sigtimedwait(SysCall *c)
{
    KernelSigset set;
    siginfo_t info;
    if (!mask_size_ok(c, c->arg[3]) || !sys_fetch(c, &set, c->arg[0], sizeof set))
        return;
    int held = signal_take_held(c->t, set, &info);
    if (held) {
        c->result = held;
        if (c->arg[1] && gimle_write_guest(c->arg[1], &info, sizeof info) != sizeof info)
            c->result = -EFAULT;
    } else {
        sys_do(c);
    }
    if (c->result > 0 && c->arg[1])
        sys_wrote(c, c->arg[1], KSIZE_SIGINFO);
    c->no_post = true;
}

void sys_rt_sigqueueinfo(SysCall *c)
{
    unsigned at = c->no == SYS_rt_sigqueueinfo ? 2 : 3; /* behind one or two ids and the signal */
    if (c->arg[at - 1] != 0 && !sys_reads(c, "uinfo", c->arg[at], KSIZE_SIGINFO))
        c->result = -EFAULT;
    else
        sys_do(c);
}

void sys_restart_syscall(SysCall *c) { c->result = -EINTR; }

void sys_timer_create(SysCall *c)
{
    enum { NOTIFY_AT = 12, SIGNO_AT = 8, THREAD_ID_AT = 16, THREAD_ID_NOTIFY = 4 };
    GuestAddr e = c->arg[1];
    uint32_t notify = 0;
    bool ok = true;
    if (e) {
        ok &= sys_reads(c, "evp.sigev_value", e, 8);
        ok &= sys_reads(c, "evp.sigev_signo", e + SIGNO_AT, 4);
        ok &= sys_reads(c, "evp.sigev_notify", e + NOTIFY_AT, 4);
        gimle_read_guest(&notify, e + NOTIFY_AT, sizeof notify);
        if (notify & THREAD_ID_NOTIFY)
            ok &= sys_reads(c, "evp.sigev_notify_thread_id", e + THREAD_ID_AT, 4);
    }
    ok &= sys_will_write(c, "timerid", c->arg[2], 4);
    if (!ok)
        c->result = -EFAULT;
    else if (sys_do(c) == 0)
        sys_wrote(c, c->arg[2], 4);
}
