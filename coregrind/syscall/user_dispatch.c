/* SPDX-License-Identifier: MIT */
/*
 * Syscall user dispatch (prctl 59): a thread's system calls become SIGSYS, but for those from one range
 * of code and while a byte of its memory allows them.  Wine runs Windows programs so.
 */
#include <linux/audit.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "coregrind/signal/signal.h"
#include "special.h"

enum { OFF, ON, FILTER_ALLOW = 0, FILTER_BLOCK = 1, CODE_USER_DISPATCH = 2 };

void sys_prctl_user_dispatch(SysCall *c)
{
    UserDispatch d = { .on = c->arg[1] == ON, .start = c->arg[2], .len = c->arg[3],
                       .selector = c->arg[4] };
    for (unsigned i = 1; i < 5; i++)
        sys_reg(c, i, "prctl(set-syscall-user-dispatch)", 8);
    if (c->arg[1] > ON || (!d.on && (d.start || d.len || d.selector)) ||
        (d.start && d.start + d.len <= d.start)) {
        c->result = -EINVAL;
    } else if ((int64_t)d.selector < 0) {
        c->result = -EFAULT;
    } else {
        c->t->dispatch = d;
        c->result = 0;
    }
}

/** The kernel ends the process at once, handler or not. */
static void end_by(Thread *t, int sig)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = sig;
    info.si_code = SI_KERNEL;
    signal_force(t, &info, true);
}

bool syscall_user_dispatch(Thread *t)
{
    const UserDispatch *d = &t->dispatch;
    const GuestAmd64 *g = &t->state->guest;
    uint8_t state = FILTER_BLOCK;
    if (g->pc - d->start < d->len)
        return false;
    if (d->selector && gimle_read_guest(&state, d->selector, 1) != 1) {
        end_by(t, SIGSEGV);
        return true;
    }
    if (state == FILTER_ALLOW)
        return false;
    if (state != FILTER_BLOCK) {
        end_by(t, SIGSYS);
        return true;
    }
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGSYS;
    info.si_code = CODE_USER_DISPATCH;
    info.si_call_addr = (void *)g->pc;
    info.si_syscall = (int)g->gpr[0];
    info.si_arch = AUDIT_ARCH_X86_64;
    signal_force(t, &info, false);
    return true;
}
