/* SPDX-License-Identifier: MIT */
/*
 * The client's seccomp filters (seccomp(2)): a chain for each thread, newest first, whose tails are shared
 * as they are inherited.  Filters stay until the process ends: an equal one is not made again, so
 * that threads which each install theirs and end do not add up.
 */
#include "seccomp.h"

#include <linux/audit.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/ranked_lock.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/launcher/launcher.h"
#include "coregrind/report/report.h"
#include "coregrind/signal/signal.h"
#include "coregrind/signal/tracee.h"
#include "coregrind/tcache/tcache.h"
#include "seccomp_filter.h"
#include "special.h"

enum { RAX = 0, PATH_INSNS = 32768, FILTER_COST = 4 /* each counts as so many instructions more */ };

typedef struct SeccompFilter {
    const struct SeccompFilter *before; /* installed earlier, asked later */
    uint32_t flags;                     /* SECCOMP_FILTER_FLAG_LOG, _SPEC_ALLOW */
    bool no_new_privs;                  /* what its installer had */
    unsigned installer;                 /* thread: equal ones of two are told apart by TSYNC */
    uint16_t n;
    struct sock_filter program[];
} SeccompFilter;

static VEC(const SeccompFilter *) filters; /* LOCK_seccomp */

/* ---- chains ----------------------------------------------------------------------------------- */

static bool same(const SeccompFilter *a, const SeccompFilter *b)
{
    return a->before == b->before && a->flags == b->flags && a->no_new_privs == b->no_new_privs &&
           a->installer == b->installer && a->n == b->n &&
           memcmp(a->program, b->program, a->n * sizeof a->program[0]) == 0;
}

/** The filter that stays of @p f's content; takes over @p f, from malloc. */
static const SeccompFilter *keep(SeccompFilter *f)
{
    const SeccompFilter *kept = NULL;
    lock_take(LOCK_seccomp);
    for (size_t i = 0; !kept && i < filters.n; i++)
        if (same(filters.data[i], f))
            kept = filters.data[i];
    if (!kept)
        vec_push(&filters, f);
    lock_release(LOCK_seccomp);
    if (!kept)
        return f;
    free(f);
    return kept;
}

static bool is_in_chain(const SeccompFilter *f, const SeccompFilter *newest)
{
    while (newest && newest != f)
        newest = newest->before;
    return newest == f;
}

unsigned seccomp_count(const Thread *t)
{
    unsigned n = 0;
    for (const SeccompFilter *f = t->seccomp; f; f = f->before)
        n++;
    return n;
}

static bool chain_is_full(const Thread *t, unsigned n)
{
    for (const SeccompFilter *f = t->seccomp; f; f = f->before)
        n += f->n + FILTER_COST;
    return n > PATH_INSNS;
}

/* ---- asking ----------------------------------------------------------------------------------- */

/** The gravest answer of all filters; of equally grave ones the newest filter's. */
static uint32_t ask(const SysCall *c)
{
    struct seccomp_data data = { .nr = (int)c->no, .arch = AUDIT_ARCH_X86_64,
                                 .instruction_pointer = c->t->state->guest.pc };
    uint32_t gravest = SECCOMP_RET_ALLOW;
    memcpy(data.args, c->arg, sizeof data.args);
    for (const SeccompFilter *f = c->t->seccomp; f; f = f->before) {
        uint32_t answer = seccomp_filter_run(f->program, &data);
        if ((int32_t)(answer & SECCOMP_RET_ACTION_FULL) < (int32_t)(gravest & SECCOMP_RET_ACTION_FULL))
            gravest = answer;
    }
    return gravest;
}

static void raise_sigsys(SysCall *c, uint32_t answer, bool fatal)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGSYS;
    info.si_code = 1 /* SYS_SECCOMP */;
    info.si_errno = (int)(answer & SECCOMP_RET_DATA);
    info.si_call_addr = (void *)(uintptr_t)c->t->state->guest.pc;
    info.si_syscall = (int)c->no;
    info.si_arch = AUDIT_ARCH_X86_64;
    signal_force(c->t, &info, fatal);
    c->no_result = true;
}

/** End the thread, or the process if there is no other. */
static void kill_thread(SysCall *c, int sig, uint32_t answer)
{
    siginfo_t info = { .si_signo = sig };
    if (gimle_thread_count() > 1) {
        thread_exit(c->t, sig);
        c->result = 0;
    } else if (sig == SIGSYS) {
        raise_sigsys(c, answer, true);
    } else {
        signal_force(c->t, &info, true);
    }
}

/** A tracer is asked by the kernel only, and only of what the kernel knows; then the call is made. */
static bool is_traced(void)
{
    char line[128];
    int tracer = 0;
    FILE *f = fopen("/proc/thread-self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "TracerPid: %d", &tracer) == 1)
            break;
    if (f)
        fclose(f);
    return tracer != 0;
}

/** A tracer under Gimle has been asked: the call may be another now.  False: there is none. */
static bool tracer_decided(SysCall *c, bool goes)
{
    enum { RDX = 2, RSI = 6, RDI = 7, R8 = 8, R9 = 9, R10 = 10 };
    static const uint8_t args[SYS_MAX_ARGS] = { RDI, RSI, RDX, R10, R8, R9 };
    const uint64_t *gpr = c->t->state->guest.gpr;
    if (!goes) {
        c->result = (int64_t)gpr[RAX];
        return false;
    }
    c->no = c->t->sys_no = (uint32_t)gpr[RAX];
    c->row = sys_row(c->no);
    for (unsigned i = 0; i < SYS_MAX_ARGS; i++)
        c->arg[i] = c->t->sys_args[i] = gpr[args[i]];
    return true;
}

bool seccomp_allows(SysCall *c)
{
    if (c->t->seccomp_strict) {
        if (c->no == SYS_read || c->no == SYS_write || c->no == SYS_exit || c->no == SYS_rt_sigreturn)
            return true;
        kill_thread(c, SIGKILL, 0);
        return false;
    }
    uint32_t answer = ask(c);
    bool goes;
    if ((answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE && tracee_is(c->t) &&
        tracee_filtered(c->t, (uint32_t)c->no, answer & SECCOMP_RET_DATA, &goes)) {
        if (!tracer_decided(c, goes))
            return false;
        answer = ask(c);
        if ((answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE)
            return true;
    }
    switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return true;
    case SECCOMP_RET_TRACE:
        if (!tracee_is(c->t) && is_traced())
            return true;
        c->result = -ENOSYS;
        return false;
    case SECCOMP_RET_USER_NOTIF: /* a filter with a listener is the kernel's */
        c->result = -ENOSYS;
        return false;
    case SECCOMP_RET_ERRNO: {
        enum { MAX_ERRNO = 4095 };
        uint32_t err = answer & SECCOMP_RET_DATA;
        c->result = -(int64_t)(err < MAX_ERRNO ? err : MAX_ERRNO);
        return false;
    }
    case SECCOMP_RET_TRAP:
        raise_sigsys(c, answer, false);
        return false;
    case SECCOMP_RET_KILL_THREAD:
        kill_thread(c, SIGSYS, answer);
        return false;
    default: /* SECCOMP_RET_KILL_PROCESS, and what does not exist yet */
        raise_sigsys(c, answer, true);
        return false;
    }
}

/* ---- installing ------------------------------------------------------------------------------- */

static bool has_no_new_privs(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1; }

void seccomp_settle_privs(Thread *t)
{
    if (t->gets_no_new_privs)
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    t->gets_no_new_privs = false;
}

static bool is_sys_admin(void)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { { 0 } };
    return syscall(SYS_capget, &head, data) == 0 && (data[0].effective & 1u << CAP_SYS_ADMIN);
}

/** The filter becomes that of all threads; 0, or the id of one that has others. */
static int64_t synchronize(Thread *t, const SeccompFilter *f)
{
    int64_t other = 0;
    bool nnp = has_no_new_privs();
    thread_stop_world();
    for (Thread *o = NULL; !other && (o = thread_next(o));)
        if (o->seccomp_strict || !is_in_chain(o->seccomp, t->seccomp))
            other = o->tid;
    for (Thread *o = NULL; !other && (o = thread_next(o));) {
        o->seccomp = f;
        o->gets_no_new_privs |= nnp;
    }
    thread_start_world();
    return other;
}

/** It answers to a listener, another process: nothing that could be done here. */
static void give_to_kernel(SysCall *c)
{
    static _Atomic bool warned;
    tcache_stop_keeping();
    if (!atomic_exchange(&warned, true))
        gimle_umsg("WARNING: the program installs a seccomp filter with a listener, which also binds "
                   "Gimle: if it forbids what the core needs, the process will be killed\n");
    sys_do(c);
}

/** struct sock_fprog at @p uargs, read and checked; NULL: the call fails with c->result. */
static SeccompFilter *take_filter(SysCall *c, uint64_t flags, GuestAddr uargs)
{
    struct sock_fprog prog;
    if (!sys_reads(c, "uargs->len", uargs + offsetof(struct sock_fprog, len), sizeof prog.len) ||
        !sys_reads(c, "uargs->filter", uargs + offsetof(struct sock_fprog, filter), sizeof prog.filter) ||
        !sys_fetch(c, &prog, uargs, sizeof prog)) {
        c->result = -EFAULT;
        return NULL;
    }
    c->result = -EINVAL;
    if (prog.len == 0 || prog.len > BPF_MAXINSNS)
        return NULL;
    bool no_new_privs = has_no_new_privs();
    c->result = -EACCES;
    if (!no_new_privs && !is_sys_admin())
        return NULL;
    size_t bytes = prog.len * sizeof prog.filter[0];
    SeccompFilter *f = malloc(sizeof *f + bytes);
    c->result = -ENOMEM;
    if (!f || chain_is_full(c->t, prog.len)) {
        free(f);
        return NULL;
    }
    *f = (SeccompFilter){ .before = c->t->seccomp, .no_new_privs = no_new_privs, .n = prog.len,
                          .installer = c->t->id,
                          .flags = flags & (SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW) };
    bool there = sys_take(c, "*uargs->filter", f->program, (uintptr_t)prog.filter, bytes);
    if (there && seccomp_filter_valid(f->program, f->n))
        return f;
    c->result = there ? -EINVAL : -EFAULT;
    free(f);
    return NULL;
}

static void install(SysCall *c, uint64_t flags, GuestAddr uargs)
{
    enum { WAIT_KILLABLE = 1 << 5, KNOWN = (1 << 6) - 1 };
    bool sync = flags & SECCOMP_FILTER_FLAG_TSYNC, listens = flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
    c->result = -EINVAL;
    if ((flags & ~(uint64_t)KNOWN) || ((flags & WAIT_KILLABLE) && !listens) ||
        (sync && listens && !(flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH)))
        return;
    c->result = -EFAULT;
    if (uargs == 0) /* libseccomp finds out what there is in this way */
        return;
    if (listens) {
        give_to_kernel(c);
        return;
    }
    SeccompFilter *made = take_filter(c, flags, uargs);
    if (!made)
        return;
    const SeccompFilter *f = keep(made);
    int64_t other = sync ? synchronize(c->t, f) : 0;
    if (!other)
        c->t->seccomp = f;
    c->result = other && (flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH) ? -ESRCH : other;
}

static void set_strict(SysCall *c)
{
    c->result = c->t->seccomp ? -EINVAL : 0;
    if (c->result == 0)
        c->t->seccomp_strict = true;
}

void sys_seccomp(SysCall *c)
{
    sys_reg(c, 2, "uargs", 8);
    switch ((int)c->arg[0]) {
    case SECCOMP_SET_MODE_STRICT:
        c->result = -EINVAL;
        if ((uint32_t)c->arg[1] == 0 && c->arg[2] == 0)
            set_strict(c);
        break;
    case SECCOMP_SET_MODE_FILTER:
        install(c, (uint32_t)c->arg[1], c->arg[2]);
        break;
    case SECCOMP_GET_ACTION_AVAIL:
        c->result = -EFAULT;
        if (sys_reads(c, "uargs", c->arg[2], 4))
            sys_do(c);
        break;
    case SECCOMP_GET_NOTIF_SIZES:
        c->result = -EFAULT;
        if (sys_will_write(c, "uargs", c->arg[2], 6) && sys_do(c) == 0)
            sys_wrote(c, c->arg[2], 6);
        break;
    default:
        c->result = -EINVAL;
    }
}

void seccomp_prctl_set(SysCall *c)
{
    sys_reg(c, 1, "arg2", 8);
    c->result = -EINVAL;
    if (c->arg[1] == SECCOMP_MODE_STRICT) {
        set_strict(c);
    } else if (c->arg[1] == SECCOMP_MODE_FILTER) {
        sys_reg(c, 2, "arg3", 8);
        install(c, 0, c->arg[2]);
    }
}

void seccomp_prctl_get(SysCall *c)
{
    if (c->t->seccomp)
        c->result = SECCOMP_MODE_FILTER;
    else
        sys_do(c);
}

/* ---- handing on ------------------------------------------------------------------------------- */

/** @p f and what was installed before it, as far as the kernel does not have it. */
static int64_t bind_filters(const SeccompFilter *f, const SeccompFilter *bound)
{
    if (!f || f == bound)
        return 0;
    int64_t r = bind_filters(f->before, bound);
    if (r < 0)
        return r;
    if (f->no_new_privs) /* SECCOMP_FILTER_FLAG_TSYNC gives it to all threads */
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    struct sock_fprog prog = { f->n, (struct sock_filter *)f->program };
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, f->flags, &prog) == 0 ? 0 : -errno;
}

int64_t seccomp_bind_host(Thread *t)
{
    if (t->seccomp == t->seccomp_bound)
        return 0;
    if (!t->in_vfork_child) /* else it is the parent's memory */
        tcache_stop_keeping();
    int64_t r = bind_filters(t->seccomp, t->seccomp_bound);
    if (r == 0)
        t->seccomp_bound = t->seccomp;
    return r;
}

/** "GIMLE_CLIENT_SECCOMP_n=flags,no_new_privs,instructions in hexadecimal", oldest first. */
static unsigned describe(const SeccompFilter *f, void (*add)(void *ctx, char *var), void *ctx)
{
    StrBuf b = { 0 };
    if (!f)
        return 0;
    unsigned n = describe(f->before, add, ctx);
    strbuf_printf(&b, LAUNCHER_SECCOMP_VAR "%u=%x,%d,", n, f->flags, f->no_new_privs);
    for (unsigned i = 0; i < f->n; i++)
        strbuf_printf(&b, "%04x%02x%02x%08x", f->program[i].code, f->program[i].jt, f->program[i].jf,
                      f->program[i].k);
    add(ctx, strdup(strbuf_text(&b)));
    strbuf_free(&b);
    return n + 1;
}

void seccomp_describe(const Thread *t, void (*add)(void *ctx, char *var), void *ctx)
{
    describe(t->seccomp, add, ctx);
}

/** The inverse; NULL: it is not of that form. */
static SeccompFilter *parse(const char *text, const SeccompFilter *before)
{
    enum { DIGITS = 16 };
    unsigned flags, no_new_privs;
    int at = 0;
    if (sscanf(text, "%x,%u,%n", &flags, &no_new_privs, &at) != 2 || at == 0)
        return NULL;
    size_t len = strlen(text + at), n = len / DIGITS;
    if (len % DIGITS || n == 0 || n > BPF_MAXINSNS)
        return NULL;
    SeccompFilter *f = malloc(sizeof *f + n * sizeof f->program[0]);
    if (!f)
        return NULL;
    *f = (SeccompFilter){ .before = before, .flags = flags, .no_new_privs = no_new_privs, .n = (uint16_t)n };
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        unsigned code, jt, jf, k;
        ok = sscanf(text + at + i * DIGITS, "%4x%2x%2x%8x", &code, &jt, &jf, &k) == 4;
        f->program[i] = (struct sock_filter){ (uint16_t)code, (uint8_t)jt, (uint8_t)jf, k };
    }
    if (ok && seccomp_filter_valid(f->program, f->n))
        return f;
    free(f);
    return NULL;
}

void seccomp_inherit(Thread *t)
{
    char name[sizeof LAUNCHER_SECCOMP_VAR + 12];
    for (unsigned i = 0;; i++) {
        snprintf(name, sizeof name, LAUNCHER_SECCOMP_VAR "%u", i);
        const char *text = getenv(name);
        SeccompFilter *f = text ? parse(text, t->seccomp) : NULL;
        if (text && !f)
            gimle_user_error("the environment variable %s is damaged", name);
        if (!f)
            return;
        t->seccomp = keep(f);
    }
}
