/* SPDX-License-Identifier: MIT */
/* The course of every system call: arguments, effects, the call itself, effects, result. */
#include "syscall.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "coregrind/core/options.h"
#include "coregrind/os/raw_syscall.h"
#include "coregrind/report/report.h"
#include "coregrind/signal/host_handler.h"
#include "coregrind/signal/signal.h"
#include "coregrind/signal/tracee.h"
#include "fd_table.h"
#include "limits.h"
#include "proc_view.h"
#include "seccomp.h"
#include "special.h"
#include "table.h"

/* Registers of the call by their place in guest_amd64.def, which is also GuestAmd64.gpr's. */
enum { RAX = 0, RCX = 1, RDX = 2, RSI = 6, RDI = 7, R8 = 8, R9 = 9, R10 = 10, R11 = 11 };
enum { FIRST_X32_NUMBER = 512 };

void syscall_init(void)
{
    fd_table_init();
    limits_init();
}

void syscall_set_client(Thread *t, const SyscallClient *c)
{
    seccomp_inherit(t);
    const char *slash = strrchr(c->exe, '/');
    proc_view_init(c);
    prctl(PR_SET_NAME, slash ? slash + 1 : c->exe);
    if (c->stack_limit)
        limits_set_stack(c->stack_limit);
}

void syscall_fini(void) { fd_table_report("at exit"); }

int64_t sys_do_now(SysCall *c)
{
    c->result = raw_syscall6(c->no, c->arg[0], c->arg[1], c->arg[2], c->arg[3], c->arg[4],
                             c->arg[5]);
    return c->result;
}

int64_t sys_do(SysCall *c)
{
    if (!(c->row->flags & SF_BLOCKS))
        return sys_do_now(c);
    c->result = signal_blocking_syscall(c->t, c->no, c->arg);
    return c->result;
}

/* A number that no row describes: the kernel may know it. */
static int64_t pass_unknown(const SysCall *c)
{
    static _Atomic bool warned;
    if (c->no >= FIRST_X32_NUMBER)
        return -ENOSYS;
    if (!atomic_exchange(&warned, true))
        gimle_umsg("WARNING: unhandled amd64-linux syscall: %llu; its effects on memory are not "
                   "known to the tool\n", (unsigned long long)c->no);
    return raw_syscall6(c->no, c->arg[0], c->arg[1], c->arg[2], c->arg[3], c->arg[4], c->arg[5]);
}

static void run_known(SysCall *c)
{
    bool trace = core_options->trace_syscalls;
    if (trace)
        sys_trace_enter(c);
    int64_t refused = sys_effects_pre(c);
    if (refused)
        c->result = refused;
    else if (c->row->handler)
        c->row->handler(c);
    else
        sys_do(c);
    if (c->result == SIGNAL_RESTART || c->no_result)
        return;
    if (c->result >= 0) {
        if (!c->no_post)
            sys_effects_post(c);
        if (c->row->flags & SF_NEW_FD)
            c->result = fd_table_opened(c->t, c->result);
    }
    if (trace)
        sys_trace_leave(c);
}

static void run_any(SysCall *c)
{
    if (c->row)
        run_known(c);
    else
        c->result = pass_unknown(c);
}

/*
 * The program has ended, and the C library's caches are freed.  It also writes out its buffers, and gives
 * back to files what it had read ahead; exit() has done that before, and _exit() never does.
 */
static void run_at_end(SysCall *c)
{
    if (c->no == SYS_write)
        c->result = (int64_t)c->arg[2];
    else if (c->no == SYS_lseek)
        c->result = raw_syscall3(SYS_lseek, c->arg[0], 0, SEEK_CUR);
    else
        run_any(c);
}

static void trace_refused(SysCall *c)
{
    if (!core_options->trace_syscalls || !c->row || c->no_result)
        return;
    sys_trace_enter(c);
    sys_trace_leave(c);
}

/* A call without a result, or one that is to be made again: as the kernel shows it to a tracer. */
static void call_was_traced(Thread *t, const SysCall *c)
{
    if (!c->no_result)
        t->state->guest.gpr[RAX] = (uint64_t)SIGNAL_RESTART;
    tracee_call_ends(t);
}

void syscall_run(Thread *t)
{
    GuestAmd64 *g = &t->state->guest;
    if (t->dispatch.on && syscall_user_dispatch(t))
        return;
    if (tracee_is(t) && !tracee_call_begins(t)) {
        tracee_call_ends(t);
        return;
    }
    SysCall c = { .t = t, .no = (uint32_t)g->gpr[RAX], /* as the kernel: an int */
                  .arg = { g->gpr[RDI], g->gpr[RSI], g->gpr[RDX], g->gpr[R10], g->gpr[R8],
                           g->gpr[R9] } };
    t->in_syscall = true;
    t->sys_no = c.no;
    t->sys_restarts = false;
    for (unsigned i = 0; i < SYS_MAX_ARGS; i++)
        t->sys_args[i] = c.arg[i];
    EVENT(sys_enter, t, (unsigned)c.no);
    c.row = sys_row(c.no);
    if (t->frees_caches)
        run_at_end(&c);
    else if (seccomp_applies(t) && !seccomp_allows(&c))
        trace_refused(&c);
    else
        run_any(&c);
    t->in_syscall = false;
    if (t->trace_breaks_call) {
        t->trace_breaks_call = false;
        return;
    }
    if (!c.no_result)
        t->sys_result = c.result;
    if (c.no_result || c.result == SIGNAL_RESTART) { /* signal_deliver_pending() settles what becomes of it */
        if (tracee_is(t))
            call_was_traced(t, &c);
        return;
    }
    g->gpr[RAX] = (uint64_t)c.result;
    g->gpr[RCX] = g->pc;
    g->gpr[R11] = vex_rflags_get(g);
    if (core_events.reg_write) {
        core_events.reg_write(t, RAX);
        core_events.reg_write(t, RCX);
        core_events.reg_write(t, R11);
    }
    EVENT(sys_leave, t, (unsigned)c.no, c.result);
    if (tracee_is(t) && t->exit_state == THREAD_RUNS)
        tracee_call_ends(t);
}
