/* SPDX-License-Identifier: MIT */
/* Processes, threads and what belongs to them: clone & co, exit, prctl, registers of the thread. */
#include <asm/prctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coregrind/aspace/aspace.h"
#include "coregrind/core/fatal.h"
#include "coregrind/core/options.h"
#include "coregrind/os/kernel_abi.h"
#include "coregrind/os/raw_syscall.h"
#include "coregrind/report/report.h"
#include "coregrind/thread/robust_list.h"
#include "seccomp.h"
#include "coregrind/signal/tracee.h"
#include "special.h"
#include "tracer.h"

/* ---- answers --------------------------------------------------------------------------------- */

void sys_enosys(SysCall *c) { c->result = -ENOSYS; }
void sys_einval(SysCall *c) { c->result = -EINVAL; }

/* ---- new processes and threads --------------------------------------------------------------- */

/* Words that clone writes for the parent; the child's are written in the child. */
static bool clone_words_ok(SysCall *c, const CloneArgs *a)
{
    bool ok = true;
    if (a->flags & CLONE_PARENT_SETTID)
        ok = sys_will_write(c, "parent_tidptr", a->parent_tid, 4);
    if (ok && a->flags & CLONE_PIDFD)
        ok = sys_will_write(c, "pidfd", a->pidfd, 4);
    if (ok && a->flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
        ok = sys_will_write(c, "child_tidptr", a->child_tid, 4);
    if (!ok)
        c->result = -EFAULT;
    return ok;
}

static void clone_common(SysCall *c, const CloneArgs *a)
{
    if (!clone_words_ok(c, a))
        return;
    if (a->flags & CLONE_SETTLS && a->tls >= (1ULL << 47)) {
        c->result = -EPERM;
        return;
    }
    c->result = thread_clone(c->t, a);
    if (c->result < 0)
        return;
    if (a->flags & CLONE_PARENT_SETTID)
        sys_wrote(c, a->parent_tid, 4);
    if (a->flags & CLONE_PIDFD)
        sys_wrote(c, a->pidfd, 4);
    if (a->flags & CLONE_CHILD_SETTID)
        sys_wrote(c, a->child_tid, 4);
}

void sys_clone(SysCall *c)
{
    uint64_t flags = c->arg[0];
    CloneArgs a = { .flags = flags & ~(uint64_t)CSIGNAL, .exit_signal = flags & CSIGNAL,
                    .stack = c->arg[1], .parent_tid = c->arg[2], .child_tid = c->arg[3],
                    .tls = c->arg[4], .pidfd = c->arg[2] };
    sys_reg(c, 1, "child_stack", 8);
    if (flags & (CLONE_PARENT_SETTID | CLONE_PIDFD))
        sys_reg(c, 2, "parent_tidptr", 8);
    if (flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
        sys_reg(c, 3, "child_tidptr", 8);
    if (flags & CLONE_SETTLS)
        sys_reg(c, 4, "tlsaddr", 8);
    clone_common(c, &a);
}

void sys_clone3(SysCall *c)
{
    enum { FIRST_SIZE = 64, MOST_TIDS = 32, CLONE_NEWTIME_ = 0x80 };
    KernelCloneArgs k = { 0 };
    uint64_t size = c->arg[1];
    sys_reg(c, 0, "cl_args", 8);
    if (size < FIRST_SIZE) {
        c->result = -EINVAL;
        return;
    }
    if (size > sizeof k && size <= 4096) { /* what we do not know must be zero */
        char more[4096];
        if (!sys_fetch(c, more, c->arg[0] + sizeof k, size - sizeof k))
            return;
        for (uint64_t i = 0; i < size - sizeof k; i++)
            if (more[i]) {
                c->result = -E2BIG;
                return;
            }
        size = sizeof k;
    } else if (size > sizeof k) {
        c->result = -E2BIG;
        return;
    }
    if (!sys_take(c, "cl_args", &k, c->arg[0], size)) {
        c->result = -EFAULT;
        return;
    }
    if (k.flags & (CSIGNAL & ~CLONE_NEWTIME_) || k.flags & CLONE_DETACHED || k.flags >> 34 ||
        k.exit_signal > 64 || (k.stack == 0) != (k.stack_size == 0) ||
        k.set_tid_size > MOST_TIDS || (k.set_tid == 0) != (k.set_tid_size == 0) ||
        (k.flags & (CLONE_THREAD | CLONE_PARENT) && k.exit_signal)) {
        c->result = -EINVAL;
        return;
    }
    if (k.set_tid_size && !sys_reads(c, "cl_args->set_tid", k.set_tid, k.set_tid_size * 4)) {
        c->result = -EFAULT;
        return;
    }
    CloneArgs a = { .flags = k.flags, .exit_signal = k.exit_signal, .pidfd = k.pidfd,
                    .child_tid = k.child_tid, .parent_tid = k.parent_tid, .stack = k.stack,
                    .stack_size = k.stack_size, .tls = k.tls, .set_tid = k.set_tid,
                    .set_tid_size = k.set_tid_size, .cgroup = k.cgroup };
    clone_common(c, &a);
}

void sys_fork(SysCall *c)
{
    c->result = thread_clone(c->t, &(CloneArgs){ .exit_signal = SIGCHLD });
}

void sys_vfork(SysCall *c)
{
    c->result = thread_clone(c->t, &(CloneArgs){ .flags = CLONE_VM | CLONE_VFORK,
                                                 .exit_signal = SIGCHLD });
}

void sys_exit(SysCall *c)
{
    if (tracee_is(c->t))
        tracee_exits(c->t, ((int)c->arg[0] & 0xff) << 8);
    thread_exit(c->t, (int)c->arg[0]);
    c->result = 0;
}

void sys_exit_group(SysCall *c)
{
    fatal_crash(core_options->debug_crash);
    if (tracee_is(c->t))
        tracee_exits(c->t, ((int)c->arg[0] & 0xff) << 8);
    thread_exit_group(c->t, (int)c->arg[0]);
    c->result = 0;
}

void sys_unshare(SysCall *c)
{
    /* CLONE_FILES & co on a host thread would part it from the core's descriptors and directory. */
    if (c->arg[0] & (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD) && gimle_thread_count() > 1)
        c->result = -EINVAL;
    else
        sys_do(c);
}

/* ---- ids and lists that the kernel keeps for a thread ---------------------------------------- */

void sys_gettid(SysCall *c) { c->result = raw_syscall1(SYS_gettid, 0); }

void sys_set_tid_address(SysCall *c)
{
    c->t->clear_child_tid = c->arg[0];
    c->result = raw_syscall1(SYS_gettid, 0);
}

void sys_set_robust_list(SysCall *c)
{
    if (c->arg[1] != KSIZE_ROBUST_LIST) {
        c->result = -EINVAL;
        return;
    }
    sys_reads(c, "head", c->arg[0], KSIZE_ROBUST_LIST);
    robust_list_set(c->t, c->arg[0], c->arg[1]);
    c->result = 0;
}

void sys_get_robust_list(SysCall *c)
{
    Thread *t = (pid_t)c->arg[0] == 0 ? c->t : thread_by_tid((pid_t)c->arg[0]);
    if (!t) {
        sys_do(c);
        return;
    }
    uint64_t len = KSIZE_ROBUST_LIST;
    bool ok = gimle_write_guest(c->arg[1], &t->robust_list, 8) == 8 &&
              gimle_write_guest(c->arg[2], &len, 8) == 8;
    c->result = ok ? 0 : -EFAULT;
}

void sys_arch_prctl(SysCall *c)
{
    GuestAmd64 *g = &c->t->state->guest;
    const uint64_t highest = 1ULL << 47;
    uint64_t v = c->arg[1];
    c->no_post = true;
    sys_reg(c, 1, "arg2", 8);
    switch ((int)c->arg[0]) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        c->result = v < highest ? 0 : -EPERM;
        if (v < highest)
            *((int)c->arg[0] == ARCH_SET_FS ? &g->fs_base : &g->gs_base) = v;
        break;
    case ARCH_GET_FS:
    case ARCH_GET_GS:
        v = (int)c->arg[0] == ARCH_GET_FS ? g->fs_base : g->gs_base;
        c->result = 0;
        sys_store(c, "addr", c->arg[1], &v, sizeof v);
        break;
    default: /* CPUID faulting, shadow stacks, AMX permission: not for the client */
        c->result = -EINVAL;
    }
}

/* ---- prctl ----------------------------------------------------------------------------------- */

typedef enum PrctlKind {
    PC_PASS,    /* integers only */
    PC_OUT,     /* arg2 points to what is written */
    PC_STRING_IN, PC_REFUSE
} PrctlKind;

enum { ALL = 5 }; /* every register is read, under the name that it has by its place */

static const struct {
    int option;
    PrctlKind kind;
    unsigned args;   /* read after the option, or ALL */
    unsigned bytes;  /* OUT */
    const char *arg; /* what the second argument is called */
    const char *what;
} prctl_rows[] = {
    { PR_SET_NAME, PC_STRING_IN, 1, 16, "name", "prctl(set-name)" },
    { PR_GET_NAME, PC_OUT, 1, 16, "name", "prctl(get-name)" },
    { PR_GET_PDEATHSIG, PC_OUT, 1, 4, "signal", "prctl(get-death-signal)" },
    { PR_GET_TSC, PC_OUT, ALL, 4, 0, "prctl(get-tsc)" },
    { PR_GET_UNALIGN, PC_OUT, 1, 4, "value", "prctl(get-unalign)" },
    { PR_GET_FPEMU, PC_OUT, 1, 4, "value", "prctl(get-fpemu)" },
    { PR_GET_FPEXC, PC_OUT, 1, 4, "value", "prctl(get-fpexc)" },
    { PR_GET_ENDIAN, PC_OUT, 1, 4, "value", "prctl(get-endian)" },
    { PR_GET_CHILD_SUBREAPER, PC_OUT, ALL, 4, 0, "prctl(get-child-subreaper)" },
    { PR_GET_TID_ADDRESS, PC_OUT, ALL, 8, 0, "prctl(get-tid-address)" },
    { PR_SET_PDEATHSIG, PC_PASS, 1, 0, "signal", 0 },
    { PR_GET_DUMPABLE, PC_PASS, 0, 0, 0, 0 },
    { PR_SET_DUMPABLE, PC_PASS, 1, 0, "dump", 0 },
    { PR_SET_UNALIGN, PC_PASS, 1, 0, "value", 0 },
    { PR_GET_KEEPCAPS, PC_PASS, 0, 0, 0, 0 },
    { PR_SET_KEEPCAPS, PC_PASS, 1, 0, "keepcaps", 0 },
    { PR_SET_FPEMU, PC_PASS, 1, 0, "value", 0 },
    { PR_SET_FPEXC, PC_PASS, 1, 0, "value", 0 },
    { PR_GET_TIMING, PC_PASS, 0, 0, 0, 0 },
    { PR_SET_TIMING, PC_PASS, 1, 0, "timing", 0 },
    { PR_SET_ENDIAN, PC_PASS, 1, 0, "value", 0 },
    { PR_CAPBSET_READ, PC_PASS, 1, 0, "capability", 0 },
    { PR_CAPBSET_DROP, PC_PASS, 1, 0, "capability", 0 },
    { PR_SET_TSC, PC_REFUSE, ALL, 0, 0, 0 },
    { PR_SET_MM, PC_REFUSE, ALL, 0, 0, 0 },
    { PR_SET_MDWE, PC_REFUSE, ALL, 0, 0, 0 },
};
static const char *const prctl_args[] = { "option", "arg2", "arg3", "arg4", "arg5" };

/* Restartable sequences are not offered (rseq), so neither are the barriers for them. */
void sys_membarrier(SysCall *c)
{
    enum { QUERY = 0, RSEQ = 1 << 7, REGISTER_RSEQ = 1 << 8 };
    int command = (int)c->arg[0];
    c->result = -EINVAL;
    if (command != RSEQ && command != REGISTER_RSEQ)
        sys_do(c);
    if (command == QUERY && c->result > 0)
        c->result &= ~(RSEQ | REGISTER_RSEQ);
}

/* PR_SET_VMA: a name for a mapping of the client's. */
static void prctl_set_vma(SysCall *c)
{
    if (!aspace_is_client_range(c->arg[2], c->arg[3]))
        c->result = -EINVAL;
    else if (c->arg[4] && !sys_reads_string(c, "prctl(set-vma-name)", c->arg[4]))
        c->result = -EFAULT;
    else
        sys_do(c);
}

static void prctl_set_name(SysCall *c)
{
    char name[16] = "";
    if (sys_do(c) == 0 && raw_syscall2(SYS_prctl, PR_GET_NAME, (uintptr_t)name) == 0)
        report_set_thread_name(c->t->id, name);
}

void sys_prctl(SysCall *c)
{
    int option = (int)c->arg[0];
    unsigned args = 4;
    seccomp_settle_privs(c->t);
    if (option == PR_SET_SECCOMP || option == PR_GET_SECCOMP) {
        (option == PR_SET_SECCOMP ? seccomp_prctl_set : seccomp_prctl_get)(c);
        return;
    }
    for (size_t i = 0; i < sizeof prctl_rows / sizeof prctl_rows[0]; i++) {
        if (prctl_rows[i].option != option)
            continue;
        if (prctl_rows[i].args == ALL)
            for (unsigned k = 1; k < ALL; k++)
                sys_reg(c, k, prctl_args[k], 8);
        else if (prctl_rows[i].args)
            sys_reg(c, 1, prctl_rows[i].arg, 8);
        switch (prctl_rows[i].kind) {
        case PC_PASS:
            sys_do(c);
            return;
        case PC_OUT:
            if (option == PR_GET_TID_ADDRESS) {
                c->result = 0;
                sys_store(c, prctl_rows[i].what, c->arg[1], &c->t->clear_child_tid, 8);
            } else if (!sys_will_write(c, prctl_rows[i].what, c->arg[1], prctl_rows[i].bytes)) {
                c->result = -EFAULT;
            } else if (sys_do(c) >= 0) {
                sys_wrote(c, c->arg[1], prctl_rows[i].bytes);
            }
            return;
        case PC_STRING_IN:
            if (!sys_reads_string(c, prctl_rows[i].what, c->arg[1]))
                c->result = -EFAULT;
            else
                prctl_set_name(c);
            return;
        case PC_REFUSE:
            c->result = option == PR_SET_MM ? -EPERM : -EINVAL;
            return;
        }
    }
    for (unsigned k = 1; k <= args; k++)
        sys_reg(c, k, prctl_args[k], 8);
    if (option == PR_SET_SYSCALL_USER_DISPATCH) {
        sys_prctl_user_dispatch(c);
    } else if (option == PR_SET_VMA) {
        prctl_set_vma(c);
    } else { /* what it points to, if anything, is not known: only integers are let through */
        for (unsigned k = 1; k <= args; k++)
            if (c->arg[k] >= GIMLE_CLIENT_END && (int64_t)c->arg[k] > 0) {
                c->result = -EINVAL;
                return;
            }
        sys_do(c);
    }
}

/* ---- the rest -------------------------------------------------------------------------------- */

void sys_personality(SysCall *c)
{
    enum { QUERY = 0xffffffff, READ_IMPLIES_EXEC_ = 0x0400000 };
    /* Execute permission is a matter of the client's table: the host must not give it. */
    if ((uint32_t)c->arg[0] != QUERY)
        c->arg[0] &= ~(uint64_t)READ_IMPLIES_EXEC_;
    sys_do(c);
}

/* Of the header's version depends how much data there is. */
static void cap_common(SysCall *c, bool get)
{
    enum { VERSION_1 = 0x19980330 };
    uint32_t version = 0;
    GuestAddr header = c->arg[0], data = c->arg[1];
    bool ok = sys_reads(c, "header", header, KSIZE_CAP_HEADER) &&
              sys_prepare_write(header, KSIZE_CAP_HEADER);
    gimle_read_guest(&version, header, sizeof version);
    size_t len = version == VERSION_1 ? KSIZE_CAP_DATA : 2 * KSIZE_CAP_DATA;
    if (data)
        ok &= get ? sys_will_write(c, "data", data, len) : sys_reads(c, "data", data, len);
    if (!ok)
        c->result = -EFAULT;
    else if (sys_do(c) >= 0 && get && data)
        sys_wrote(c, data, len);
}

void sys_capget(SysCall *c) { cap_common(c, true); }
void sys_capset(SysCall *c) { cap_common(c, false); }

/*
 * ptrace of a child.  Addresses in the child are its own; what the kernel writes here goes to data
 * (PEEK: the word; GETREGSET: an iovec that tells where).
 */
void sys_ptrace(SysCall *c)
{
    static const struct {
        uint16_t request, size;
        bool in;
        const char *what;
    } rows[] = {
        {PTRACE_PEEKTEXT, 8, false, "ptrace(peek)"},
        {PTRACE_PEEKDATA, 8, false, "ptrace(peek)"},
        {PTRACE_PEEKUSER, 8, false, "ptrace(peek)"},
        {PTRACE_GETREGS, 216, false, "ptrace(getregs)"},
        {PTRACE_SETREGS, 216, true, "ptrace(setregs)"},
        {PTRACE_GETFPREGS, 512, false, "ptrace(getfpregs)"},
        {PTRACE_SETFPREGS, 512, true, "ptrace(setfpregs)"},
    };
    static const struct {
        uint16_t request, size;
        bool in;
        const char *what;
    } high[] = {
        { 1, 8, false, "ptrace(geteventmsg)" },
        { 2, KSIZE_SIGINFO, false, "ptrace(getsiginfo)" },
        { 3, KSIZE_SIGINFO, true, "ptrace(setsiginfo)" },
    };
    uint64_t request = c->arg[0];
    size_t size = 0;
    bool in = false;
    const char *what = "ptrace(data)";
    sys_reg(c, 2, "addr", 8);
    sys_reg(c, 3, "data", 8);
    if (request == PTRACE_TRACEME && c->t->in_vfork_child == false)
        what = "ptrace(traceme)";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].request == request)
            size = rows[i].size, in = rows[i].in, what = rows[i].what;
    for (size_t i = 0; i < sizeof high / sizeof high[0]; i++)
        if (high[i].request + 0x4200u == request)
            size = high[i].size, in = high[i].in, what = high[i].what;
    enum { GETREGSET = 0x4204, SETREGSET = 0x4205, GET_SYSCALL_INFO = 0x420e };
    KernelIovec v = { 0 };
    if (request == GETREGSET || request == SETREGSET) {
        bool get = request == GETREGSET;
        sys_reads(c, get ? "ptrace(getregset iovec->iov_base)" : "ptrace(setregset iovec->iov_base)",
                  c->arg[3], 8);
        sys_reads(c, get ? "ptrace(getregset iovec->iov_len)" : "ptrace(setregset iovec->iov_len)",
                  c->arg[3] + 8, 8);
        if (!sys_fetch(c, &v, c->arg[3], sizeof v))
            return;
        in = request == SETREGSET;
        size = v.len;
    } else if (request == GET_SYSCALL_INFO) {
        size = c->arg[2];
    }
    GuestAddr data = v.base ? v.base : c->arg[3];
    if (size && !(in ? sys_reads(c, what, data, size) : sys_will_write(c, what, data, size))) {
        c->result = -EFAULT;
        return;
    }
    tracer_ptrace(c);
    if (c->result < 0)
        return;
    if (v.base && sys_fetch(c, &v, c->arg[3], sizeof v)) {
        sys_wrote(c, c->arg[3], sizeof v);
        c->result = 0;
        size = v.len;
    }
    if (size && !in)
        sys_wrote(c, data, size);
}

/* ---- wait: what a traced process under Gimle does for itself is not for its tracer ------------- */

void sys_wait4(SysCall *c)
{
    const GuestAddr to = c->arg[1];
    int status = 0;
    do {
        c->arg[1] = (uintptr_t)&status;
        sys_do(c);
    } while (c->result > 0 && !tracer_shows((pid_t)c->result, &status));
    c->arg[1] = to;
    if (c->result > 0 && to && gimle_write_guest(to, &status, sizeof status) != sizeof status)
        c->result = -EFAULT;
}

void sys_waitid(SysCall *c)
{
    enum { FIRST = 12, CHILD = offsetof(siginfo_t, si_pid), CHILD_BYTES = 12 }; /* all that the kernel writes */
    const GuestAddr to = c->arg[2];
    siginfo_t info;
    int status;
    bool shown = true;
    do {
        memset(&info, 0, sizeof info);
        c->arg[2] = (uintptr_t)&info;
        sys_do(c);
        if (c->result != 0 || (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED))
            break;
        status = info.si_status << 8 | 0x7f;
        shown = tracer_shows(info.si_pid, &status);
        info.si_status = status >> 8;
    } while (!shown);
    c->arg[2] = to;
    if (c->result == 0 && to && (gimle_write_guest(to, &info, FIRST) != FIRST ||
                                 gimle_write_guest(to + CHILD, &info.si_pid, CHILD_BYTES) != CHILD_BYTES))
        c->result = -EFAULT;
}
