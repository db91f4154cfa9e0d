/* SPDX-License-Identifier: MIT */
/*
 * The host's signal handlers.  They only record: an asynchronous signal is put into the thread's
 * queue, the thread's pending flag is raised, and everything else is blocked until it has been
 * delivered, so that the kernel keeps what comes later in its own queues.  A synchronous fault in
 * translated code is turned into the guest's by exec_handle_fault().  Async-signal-safe throughout.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "coregrind/core/fatal.h"
#include "coregrind/launcher/monitor_protocol.h"
#include "host_handler.h"
#include "signal_internal.h"
#include "timed_calls.h"
#include "tracee.h"

enum { HOST_ALTSTACK = 64 * 1024, SA_RESTORER_ = 0x04000000 };

/* restart_amd64.S: the one place where blocking system calls of the client are made. */
extern const char signal_stub_begin[], signal_stub_syscall[], signal_stub_end[];
extern const char signal_stub_aborted[];
extern void signal_restorer(void);
extern int64_t signal_stub(volatile uint32_t *pending, uint64_t no, const uint64_t args[6]);

static FaultHandler fault_handler;
static bool syscall_leaves_rcx; /* the next instruction's address, as SYSCALL does without FRED */
static _Thread_local char *altstack; /* of this thread, or of its child that shares its storage */

static void (*asked_hook)(Thread *t, uint32_t number);
static bool monitor_only; /* the client ignores MONITOR_SIGNAL */

void signal_set_fault_handler(FaultHandler h) { fault_handler = h; }
void signal_set_asked_hook(void (*h)(Thread *t, uint32_t number)) { asked_hook = h; }

/** Unblock nothing when this handler returns: the kernel restores uc_sigmask. */
static void host_block_all(ucontext_t *uc)
{
    KernelSigset all = ~SIG_SYNC_SET;
    memcpy(&uc->uc_sigmask, &all, sizeof all);
}

/**
 * If the signal hit the system call stub before the call was made, or the kernel would make it once
 * more, it is not to be made now.  Which of the two it was RCX tells: the SYSCALL instruction leaves
 * the next address there (not with FRED, where calls then always count as begun).
 */
static void host_abort_syscall(Thread *t, ucontext_t *uc)
{
    const char *pc = (const char *)uc->uc_mcontext.gregs[REG_RIP];
    if (pc < signal_stub_begin || pc > signal_stub_syscall)
        return;
    t->sys_begun = pc == signal_stub_syscall &&
                   (!syscall_leaves_rcx ||
                    uc->uc_mcontext.gregs[REG_RCX] == (greg_t)(uintptr_t)signal_stub_end);
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)signal_stub_aborted;
}

/**
 * Was SIGABRT raised by abort() in this very thread, that is by a library of the core?  A client's
 * tgkill is made for it, which t->sys_no tells.
 */
static bool host_aborts(const Thread *t, int sig, const ucontext_t *uc)
{
    static const uint8_t syscall_insn[] = { 0x0f, 0x05 };
    const greg_t *r = uc->uc_mcontext.gregs;
    if (t && t->in_syscall && (t->sys_no == SYS_tgkill || t->sys_no == SYS_tkill))
        return false;
    return sig == SIGABRT && r[REG_RDX] == SIGABRT && r[REG_RAX] == 0 &&
           r[REG_RDI] == getpid() && r[REG_RSI] == syscall(SYS_gettid) &&
           memcmp((const uint8_t *)r[REG_RIP] - sizeof syscall_insn, syscall_insn,
                  sizeof syscall_insn) == 0;
}

/** Somebody has a monitor command for us (monitor_protocol.h): the client sees nothing of this signal. */
static bool host_is_asked(Thread *t, int sig, const siginfo_t *info)
{
    uint64_t value = (uintptr_t)info->si_value.sival_ptr;
    if (sig != MONITOR_SIGNAL || info->si_code != SI_QUEUE || value >> 32 != MONITOR_MAGIC)
        return false;
    t->asked = (uint32_t)value;
    t->state->pending = 1;
    return true;
}

static void host_queue(Thread *t, const siginfo_t *info)
{
    if (t->queue_n < THREAD_MAX_QUEUED) {
        memcpy(&t->queue[t->queue_n], info, sizeof *info);
        t->queue_n = t->queue_n + 1;
        t->pending_set |= SIG_BIT(info->si_signo);
    }
    t->state->pending = 1;
}

/*
 * SIGSEGV and its like are never blocked on the host.  Sent by kill & co while the client blocks them
 * they are kept here, one of each as in the kernel, until it does no longer or asks for them.
 */
void signal_hold(Thread *t, const siginfo_t *info)
{
    if (t->held & SIG_BIT(info->si_signo))
        return;
    memcpy(&t->held_info[info->si_signo], info, sizeof *info);
    __atomic_fetch_or(&t->held, SIG_BIT(info->si_signo), __ATOMIC_SEQ_CST);
}

int signal_take_held(Thread *t, KernelSigset set, siginfo_t *info)
{
    KernelSigset wanted = t->held & set;
    if (!wanted)
        return 0;
    int sig = __builtin_ctzll(wanted) + 1;
    *info = t->held_info[sig];
    __atomic_fetch_and(&t->held, ~SIG_BIT(sig), __ATOMIC_SEQ_CST);
    return sig;
}

bool signal_release_held(Thread *t)
{
    siginfo_t info;
    bool any = false;
    if (!(t->held & ~t->blocked))
        return false;
    signal_host_setmask(~0ULL); /* nothing else comes into the queue meanwhile */
    while (signal_take_held(t, ~t->blocked, &info)) {
        host_queue(t, &info);
        any = true;
    }
    return any;
}

static void host_async(int sig, siginfo_t *info, void *context)
{
    Thread *t = thread_self();
    ucontext_t *uc = context;
    if (host_aborts(t, sig, uc))
        fatal_host_fault(info, context);
    if (!t)
        return; /* a host-only thread: it has everything blocked, this cannot be for it */
    if (host_is_asked(t, sig, info) || (sig == SIGTRAP && tracee_takes_signal(t, info))) {
        host_abort_syscall(t, uc);
        return;
    }
    if (sig == MONITOR_SIGNAL && monitor_only && !trace_area.on)
        return;
    if (SIG_SYNC_SET & t->blocked & SIG_BIT(sig)) {
        signal_hold(t, info);
        return;
    }
    host_queue(t, info);
    host_block_all(uc);
    host_abort_syscall(t, uc);
}

static void host_sync(int sig, siginfo_t *info, void *context)
{
    Thread *t = thread_self();
    int saved = errno;
    if (info->si_code <= 0) /* sent by kill & co, not by the processor */
        host_async(sig, info, context);
    else if (!t || !fault_handler(t, sig, info, context))
        fatal_host_fault(info, context);
    errno = saved;
}

/** Dispositions whose default action is to do nothing or to stop: the kernel may do that itself. */
static bool host_default_is_harmless(int sig)
{
    return sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH || sig == SIGCONT ||
           sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

void signal_host_install(int sig, const KernelSigaction *act)
{
    bool sync = SIG_SYNC_SET & SIG_BIT(sig);
    KernelSigaction host = { .flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_RESTORER_,
                             .restorer = (uintptr_t)signal_restorer, .mask = ~SIG_SYNC_SET };
    host.flags |= act->flags & (SA_NOCLDSTOP | SA_NOCLDWAIT);
    bool ignored = act->handler == (uintptr_t)SIG_IGN;
    if (ignored && sig == SIGCHLD)
        host.flags |= SA_NOCLDWAIT;
    if (sync)
        host.handler = (uintptr_t)host_sync;
    else if (trace_area.on) /* the tracer is told of all */
        host.handler = (uintptr_t)host_async;
    else if (ignored && sig != MONITOR_SIGNAL)
        host.handler = (uintptr_t)SIG_IGN;
    else if (act->handler == (uintptr_t)SIG_DFL && host_default_is_harmless(sig))
        host.handler = (uintptr_t)SIG_DFL;
    else
        host.handler = (uintptr_t)host_async;
    if (sig == MONITOR_SIGNAL) /* whoever is started by posix_spawn(), as by make, has it ignored */
        monitor_only = ignored;
    if (sync) /* a fault inside the handlers themselves is ours and must be seen */
        host.flags |= SA_NODEFER;
    syscall(SYS_rt_sigaction, sig, &host, NULL, sizeof(KernelSigset));
}

void signal_host_init(void)
{
    long result;
    register uint64_t rcx __asm__("rcx") = 0;
    __asm__ volatile("syscall" : "=a"(result), "+r"(rcx) : "a"(SYS_getpid) : "r11", "memory");
    syscall_leaves_rcx = rcx != 0;
}

void signal_host_take_back(void)
{
    enum { SIGCANCEL = 32, SIGSETXID = 33 };
    for (int sig = SIGCANCEL; sig <= SIGSETXID; sig++) {
        KernelSigaction act = signal_disposition(sig);
        signal_host_install(sig, &act);
    }
}

void signal_thread_init(Thread *t)
{
    char *p = mmap(NULL, HOST_ALTSTACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p != MAP_FAILED) {
        stack_t ss = { .ss_sp = p, .ss_size = HOST_ALTSTACK };
        sigaltstack(&ss, NULL);
        altstack = p;
    }
    signal_apply_host_mask(t);
}

char *signal_altstack_swap(char *new)
{
    char *old = altstack;
    altstack = new;
    return old;
}

void signal_altstack_free(char *p)
{
    if (p)
        munmap(p, HOST_ALTSTACK);
}

void signal_thread_fini(Thread *t)
{
    stack_t off = { .ss_flags = SS_DISABLE };
    (void)t;
    signal_host_setmask(~SIG_SYNC_SET);
    sigaltstack(&off, NULL);
    signal_altstack_free(signal_altstack_swap(NULL));
}

static int64_t host_block(Thread *t, uint64_t no, const uint64_t args[6])
{
    t->sys_begun = no == SYS_pause; /* whose only result is EINTR: better now than never */
    thread_enter_blocking(t);
    int64_t r = signal_stub(&t->state->pending, no, args);
    thread_leave_blocking(t);
    return r;
}

void signal_answer(Thread *t)
{
    uint32_t number = __atomic_exchange_n(&t->asked, 0, __ATOMIC_SEQ_CST);
    if (number && asked_hook)
        asked_hook(t, number);
}

int64_t signal_blocking_syscall(Thread *t, uint64_t no, const uint64_t args[6])
{
    uint64_t again[6];
    TimedCall timed = timed_call_begin(no, args);
    int64_t r = host_block(t, no, args);
    while ((t->asked || t->trace_asked) && t->queue_n == 0 && (r == -EINTR || r == SIGNAL_RESTART)) {
        signal_answer(t);
        tracee_answer(t, true);
        if (t->trace_breaks_call)
            return SIGNAL_RESTART;
        if (t->exit_state != THREAD_RUNS || t->code_written_len || t->queue_n > 0)
            return SIGNAL_RESTART; /* the run loop has to do something first */
        t->state->pending = 0;
        if (t->asked || t->trace_asked || t->queue_n > 0)
            t->state->pending = 1;
        memcpy(again, args, sizeof again);
        timed_call_again(&timed, again);
        r = host_block(t, no, again);
    }
    return r;
}
