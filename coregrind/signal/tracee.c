/* SPDX-License-Identifier: MIT */
/* See tracee.h.  Stops are made by the thread itself, with its whole state in its VexState. */
#include "tracee.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "VEX/vex.h"
#include "base/check.h"
#include "coregrind/core/events.h"
#include "coregrind/os/raw_syscall.h"
#include "coregrind/thread/host_thread.h"
#include "host_handler.h"
#include "signal_internal.h"

TraceArea trace_area = { .magic = TRACEE_MAGIC };

static void (*code_hook)(void);

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
enum { CODE_SELECTOR = 0x33, DATA_SELECTOR = 0x2b, RFLAGS_ALWAYS = 0x202 };
enum { XSTATE_FEATURES = 464 /* in the FXSAVE image, where the kernel tells them */ };
enum { O_SYSGOOD = 1, O_EXEC = 0x10, O_EXIT = 0x40, O_SECCOMP = 0x80, EVENT_EXEC = 4, EVENT_EXIT = 6,
       EVENT_SECCOMP };

void tracee_set_code_hook(void (*h)(void)) { code_hook = h; }

/* ---- records ----------------------------------------------------------------------------------- */

/** Does somebody trace the calling thread? */
static bool has_tracer(void)
{
    char line[128];
    int tracer = 0;
    FILE *f = fopen("/proc/thread-self/status", "re");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "TracerPid: %d", &tracer) != 1)
        ;
    if (f)
        fclose(f);
    return tracer != 0;
}

/** A record for @p t: one that nobody has any more, or a new one. */
static void take_record(Thread *t)
{
    TraceRecord *r = trace_area.first;
    int32_t nobody = 0, tid = (int32_t)syscall(SYS_gettid);
    for (; r; r = r->next, nobody = 0)
        if (__atomic_compare_exchange_n(&r->tid, &nobody, tid, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            break;
    if (!r) {
        CHECK(vex_xsave_size() <= TRACEE_XSAVE_BYTES);
        r = aligned_alloc(64, sizeof *r);
        if (!r)
            return;
        memset(r, 0, sizeof *r);
        r->tid = tid;
        r->next = trace_area.first;
        while (!__atomic_compare_exchange_n(&trace_area.first, &r->next, r, false, __ATOMIC_SEQ_CST,
                                            __ATOMIC_SEQ_CST))
            ;
    }
    r->stopped = r->status = r->in_call = r->lets_stop = r->signal = r->changed = 0;
    r->request = PTRACE_CONT;
    r->vfork_of = t->in_vfork_child && !t->runs_on ? t->id : 0;
    r->traced = 1;
    t->trace = r;
}

/**
 * With a tracer the kernel tells it of every signal, ignored or not: so all come to the host's handler
 * (signal_host_install()).
 */
static void catch_all_signals(void)
{
    for (int sig = 1; sig <= 64; sig++) {
        KernelSigaction act;
        if (sig != SIGKILL && sig != SIGSTOP && signal_sigaction(sig, NULL, &act) == 0)
            signal_host_install(sig, &act);
    }
}

void tracee_begin(Thread *t)
{
    if (!trace_area.on)
        trace_area.seized = trace_area.options = trace_area.code_changes = 0;
    trace_area.on = 1;
    if (!t->trace)
        take_record(t);
    catch_all_signals();
}

void tracee_abandon(Thread *t)
{
    if (has_tracer()) /* the one that it has had before */
        return;
    trace_area.on = 0;
    tracee_end(t);
    catch_all_signals();
}

void tracee_start(Thread *t)
{
    t->trace = NULL;
    t->trace_asked = 0;
    if (!trace_area.on || !has_tracer())
        return;
    take_record(t);
    t->trace_asked = trace_area.seized ? TRACEE_EVENT_STOP << 8 | SIGTRAP : SIGSTOP;
    t->state->pending = 1;
}

void tracee_fork_child(Thread *t)
{
    for (TraceRecord *r = trace_area.first; r; r = r->next)
        r->tid = 0;
    if (trace_area.on && !has_tracer())
        trace_area.on = 0;
    tracee_start(t);
}

void tracee_vfork_done(const Thread *t)
{
    for (TraceRecord *r = trace_area.first; r; r = r->next)
        if (r->vfork_of == t->id)
            __atomic_store_n(&r->tid, 0, __ATOMIC_SEQ_CST);
}

void tracee_end(Thread *t)
{
    if (t->trace) /* the tracer may still look at it, but at no other's */
        __atomic_store_n(&t->trace->tid, 0, __ATOMIC_SEQ_CST);
    t->trace = NULL;
}

/* ---- registers --------------------------------------------------------------------------------- */

static const struct { uint8_t gpr; uint16_t at; } places[] = {
#define PLACE(n, field) { n, offsetof(struct user_regs_struct, field) }
    PLACE(RAX, rax), PLACE(RCX, rcx), PLACE(RDX, rdx), PLACE(RBX, rbx), PLACE(RSP, rsp),
    PLACE(RBP, rbp), PLACE(RSI, rsi), PLACE(RDI, rdi), PLACE(8, r8),    PLACE(9, r9),
    PLACE(10, r10),  PLACE(11, r11),  PLACE(12, r12),  PLACE(13, r13),  PLACE(14, r14),
    PLACE(15, r15),
#undef PLACE
};

static void show_registers(Thread *t, TraceRecord *r, uint64_t call)
{
    const GuestAmd64 *g = &t->state->guest;
    char *regs = (char *)&r->regs;
    memset(&r->regs, 0, sizeof r->regs);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        memcpy(regs + places[i].at, &g->gpr[places[i].gpr], 8);
    r->regs.rip = g->pc;
    r->regs.orig_rax = call;
    r->regs.eflags = vex_rflags_get(g) | RFLAGS_ALWAYS;
    r->regs.cs = CODE_SELECTOR;
    r->regs.ss = DATA_SELECTOR;
    r->regs.fs_base = g->fs_base;
    r->regs.gs_base = g->gs_base;
    memset(r->xsave, 0, sizeof r->xsave);
    vex_xsave(t->state, r->xsave);
    uint64_t features = vex_xsave_features();
    memcpy(r->xsave + XSTATE_FEATURES, &features, sizeof features);
    r->blocked = t->blocked;
}

static void take_registers(Thread *t, const TraceRecord *r)
{
    GuestAmd64 *g = &t->state->guest;
    const char *regs = (const char *)&r->regs;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint64_t v;
        memcpy(&v, regs + places[i].at, 8);
        if (v == g->gpr[places[i].gpr])
            continue;
        g->gpr[places[i].gpr] = v;
        EVENT(reg_write, t, places[i].gpr);
    }
    g->pc = r->regs.rip;
    g->fs_base = r->regs.fs_base;
    g->gs_base = r->regs.gs_base;
    vex_rflags_set(g, r->regs.eflags);
    vex_xrstor(t->state, r->xsave);
    if (t->blocked != r->blocked) {
        t->blocked = r->blocked & ~(SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP));
        signal_apply_host_mask(t);
    }
}

/* ---- stopping ---------------------------------------------------------------------------------- */

/** Stop with the record as it has been filled; until the tracer lets the thread go on. */
static void stand_still(Thread *t, uint32_t status)
{
    TraceRecord *r = t->trace;
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGTRAP;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_value.sival_ptr = (void *)TRACEE_STOP;
    r->status = status;
    r->changed = r->signal = 0;
    r->request = PTRACE_CONT;
    r->stopped = 1;
    thread_enter_blocking(t);
    raw_syscall4(SYS_rt_tgsigqueueinfo, (uint64_t)getpid(), (uint64_t)r->tid, SIGTRAP, (uintptr_t)&info);
    thread_leave_blocking(t);
    r->stopped = r->in_call = 0;
    t->state->exit_reason = VEX_EXIT_PENDING; /* the pc may be another */
    if (trace_area.code_changes && code_hook)
        code_hook();
    t->trace_steps = r->request == PTRACE_SINGLESTEP || r->request == TRACEE_SYSEMU_STEP ||
                     r->request == PTRACE_SINGLEBLOCK;
}

/** Send the signal that the tracer gave; the tracer has seen it, or will (@p again). */
static void send_signal(Thread *t, bool again)
{
    TraceRecord *r = t->trace;
    if (!r->signal)
        return;
    t->trace_passes = again ? 0 : r->signal;
    raw_syscall3(SYS_tgkill, (uint64_t)getpid(), (uint64_t)r->tid, r->signal);
}

/**
 * Stop for what is no system call; the registers are those that are seen then, and may be changed.  What
 * the kernel does then goes by them too: a call is made again if they say that one was broken off.
 */
static void stop_with(Thread *t, uint32_t status, uint64_t message, const siginfo_t *info)
{
    TraceRecord *r = t->trace;
    uint64_t *rax = &t->state->guest.gpr[RAX];
    bool again = t->sys_result == SIGNAL_RESTART;
    show_registers(t, r, again ? t->sys_no : UINT64_MAX);
    r->message = message;
    r->info = *info;
    stand_still(t, status);
    if (!r->changed)
        return;
    take_registers(t, r);
    again = (int64_t)r->regs.orig_rax >= 0 && (int64_t)*rax == SIGNAL_RESTART;
    t->sys_result = again ? SIGNAL_RESTART : 0;
    if (again) {
        t->sys_no = r->regs.orig_rax;
        t->state->pending = 1;
    }
}

static siginfo_t trap_info(int code)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGTRAP;
    info.si_code = code;
    info.si_pid = getpid();
    info.si_uid = getuid();
    return info;
}

bool tracee_takes_signal(Thread *t, const siginfo_t *info)
{
    uint64_t value = (uintptr_t)info->si_value.sival_ptr;
    if (info->si_signo != SIGTRAP || info->si_code != SI_QUEUE)
        return false;
    if (value == TRACEE_STOP) { /* nobody has kept it from us: there is no tracer any more */
        if (t->trace)
            t->trace->traced = 0;
        return true;
    }
    if ((value & TRACEE_ASK_MASK) != TRACEE_ASK)
        return false;
    t->trace_asked = (uint32_t)value;
    t->state->pending = 1;
    return true;
}

/* ---- what a tracer waits for ------------------------------------------------------------------- */

enum { ENTRY = 1, EXIT = 2 }; /* PTRACE_EVENTMSG_SYSCALL_ */

static bool wants_calls(const TraceRecord *r)
{
    return r->request == PTRACE_SYSCALL || r->request == TRACEE_SYSEMU ||
           r->request == TRACEE_SYSEMU_STEP;
}

static void stop_at_call(Thread *t, unsigned message)
{
    TraceRecord *r = t->trace;
    uint32_t sig = SIGTRAP | (trace_area.options & O_SYSGOOD ? TRACEE_SYSCALL_STOP : 0);
    r->in_call = message;
    r->message = message;
    r->info = trap_info((int)sig);
    stand_still(t, sig);
    if (r->changed)
        take_registers(t, r);
    send_signal(t, true);
}

bool tracee_call_begins(Thread *t)
{
    TraceRecord *r = t->trace;
    uint64_t *rax = &t->state->guest.gpr[RAX], no = *rax;
    bool emulated = r->request == TRACEE_SYSEMU || r->request == TRACEE_SYSEMU_STEP;
    t->sys_result = 0;
    *rax = (uint64_t)-ENOSYS;
    show_registers(t, r, no);
    if (wants_calls(r))
        stop_at_call(t, ENTRY);
    if (emulated || (int32_t)r->regs.orig_rax < 0)
        return false;
    *rax = r->regs.orig_rax;
    return true;
}

void tracee_call_ends(Thread *t)
{
    TraceRecord *r = t->trace;
    if (r->request == PTRACE_SINGLESTEP && !t->trace_steps) /* since an event in the call */
        tracee_stepped(t);
    if (r->request != PTRACE_SYSCALL)
        return;
    show_registers(t, r, r->regs.orig_rax);
    stop_at_call(t, EXIT);
}

bool tracee_filtered(Thread *t, uint32_t no, uint32_t data, bool *goes)
{
    TraceRecord *r = t->trace;
    if (!(trace_area.options & O_SECCOMP))
        return false;
    t->state->guest.gpr[RAX] = (uint64_t)-ENOSYS;
    show_registers(t, r, no);
    r->message = data;
    r->info = trap_info(SIGTRAP | EVENT_SECCOMP << 8);
    stand_still(t, SIGTRAP | EVENT_SECCOMP << 8);
    if (r->changed)
        take_registers(t, r);
    *goes = (int32_t)r->regs.orig_rax >= 0;
    if (*goes)
        t->state->guest.gpr[RAX] = (uint32_t)r->regs.orig_rax;
    return true;
}

void tracee_exits(Thread *t, int status)
{
    if (!(trace_area.options & O_EXIT))
        return;
    siginfo_t info = trap_info(SIGTRAP | EVENT_EXIT << 8);
    stop_with(t, SIGTRAP | EVENT_EXIT << 8, (uint64_t)(uint32_t)status, &info);
}

bool tracee_signal(Thread *t, siginfo_t *info)
{
    TraceRecord *r = t->trace;
    uint32_t passes = t->trace_passes;
    t->trace_passes = 0;
    if (passes == (uint32_t)info->si_signo)
        return true;
    stop_with(t, (uint32_t)info->si_signo, 0, info);
    if (r->signal == 0)
        return false;
    if (r->signal != (uint32_t)info->si_signo) {
        memset(info, 0, sizeof *info);
        info->si_signo = (int)r->signal;
        info->si_pid = getppid();
        info->si_uid = getuid();
    } else {
        *info = r->info;
    }
    return true;
}

void tracee_default_stop(Thread *t, int sig)
{
    KernelSigaction host = { 0 }, act;
    KernelSigset all = ~0ULL, only = ~SIG_BIT(sig), before;
    uint64_t pid = (uint64_t)getpid(), tid = (uint64_t)t->trace->tid;
    thread_enter_blocking(t);
    raw_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&all, (uintptr_t)&before, sizeof all);
    t->trace->lets_stop = sig == SIGSTOP;
    if (sig != SIGSTOP)
        raw_syscall4(SYS_rt_sigaction, (uint64_t)sig, (uintptr_t)&host, 0, sizeof all);
    raw_syscall3(SYS_tgkill, pid, tid, (uint64_t)sig);
    signal_host_setmask(only & all); /* here it stops */
    t->trace->lets_stop = 0;
    if (sig != SIGSTOP && signal_sigaction(sig, NULL, &act) == 0)
        signal_host_install(sig, &act);
    signal_host_setmask(before);
    thread_leave_blocking(t);
}

void tracee_stepped(Thread *t)
{
    siginfo_t info = trap_info(TRAP_TRACE);
    info.si_addr = (void *)t->state->guest.pc;
    t->trace_steps = false;
    stop_with(t, SIGTRAP, 0, &info);
    send_signal(t, false);
}

void tracee_answer(Thread *t, bool in_call)
{
    uint32_t status = __atomic_exchange_n(&t->trace_asked, 0, __ATOMIC_SEQ_CST);
    if (!status)
        return;
    if (!t->trace) { /* the tracer came later */
        take_record(t);
        catch_all_signals();
    }
    if (!tracee_is(t))
        return;
    TraceRecord *r = t->trace;
    siginfo_t info = trap_info((int)status);
    if (status == SIGSTOP) {
        info.si_signo = SIGSTOP;
        info.si_code = SI_USER;
    }
    if (in_call) { /* as it is seen when a signal breaks a call off, which begins again afterwards */
        t->state->guest.gpr[RAX] = (uint64_t)SIGNAL_RESTART;
        t->sys_result = SIGNAL_RESTART;
        tracee_call_ends(t);
    }
    stop_with(t, status, 0, &info);
    t->trace_breaks_call = in_call && r->changed;
    if (in_call && !r->changed && wants_calls(r)) {
        t->state->guest.gpr[RAX] = (uint64_t)-ENOSYS;
        show_registers(t, r, t->sys_no);
        stop_at_call(t, ENTRY);
    }
    if (r->signal == SIGSTOP)
        tracee_default_stop(t, SIGSTOP);
    else
        send_signal(t, false);
}

/* ---- execve ------------------------------------------------------------------------------------ */

bool tracee_describe(const Thread *t, char *how, size_t size)
{
    if (!tracee_is(t))
        return false;
    snprintf(how, size, "%u:%u:%u", trace_area.seized, trace_area.options, t->trace->request);
    return true;
}

void tracee_exec(Thread *t, const char *how)
{
    unsigned request = PTRACE_CONT;
    if (!has_tracer())
        return;
    host_thread_prepare(); /* which the tracer would see later */
    tracee_begin(t);
    sscanf(how, "%u:%u:%u", &trace_area.seized, &trace_area.options, &request);
    if (!t->trace)
        return;
    TraceRecord *r = t->trace;
    siginfo_t info = trap_info(SIGTRAP);
    bool event = trace_area.options & O_EXEC;
    show_registers(t, r, SYS_execve);
    r->message = (uint64_t)getpid();
    r->info = info;
    if (event || !trace_area.seized) {
        if (event)
            r->info.si_code = SIGTRAP | EVENT_EXEC << 8;
        else
            r->info.si_code = SI_USER;
        stand_still(t, event ? SIGTRAP | EVENT_EXEC << 8 : SIGTRAP);
        if (r->changed)
            take_registers(t, r);
    } else {
        r->request = request;
    }
    send_signal(t, false);
    tracee_call_ends(t);
}
