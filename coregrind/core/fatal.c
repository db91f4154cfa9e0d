/* SPDX-License-Identifier: MIT */
/*
 * Reports of our own failures: raw write(2) only, since the heap, stdio and locks may be what is
 * broken.  Also gimle_user_error(), the one way to end for a user's mistake.
 */
#include "coregrind/core/fatal.h"

#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/check.h"
#include "coregrind/core/options.h"
#include "gimle/report.h"

void (*fatal_print_guest)(void);

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
    char buf[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    if (n > (int)sizeof buf - 1)
        n = sizeof buf - 1;
    ssize_t ignored = write(2, buf, (size_t)n);
    (void)ignored;
}

enum { MAX_FRAMES = 48, LEAST_FRAMES = 3, EXIT_INTERNAL = 134 };

extern const char __executable_start[], etext[]; /* by the linker */

/** Does a call of ours return to @p a? */
static bool is_return_address(uintptr_t a)
{
    enum { LONGEST = 7, NEAR = 5, CALL_REL32 = 0xe8, GROUP5 = 0xff, OPCODE_CALL = 2 };
    const uint8_t *p = (const uint8_t *)a;
    if (a < (uintptr_t)__executable_start + LONGEST || a >= (uintptr_t)etext)
        return false;
    if (p[-NEAR] == CALL_REL32)
        return true;
    for (int n = 2; n <= LONGEST; n++)
        if (p[-n] == GROUP5 && (p[-n + 1] >> 3 & 7) == OPCODE_CALL)
            return true;
    return false;
}

/** Libraries have no frame pointers: what on the stack may be where they return to in our code. */
static int scan_stack(uintptr_t sp, void **frames, int n)
{
    static uintptr_t words[1024];
    struct iovec to = { words, sizeof words }, from = { (void *)sp, sizeof words };
    ssize_t got = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
    for (ssize_t i = 0; i < got / (ssize_t)sizeof words[0] && n < MAX_FRAMES; i++)
        if (is_return_address(words[i]))
            frames[n++] = (void *)words[i];
    return n;
}

/**
 * The core is compiled with frame pointers, so its stack is a list; a C library's backtrace() would
 * need descriptors or memory of its own, which a broken core may not have.
 */
static void print_backtrace(const void *pc, uintptr_t fp, uintptr_t sp)
{
    void *frames[MAX_FRAMES];
    uintptr_t frame[2];
    int n = 0;
    if (pc)
        frames[n++] = (void *)pc;
    struct iovec to = { frame, sizeof frame };
    while (n < MAX_FRAMES && fp) {
        struct iovec from = { (void *)fp, sizeof frame };
        if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != (ssize_t)sizeof frame ||
            frame[0] <= fp)
            break;
        frames[n++] = (void *)frame[1];
        fp = frame[0];
    }
    if (n < LEAST_FRAMES && sp)
        n = scan_stack(sp & ~7UL, frames, n);
    say("gimle: backtrace of the core:\n");
    backtrace_symbols_fd(frames, n, 2);
}

static void print_versions(void)
{
    struct utsname u;
    if (uname(&u) != 0)
        memset(&u, 0, sizeof u);
    say("gimle: version %s, tool %s, pid %d, kernel %s\n", options_version(), options_tool_name(),
        (int)getpid(), u.release);
    unsigned argc;
    const char *const *args = options_all(&argc);
    say("gimle: options:");
    for (unsigned i = 0; i < argc; i++)
        say(" %s", args[i]);
    say("\n");
}

static void print_request(void)
{
    say("gimle: This is a bug of Gimle. Please report it with all of these lines and, if you can,\n"
        "gimle: the program (or how to get it) and the output of the same run with -v.\n");
}

static void on_timeout(int sig);

/** What the guest was at needs much of the core to work, so it may fail or wait for ever. */
static void print_guest(void)
{
    enum { SECONDS = 10 };
    sigset_t set;
    if (!fatal_print_guest)
        return;
    struct sigaction sa = { .sa_handler = on_timeout };
    sigaction(SIGALRM, &sa, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    alarm(SECONDS);
    fatal_print_guest();
    alarm(0);
}

/**
 * What is left of the report.  A failure while it is being made, of whatever kind, comes back here
 * and goes on behind the part that failed.
 */
static _Noreturn void go_on(const void *pc, uintptr_t fp, uintptr_t sp)
{
    static _Atomic unsigned part;
    switch (atomic_fetch_add(&part, 1)) {
    case 0:
        print_backtrace(pc, fp, sp);
        atomic_fetch_add(&part, 1);
        __attribute__((fallthrough));
    case 1:
        print_versions();
        atomic_fetch_add(&part, 1);
        __attribute__((fallthrough));
    case 2:
        print_guest();
        atomic_fetch_add(&part, 1);
        __attribute__((fallthrough));
    case 3:
        print_request();
        __attribute__((fallthrough));
    default:
        _exit(EXIT_INTERNAL);
    }
}

static void on_timeout(int sig)
{
    (void)sig;
    say("gimle: (there is no end of it)\n");
    go_on(NULL, 0, 0);
}

static void on_check_failure(void) { go_on(NULL, (uintptr_t)__builtin_frame_address(0), 0); }

void fatal_init(void)
{
    check_on_failure = on_check_failure;
}

_Noreturn void fatal_host_fault(const siginfo_t *si, const void *uc)
{
    const ucontext_t *c = uc;
    say("\ngimle: the core itself got signal %d (%s), code %d, address %p", si->si_signo,
        sigabbrev_np(si->si_signo) ? sigabbrev_np(si->si_signo) : "?", si->si_code, si->si_addr);
    if (c)
        say(", at host pc %p, rsp %p", (void *)c->uc_mcontext.gregs[REG_RIP],
            (void *)c->uc_mcontext.gregs[REG_RSP]);
    say("\n");
    go_on(c ? (void *)c->uc_mcontext.gregs[REG_RIP] : NULL,
          c ? (uintptr_t)c->uc_mcontext.gregs[REG_RBP] : (uintptr_t)__builtin_frame_address(0),
          c ? (uintptr_t)c->uc_mcontext.gregs[REG_RSP] : 0);
}

void fatal_crash(int how)
{
    static volatile uintptr_t nowhere = 8; /* so that the compiler does not see it */
    if (how == CRASH_SEGV)
        *(volatile int *)nowhere = 0;
    else if (how == CRASH_ABORT)
        abort();
    else
        CHECK(how == CRASH_NO, "as --debug-crash=check wanted");
}

_Noreturn void fatal_exec_error(const char *why, bool not_found)
{
    say("%s: %s\n", options_program_name(), why);
    exit(!options_as_valgrind() ? 1 : not_found ? 127 : 126);
}

_Noreturn void gimle_user_error(const char *fmt, ...)
{
    char buf[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    say("%s: %s\n", options_program_name(), buf);
    exit(1);
}
