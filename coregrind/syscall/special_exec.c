/* SPDX-License-Identifier: MIT */
/*
 * execve and execveat.  The new program runs natively, or, with --trace-children=yes, under a new
 * core that the launcher starts.  Everything that can make an execve fail is found out before the
 * point of no return, since the launcher could only report it to the user, not to the client.
 */
#include <elf.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/vec.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/core/options.h"
#include "coregrind/launcher/launcher.h"
#include "coregrind/launcher/monitor_protocol.h"
#include "coregrind/os/raw_syscall.h"
#include "coregrind/signal/signal.h"
#include "coregrind/signal/tracee.h"
#include "fd_table.h"
#include "limits.h"
#include "proc_view.h"
#include "seccomp.h"
#include "special.h"

enum { MAX_INTERPRETERS = 4, MAX_EXEC_STRINGS = 1 << 20, NO_VECTOR = 8 /* nothing is there */ };

typedef VEC(const char *) StringVec;

/* ---- the client's vectors -------------------------------------------------------------------- */

/* argv or envp at @p a: events, and the pointers into @p out. 0 or -errno. */
static int64_t read_vector(SysCall *c, const char *what, GuestAddr a, StringVec *out)
{
    char one[32];
    if (a == 0) {
        if (what[0] == 'a') /* allowed by Linux only */
            sys_reads(c, what, a, sizeof(uint64_t));
        return 0;
    }
    snprintf(one, sizeof one, "%s[i]", what);
    for (size_t i = 0;; i++, a += sizeof(uint64_t)) {
        uint64_t s;
        bool there = gimle_read_guest(&s, a, sizeof s) == sizeof s;
        if (!there && what[0] == 'e') /* no report, like Valgrind */
            return -EFAULT;
        if (!sys_reads(c, what, a, sizeof s) || !there)
            return -EFAULT;
        if (s == 0)
            return 0;
        if (!sys_reads_string(c, i == 0 && what[0] == 'a' ? "argv[0]" : one, s))
            return -EFAULT;
        if (out->n >= MAX_EXEC_STRINGS)
            return -E2BIG;
        if (gimle_guest_strlen(s, PATH_MAX * 32 + 1) < 0)
            return -EFAULT;
        vec_push(out, (const char *)(uintptr_t)s);
    }
}

/* ---- what kind of program it is -------------------------------------------------------------- */

typedef enum ExecKind {
    EXEC_TRACEABLE,
    EXEC_NATIVE /* another processor's, or something only the kernel knows how to run */
} ExecKind;

static bool is_set_id(const struct stat *st)
{
    return (st->st_mode & S_ISUID) || (st->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
}

/* The path that the "#!" line in @p head names; false if there is none. */
static bool script_interpreter(char *head, char *path, size_t size)
{
    char *name = head + 2 + strspn(head + 2, " \t");
    name[strcspn(name, " \t\n")] = 0;
    return name[0] && (size_t)snprintf(path, size, "%s", name) < size;
}

/* Would the kernel run @p path?  0 and *kind, or -errno. */
static int64_t examine_program(const char *program, ExecKind *kind)
{
    char path[PATH_MAX];
    union {
        char text[256];
        Elf64_Ehdr elf;
    } head;
    snprintf(path, sizeof path, "%s", program);
    *kind = EXEC_NATIVE;
    for (int depth = 0; depth <= MAX_INTERPRETERS; depth++) {
        struct stat st;
        if (stat(path, &st) != 0 || (S_ISREG(st.st_mode) && access(path, X_OK) != 0))
            return -errno;
        if (!S_ISREG(st.st_mode))
            return -EACCES;
        if (is_set_id(&st))
            return -EACCES;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) /* may be executed, but not read: not by us */
            return -EACCES;
        ssize_t n = read(fd, &head, sizeof head.text - 1);
        close(fd);
        head.text[n > 0 ? n : 0] = 0;
        if (n >= (ssize_t)sizeof head.elf && memcmp(head.text, ELFMAG, SELFMAG) == 0) {
            if (head.elf.e_machine == EM_X86_64 && head.elf.e_ident[EI_CLASS] == ELFCLASS64)
                *kind = EXEC_TRACEABLE;
            return 0;
        }
        if (n < 2 || head.text[0] != '#' || head.text[1] != '!')
            return 0; /* the kernel will say ENOEXEC, or knows a binfmt_misc for it */
        if (!script_interpreter(head.text, path, sizeof path))
            return -ENOEXEC;
    }
    return -ELOOP;
}

static bool matches_list(const char *patterns, const char *text)
{
    char one[PATH_MAX];
    while (patterns && *patterns) {
        size_t n = strcspn(patterns, ",");
        snprintf(one, sizeof one, "%.*s", (int)n, patterns);
        if (n && fnmatch(one, text, 0) == 0)
            return true;
        patterns += n + (patterns[n] == ',');
    }
    return false;
}

static bool wants_tracing(const char *path, const StringVec *argv)
{
    if (!core_options->trace_children || matches_list(core_options->trace_children_skip, path))
        return false;
    for (size_t i = 1; core_options->trace_children_skip_by_arg && i < argv->n; i++)
        if (matches_list(core_options->trace_children_skip_by_arg, argv->data[i]))
            return false;
    return true;
}

/* ---- the exec itself ------------------------------------------------------------------------- */

/* Signals that are ignored for the client, but for which the host has a handler. */
static void ignore_signals(bool ignore)
{
    for (int sig = 1; sig <= 64; sig++) {
        KernelSigaction act;
        if (signal_sigaction(sig, NULL, &act) != 0 || act.handler != (uintptr_t)SIG_IGN)
            continue;
        if (ignore) {
            KernelSigaction host = { .handler = (uintptr_t)SIG_IGN };
            raw_syscall4(SYS_rt_sigaction, (uint64_t)sig, (uintptr_t)&host, 0, 8);
        } else {
            signal_sigaction(sig, &act, NULL);
        }
    }
}

/* The host becomes what the client believes it is; returns, all undone, if the kernel refuses. */
static int64_t replace_image(Thread *t, uint64_t no, const uint64_t args[5], bool bind)
{
    KernelSigset old;
    seccomp_settle_privs(t);
    int64_t refused = bind ? seccomp_bind_host(t) : 0;
    if (refused)
        return refused;
    limits_apply_for_exec();
    ignore_signals(true);
    raw_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&t->blocked, (uintptr_t)&old, 8);
    int64_t r = raw_syscall6(no, args[0], args[1], args[2], args[3], args[4], 0);
    raw_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&old, 0, 8);
    ignore_signals(false);
    limits_undo_apply();
    return r;
}

static void push_var(void *ctx, char *var)
{
    StringVec *vars = ctx;
    vec_push(vars, var);
}

/* Through the launcher, as launcher.h says under 3. */
static int64_t exec_traced(SysCall *c, const char *launcher, const char *path, const char *name,
                           const StringVec *argv, const StringVec *envp)
{
    StringVec args = { 0 }, vars = { 0 };
    unsigned n;
    char *const *options = options_command_line(&n);
    vec_push(&args, launcher);
    for (unsigned i = 0; i < n; i++)
        vec_push(&args, options[i]);
    vec_push(&args, "--");
    vec_push(&args, path);
    for (size_t i = 1; i < argv->n; i++)
        vec_push(&args, argv->data[i]);
    vec_push(&args, NULL);
    for (size_t i = 0; i < envp->n; i++)
        vec_push(&vars, envp->data[i]);
    char *argv0 = NULL;
    if (argv->n && strcmp(argv->data[0], path) != 0 &&
        asprintf(&argv0, LAUNCHER_ARGV0_VAR "=%s", argv->data[0]) > 0)
        vec_push(&vars, argv0);
    char *shown = NULL;
    if (strcmp(name, path) != 0 && asprintf(&shown, LAUNCHER_NAME_VAR "=%s", name) > 0)
        vec_push(&vars, shown);
    char traced[sizeof LAUNCHER_TRACED_VAR + 64] = LAUNCHER_TRACED_VAR "=";
    if (tracee_describe(c->t, strchr(traced, 0), sizeof traced - sizeof LAUNCHER_TRACED_VAR - 1))
        vec_push(&vars, traced);
    size_t filters = vars.n;
    seccomp_describe(c->t, push_var, &vars);
    vec_push(&vars, NULL);
    const uint64_t a[5] = { (uintptr_t)launcher, (uintptr_t)args.data, (uintptr_t)vars.data };
    int64_t r = replace_image(c->t, SYS_execve, a, false);
    for (; vars.data[filters]; filters++)
        free((char *)vars.data[filters]);
    free(argv0);
    free(shown);
    vec_free(&args);
    vec_free(&vars);
    return r;
}

/* @p path as the launcher and the skip patterns get it; @p dfd as in execveat. */
static bool absolute_program(int dfd, const char *given, uint64_t flags, char *out)
{
    char link[64], dir[PATH_MAX];
    if (proc_view_is_exe(given)) {
        snprintf(out, PATH_MAX, "%s", proc_view_exe());
        return true;
    }
    if (given[0] && (given[0] == '/' || dfd == AT_FDCWD)) {
        /* without a slash the launcher would search PATH */
        return (size_t)snprintf(out, PATH_MAX, "%s%s", strchr(given, '/') ? "" : "./", given) <
               PATH_MAX;
    }
    if (!given[0] && !(flags & AT_EMPTY_PATH))
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", dfd);
    ssize_t n = readlink(link, dir, sizeof dir - 1);
    if (n <= 0)
        return false;
    dir[n] = 0;
    if (access(dir, F_OK) != 0 && !given[0]) { /* a memfd or an unlinked file: by its descriptor */
        snprintf(out, PATH_MAX, "%s", link);
        return true;
    }
    return (size_t)snprintf(out, PATH_MAX, given[0] ? "%s/%s" : "%s", dir, given) < PATH_MAX;
}

/*
 * Natively.  The kernel refuses what it cannot run before anything is changed, and a search of PATH relies
 * on it; but a client's filters, once the kernel has them, stay, so with some it is found out first.
 */
static int64_t exec_native(SysCall *c, const uint64_t args[5], const char *path)
{
    struct stat st;
    if (c->t->seccomp && (stat(path, &st) != 0 || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0))
        return -errno;
    return replace_image(c->t, c->no, args, true);
}

/* @p at: where in c->arg the path is; argv and envp follow it. */
static void exec_common(SysCall *c, unsigned at, int dfd, uint64_t flags)
{
    char given[PATH_MAX], path[PATH_MAX], name[PATH_MAX + 32];
    StringVec argv = { 0 }, envp = { 0 };
    ExecKind kind;
    int64_t bad_argv = read_vector(c, "argv", c->arg[at + 1], &argv);
    int64_t bad_envp = read_vector(c, "envp", c->arg[at + 2], &envp); /* both are reported */
    if ((c->result = bad_argv ? bad_argv : bad_envp) < 0) {
        if (c->result == -EFAULT) { /* the kernel looks for the file first */
            c->arg[at + 1] = c->arg[at + 2] = NO_VECTOR;
            sys_do(c);
        }
        goto out;
    }
    long n = gimle_guest_strlen(c->arg[at], PATH_MAX);
    if (n < 0 || n >= PATH_MAX) {
        c->result = n < 0 ? -EFAULT : -ENAMETOOLONG;
        goto out;
    }
    gimle_read_guest(given, c->arg[at], (size_t)n + 1);
    if (!absolute_program(dfd, given, flags, path)) {
        c->result = given[0] || flags & AT_EMPTY_PATH ? -EBADF : -ENOENT;
        goto out;
    }
    const char *launcher = getenv(LAUNCHER_PATH_VAR);
    if (launcher && wants_tracing(path, &argv)) {
        c->result = examine_program(path, &kind);
        if (c->result == 0 && kind == EXEC_TRACEABLE) {
            if (given[0] == '/' || dfd == AT_FDCWD)
                snprintf(name, sizeof name, "%s", given);
            else
                snprintf(name, sizeof name, "/dev/fd/%d%s%s", dfd, given[0] ? "/" : "", given);
            c->result = exec_traced(c, launcher, path, name, &argv, &envp);
            goto out;
        }
        if (c->result != 0)
            goto out;
    }
    uint64_t a[5];
    memcpy(a, c->arg, sizeof a);
    if (proc_view_is_exe(given))
        a[at] = (uintptr_t)path;
    c->result = exec_native(c, a, path);
out:
    vec_free(&argv);
    vec_free(&envp);
}

void sys_execve(SysCall *c) { exec_common(c, 0, AT_FDCWD, 0); }

void sys_execveat(SysCall *c) { exec_common(c, 1, (int)c->arg[0], c->arg[4]); }
