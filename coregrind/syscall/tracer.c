/* SPDX-License-Identifier: MIT */
/*
 * The tracer's side of what signal/tracee.h tells.  Towards the kernel every process under Gimle is
 * resumed by PTRACE_CONT: its stops for system calls, signals, steps and the like it makes itself.
 * What the kernel reports besides (signals before the core has them, the core's own execs) is passed
 * on without a word.
 */
#include "tracer.h"

#include <linux/audit.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "VEX/vex.h"
#include "base/ranked_lock.h"
#include "base/vec.h"
#include "coregrind/os/raw_syscall.h"
#include "coregrind/signal/tracee.h"
#include "coregrind/thread/host_thread.h"
#include "other_process.h"

enum {
    GETEVENTMSG = 0x4201, GETSIGINFO, SETSIGINFO, GETREGSET, SETREGSET, SEIZE, INTERRUPT, LISTEN,
    PEEKSIGINFO, GETSIGMASK, SETSIGMASK, GET_SYSCALL_INFO = 0x420e, SET_OPTIONS = 0x4200,
    EVENT_EXEC = 4, O_SYSGOOD = 1, O_EXEC = 0x10, O_EXIT = 0x40, O_SECCOMP = 0x80,
    NOTE_PRSTATUS = 1, NOTE_FPREGS = 2, NOTE_XSTATE = 0x202, STOPPED = 0x7f
};

typedef enum TraceeState {
    TRACEE_NATIVE,
    TRACEE_STARTS, /**< its program was executed, or it was just made: its first stop is to come */
    TRACEE_READY
} TraceeState;

typedef struct Tracee {
    pid_t pid;
    TraceeState state;
    uint32_t options;  /**< as the client set them */
    bool seized;
    uint64_t area, record; /**< in its memory */
} Tracee;

static VEC(Tracee) tracees; /* LOCK_fds */

/* ---- what is known ------------------------------------------------------------------------------- */

static long kernel_ptrace(uint64_t request, pid_t pid, uint64_t addr, uint64_t data)
{
    return raw_syscall4(SYS_ptrace, request, (uint64_t)pid, addr, data);
}

static bool find_tracee(pid_t pid, Tracee *out)
{
    bool found = false;
    lock_take(LOCK_fds);
    for (size_t i = 0; !found && i < tracees.n; i++)
        if ((found = tracees.data[i].pid == pid))
            *out = tracees.data[i];
    lock_release(LOCK_fds);
    return found;
}

static void keep_tracee(const Tracee *e)
{
    size_t i = 0;
    lock_take(LOCK_fds);
    while (i < tracees.n && tracees.data[i].pid != e->pid)
        i++;
    if (i < tracees.n)
        tracees.data[i] = *e;
    else
        vec_push(&tracees, *e);
    lock_release(LOCK_fds);
}

static void forget_tracee(pid_t pid)
{
    lock_take(LOCK_fds);
    for (size_t i = 0; i < tracees.n; i++)
        if (tracees.data[i].pid == pid) {
            tracees.data[i] = tracees.data[--tracees.n];
            break;
        }
    lock_release(LOCK_fds);
}

/** Where the record of thread @p pid is; 0: it has none. */
static uint64_t find_record(pid_t pid, uint64_t at)
{
    enum { MOST = 100000 };
    struct {
        uint64_t next;
        int32_t tid;
        uint32_t traced;
    } head;
    for (int i = 0; at && i < MOST && other_process_read(pid, &head, at, sizeof head); i++) {
        if (head.tid == pid && head.traced)
            return at;
        at = head.next;
    }
    return 0;
}

/** The kernel's options: execs are always to be told, and what the process tells itself never. */
static void set_kernel_options(const Tracee *e)
{
    uint32_t options = e->options;
    if (e->state == TRACEE_STARTS)
        options &= ~(uint32_t)0xff; /* whatever it makes until then is the core's */
    if (e->state != TRACEE_NATIVE)
        options = (options & ~(uint32_t)(O_EXIT | O_SECCOMP)) | O_EXEC;
    kernel_ptrace(SET_OPTIONS, e->pid, 0, options);
}

/** Look at a stopped process that is not known, or that may have changed. */
static void learn(Tracee *e, pid_t pid)
{
    TraceArea area;
    OtherKind kind = other_process_kind(pid);
    e->pid = pid;
    e->state = kind == OTHER_NATIVE ? TRACEE_NATIVE : TRACEE_STARTS;
    e->area = e->record = 0;
    if (kind == OTHER_RUNS && (e->area = other_process_area(pid, &area))) {
        e->record = find_record(pid, (uintptr_t)area.first);
        e->state = e->record ? TRACEE_READY : TRACEE_STARTS;
        e->options = area.options;
        e->seized = area.seized;
    }
    if (kind != OTHER_NATIVE)
        set_kernel_options(e);
    keep_tracee(e);
}

/** Is @p pid one of the calling thread's that stands still? */
static bool is_stopped_tracee(pid_t pid)
{
    siginfo_t info;
    long r = kernel_ptrace(GETSIGINFO, pid, 0, (uintptr_t)&info);
    return r == 0 || r == -EINVAL; /* the latter in a group stop */
}

static void tell_area(const Tracee *e)
{
    const struct { uint32_t on, seized, options; } words = { 1, e->seized, e->options };
    _Static_assert(offsetof(TraceArea, options) == offsetof(TraceArea, on) + 8, "three words");
    other_process_write(e->pid, e->area + offsetof(TraceArea, on), &words, sizeof words);
}

static bool read_record(const Tracee *e, TraceRecord *r)
{
    return e->record && other_process_read(e->pid, r, e->record, sizeof *r);
}

static void write_word(const Tracee *e, size_t at, uint32_t value)
{
    if (e->record)
        other_process_write(e->pid, e->record + at, &value, sizeof value);
}

/* ---- waiting --------------------------------------------------------------------------------------- */

static bool go_on(pid_t pid, int sig)
{
    kernel_ptrace(PTRACE_CONT, pid, 0, (uint64_t)sig);
    return false;
}

/** Let it go on, to stop by itself with @p status (as in the record) where its state is complete. */
static bool ask_to_stop(const Tracee *e, uint32_t status)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGTRAP;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_value.sival_ptr = (void *)(TRACEE_ASK | status);
    pid_t process = e->pid;
    char path[64], line[128];
    int id;
    snprintf(path, sizeof path, "/proc/%d/status", (int)e->pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Tgid: %d", &id) == 1)
            process = id;
    if (f)
        fclose(f);
    raw_syscall4(SYS_rt_tgsigqueueinfo, (uint64_t)process, (uint64_t)e->pid, SIGTRAP, (uintptr_t)&info);
    return go_on(e->pid, 0);
}

/** It has stopped by itself. */
static bool show_own_stop(Tracee *e, int *status)
{
    TraceRecord r;
    TraceArea area;
    if (e->state != TRACEE_READY || !e->record) {
        e->area = other_process_area(e->pid, &area);
        e->record = e->area ? find_record(e->pid, (uintptr_t)area.first) : 0;
        if (!e->record)
            return go_on(e->pid, 0);
        e->state = TRACEE_READY;
        e->options = area.options;
        e->seized = area.seized;
        set_kernel_options(e);
        keep_tracee(e);
    }
    if (!read_record(e, &r) || !r.stopped)
        return go_on(e->pid, 0);
    *status = (int)(r.status << 8) | STOPPED;
    return true;
}

static bool show_exec(Tracee *e, int *status)
{
    if (other_process_kind(e->pid) != OTHER_NATIVE) {
        e->state = TRACEE_STARTS;
        set_kernel_options(e);
        keep_tracee(e);
        return go_on(e->pid, 0);
    }
    e->state = TRACEE_NATIVE;
    set_kernel_options(e);
    keep_tracee(e);
    if (!(e->options & O_EXEC)) {
        if (e->seized)
            return go_on(e->pid, 0);
        *status = SIGTRAP << 8 | STOPPED;
    }
    return true;
}

static bool show_signal(Tracee *e, int sig, int *status)
{
    siginfo_t info;
    TraceRecord r;
    long err = kernel_ptrace(GETSIGINFO, e->pid, 0, (uintptr_t)&info);
    uint64_t value = (uintptr_t)info.si_value.sival_ptr;
    if (err == -EINVAL) /* a group stop */
        return e->state == TRACEE_READY ? true : go_on(e->pid, 0);
    if (err != 0)
        return true;
    if (sig == SIGTRAP && info.si_code == SI_QUEUE && value == TRACEE_STOP)
        return show_own_stop(e, status);
    if (e->state == TRACEE_STARTS)
        return go_on(e->pid, sig == SIGTRAP || sig == SIGSTOP ? 0 : sig);
    if (sig == SIGSTOP && (!read_record(e, &r) || !r.lets_stop))
        return ask_to_stop(e, SIGSTOP);
    return go_on(e->pid, sig);
}

bool tracer_shows(pid_t pid, int *status)
{
    Tracee e = { 0 };
    if (!WIFSTOPPED(*status)) {
        if (!WIFCONTINUED(*status))
            forget_tracee(pid);
        return true;
    }
    if (!find_tracee(pid, &e)) {
        if (!is_stopped_tracee(pid))
            return true; /* a stopped child that nobody traces */
        learn(&e, pid);
    }
    if (e.state == TRACEE_NATIVE)
        return true;
    int event = *status >> 16, sig = WSTOPSIG(*status);
    if (event == 0)
        return show_signal(&e, sig, status);
    if (event == EVENT_EXEC)
        return show_exec(&e, status);
    if (e.state == TRACEE_STARTS)
        return go_on(pid, 0);
    if (event == TRACEE_EVENT_STOP && sig == SIGTRAP)
        return ask_to_stop(&e, TRACEE_EVENT_STOP << 8 | SIGTRAP);
    return true;
}

/* ---- requests -------------------------------------------------------------------------------------- */

void tracer_writes_memory(pid_t pid)
{
    TraceArea area;
    const uint32_t one = 1;
    uint64_t at = other_process_area(pid, &area);
    if (at && area.on && !area.code_changes)
        other_process_write(pid, at + offsetof(TraceArea, code_changes), &one, sizeof one);
}

/** A part of the record that a request copies. */
typedef struct Part {
    uint16_t request, note, at, size;
    bool in, registers;
} Part;

#define FIELD(f) offsetof(TraceRecord, f), sizeof((TraceRecord *)0)->f
static const Part parts[] = {
    { PTRACE_GETREGS, 0, FIELD(regs), false, false },
    { PTRACE_SETREGS, 0, FIELD(regs), true, true },
    { PTRACE_GETFPREGS, 0, offsetof(TraceRecord, xsave), 512, false, false },
    { PTRACE_SETFPREGS, 0, offsetof(TraceRecord, xsave), 512, true, true },
    { GETREGSET, NOTE_PRSTATUS, FIELD(regs), false, false },
    { SETREGSET, NOTE_PRSTATUS, FIELD(regs), true, true },
    { GETREGSET, NOTE_FPREGS, offsetof(TraceRecord, xsave), 512, false, false },
    { SETREGSET, NOTE_FPREGS, offsetof(TraceRecord, xsave), 512, true, true },
    { GETREGSET, NOTE_XSTATE, FIELD(xsave), false, false },
    { SETREGSET, NOTE_XSTATE, FIELD(xsave), true, true },
    { GETSIGINFO, 0, FIELD(info), false, false },
    { SETSIGINFO, 0, FIELD(info), true, false },
    { GETSIGMASK, 0, FIELD(blocked), false, false },
    { SETSIGMASK, 0, FIELD(blocked), true, true },
    { GETEVENTMSG, 0, FIELD(message), false, false },
};

static int64_t copy_part(const Tracee *e, const Part *p, GuestAddr data, size_t size)
{
    char bytes[TRACEE_XSAVE_BYTES];
    if (p->in) {
        if (gimle_read_guest(bytes, data, size) != size)
            return -EFAULT;
        if (!other_process_write(e->pid, e->record + p->at, bytes, size))
            return -EIO;
        if (p->registers)
            write_word(e, offsetof(TraceRecord, changed), 1);
    } else {
        if (!other_process_read(e->pid, bytes, e->record + p->at, size))
            return -EIO;
        if (gimle_write_guest(data, bytes, size) != size)
            return -EFAULT;
    }
    return 0;
}

/** Requests that read or write a part of the record; false if @p c is none. */
static bool copies_part(SysCall *c, const Tracee *e, const TraceRecord *r)
{
    uint64_t request = c->arg[0];
    GuestAddr data = c->arg[3];
    bool set = request == GETREGSET || request == SETREGSET;
    struct iovec v;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const Part *p = &parts[i];
        size_t size = p->size;
        if (p->request != request || (set && p->note != (uint32_t)c->arg[2]))
            continue;
        if ((request == GETSIGINFO || request == SETSIGINFO || request == GETEVENTMSG) && !r->stopped)
            return false; /* a stop of the kernel's, which it knows best */
        if (size > vex_xsave_size() && p->at == offsetof(TraceRecord, xsave))
            size = vex_xsave_size();
        if (set) {
            if (gimle_read_guest(&v, data, sizeof v) != sizeof v) {
                c->result = -EFAULT;
                return true;
            }
            if (v.iov_len < size)
                size = v.iov_len;
            v.iov_len = size;
        }
        c->result = copy_part(e, p, set ? (uintptr_t)v.iov_base : data, size);
        if (set && c->result == 0)
            gimle_write_guest(data, &v, sizeof v);
        return true;
    }
    if (set)
        c->result = -EINVAL;
    return set;
}

/** The kernel's struct ptrace_syscall_info. */
typedef struct SyscallInfo {
    uint8_t op, pad[3];
    uint32_t arch;
    uint64_t ip, sp;
    union {
        struct { uint64_t nr, args[6]; } entry;
        struct { int64_t rval; uint8_t is_error; } exit;
    };
} SyscallInfo;

static void get_syscall_info(SysCall *c, const TraceRecord *r)
{
    enum { ENTRY = 1, EXIT, HEAD = 24, EXIT_BYTES = 33, MOST_ERRNO = 4095 };
    const struct user_regs_struct *g = &r->regs;
    SyscallInfo s;
    memset(&s, 0, sizeof s);
    s.op = (uint8_t)r->in_call;
    s.arch = AUDIT_ARCH_X86_64;
    s.ip = g->rip;
    s.sp = g->rsp;
    size_t size = HEAD;
    if (s.op == ENTRY) {
        const uint64_t args[6] = { g->rdi, g->rsi, g->rdx, g->r10, g->r8, g->r9 };
        s.entry.nr = g->orig_rax;
        memcpy(s.entry.args, args, sizeof args);
        size += sizeof s.entry;
    } else if (s.op == EXIT) {
        s.exit.rval = (int64_t)g->rax;
        s.exit.is_error = s.exit.rval < 0 && s.exit.rval >= -MOST_ERRNO;
        size = EXIT_BYTES;
    }
    size_t n = c->arg[2] < size ? c->arg[2] : size;
    c->result = gimle_write_guest(c->arg[3], &s, n) == n ? (int64_t)size : -EFAULT;
}

/** PEEKUSER and POKEUSER: registers; of the debug registers only that they are off. */
static void access_user(SysCall *c, const Tracee *e, bool in)
{
    const size_t debug = offsetof(struct user, u_debugreg);
    uint64_t at = c->arg[2], word = c->arg[3];
    const Part p = { .at = (uint16_t)(offsetof(TraceRecord, regs) + at), .in = in, .registers = true };
    if (at % 8 || at >= sizeof(struct user)) {
        c->result = -EIO;
    } else if (at < sizeof(struct user_regs_struct)) {
        if (in) {
            other_process_write(e->pid, e->record + p.at, &word, sizeof word);
            write_word(e, offsetof(TraceRecord, changed), 1);
            c->result = 0;
        } else {
            c->result = copy_part(e, &p, c->arg[3], sizeof word);
        }
    } else if (in) {
        bool off = at >= debug && word == 0;
        c->result = off ? 0 : at >= debug && at < debug + 4 * 8 ? 0 : -EINVAL;
    } else {
        word = 0;
        c->result = gimle_write_guest(c->arg[3], &word, sizeof word) == sizeof word ? 0 : -EFAULT;
    }
}

static bool is_resume(uint64_t request)
{
    return request == PTRACE_CONT || request == PTRACE_SYSCALL || request == PTRACE_SINGLESTEP ||
           request == PTRACE_SINGLEBLOCK || request == TRACEE_SYSEMU || request == TRACEE_SYSEMU_STEP;
}

/** A request about a process under Gimle that stands still. */
static void serve(SysCall *c, Tracee *e, const TraceRecord *r)
{
    uint64_t request = c->arg[0], data = c->arg[3];
    if (copies_part(c, e, r))
        return;
    if (is_resume(request) || request == PTRACE_DETACH) {
        write_word(e, offsetof(TraceRecord, signal), (uint32_t)data);
        write_word(e, offsetof(TraceRecord, request), (uint32_t)request);
        if (request == PTRACE_DETACH) {
            write_word(e, offsetof(TraceRecord, traced), 0);
            forget_tracee(e->pid);
        }
        c->result = kernel_ptrace(request == PTRACE_DETACH ? request : PTRACE_CONT, e->pid, 0, 0);
    } else if (request == SET_OPTIONS) {
        e->options = (uint32_t)data;
        c->result = kernel_ptrace(SET_OPTIONS, e->pid, 0, data);
        set_kernel_options(e);
        tell_area(e);
        keep_tracee(e);
    } else if (request == PTRACE_PEEKUSER || request == PTRACE_POKEUSER) {
        access_user(c, e, request == PTRACE_POKEUSER);
    } else if (request == GET_SYSCALL_INFO) {
        get_syscall_info(c, r);
    } else {
        if (request == PTRACE_POKETEXT || request == PTRACE_POKEDATA)
            tracer_writes_memory(e->pid);
        sys_do(c);
    }
}

/** PTRACE_ATTACH, PTRACE_SEIZE: of a process that may run under Gimle. */
static void attach(SysCall *c, pid_t pid)
{
    TraceArea area;
    Tracee e = { .pid = pid, .state = TRACEE_READY, .seized = c->arg[0] == SEIZE };
    uint64_t options = c->arg[3];
    e.area = other_process_area(pid, &area);
    if (e.area && e.seized) {
        e.options = (uint32_t)options;
        c->arg[3] = (options & ~(uint64_t)(O_EXIT | O_SECCOMP)) | O_EXEC;
    }
    sys_do(c);
    c->arg[3] = options;
    if (c->result != 0 || !e.area)
        return;
    tell_area(&e);
    keep_tracee(&e);
}

static void trace_me(SysCall *c)
{
    TraceArea area;
    bool parent = other_process_area(getppid(), &area) != 0;
    if (parent && !c->t->in_vfork_child) /* what the C library does then is not the tracer's affair */
        host_thread_prepare();
    if (parent) /* before: with its first signal it is looked at */
        tracee_begin(c->t);
    sys_do(c);
    if (c->result != 0 && parent)
        tracee_abandon(c->t);
}

void tracer_ptrace(SysCall *c)
{
    Tracee e = { 0 };
    TraceArea area;
    TraceRecord r;
    pid_t pid = (pid_t)c->arg[1];
    uint64_t request = c->arg[0];
    if (request == PTRACE_TRACEME) {
        trace_me(c);
        return;
    }
    if (request == PTRACE_ATTACH || request == SEIZE) {
        attach(c, pid);
        return;
    }
    if (!find_tracee(pid, &e) && is_stopped_tracee(pid))
        learn(&e, pid);
    if (e.state == TRACEE_READY && !e.record && other_process_area(pid, &area)) {
        e.record = find_record(pid, (uintptr_t)area.first);
        keep_tracee(&e);
    }
    if (e.state == TRACEE_READY && read_record(&e, &r) && is_stopped_tracee(pid))
        serve(c, &e, &r);
    else
        sys_do(c);
}
