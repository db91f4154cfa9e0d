/* SPDX-License-Identifier: MIT */
/*
 * Reports of our own failures: raw write(2) only, since the heap, stdio and locks may be what is
 * broken.  Also gimle_user_error(), the one way to end for a user's mistake.
 */
#include "coregrind/core/fatal.h"

#include <execinfo.h>
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

GuestAddr (*fatal_guest_pc)(void);
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

enum { MAX_FRAMES = 48 };

/**
 * The core is compiled with frame pointers, so its stack is a list; a C library's backtrace() would
 * need descriptors or memory of its own, which a broken core may not have.
 */
static void print_backtrace(const void *pc, uintptr_t fp)
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
    say("gimle: backtrace of the core:\n");
    backtrace_symbols_fd(frames, n, 2);
}

static void print_context(void)
{
    struct utsname u;
    if (fatal_guest_pc)
        say("gimle: guest pc 0x%llx\n", (unsigned long long)fatal_guest_pc());
    if (fatal_print_guest)
        fatal_print_guest();
    if (uname(&u) != 0)
        memset(&u, 0, sizeof u);
    say("gimle: version %s, tool %s, pid %d, kernel %s\n", options_version(), options_tool_name(),
        (int)getpid(), u.release);
    unsigned argc;
    const char *const *args = options_all(&argc);
    say("gimle: options:");
    for (unsigned i = 0; i < argc; i++)
        say(" %s", args[i]);
    say("\ngimle: This is a bug of Gimle. Please report it with all of these lines and, if you can,\n"
        "gimle: the program (or how to get it) and the output of the same run with -v.\n");
}

static void on_check_failure(void)
{
    print_backtrace(NULL, (uintptr_t)__builtin_frame_address(0));
    print_context();
}

void fatal_init(void)
{
    check_on_failure = on_check_failure;
}

_Noreturn void fatal_host_fault(const siginfo_t *si, const void *uc)
{
    static _Thread_local int depth;
    const ucontext_t *c = uc;
    if (depth++ > 0)
        _exit(134);
    say("\ngimle: the core itself got signal %d (%s), code %d, address %p", si->si_signo,
        sigabbrev_np(si->si_signo) ? sigabbrev_np(si->si_signo) : "?", si->si_code, si->si_addr);
    if (c)
        say(", at host pc %p, rsp %p", (void *)c->uc_mcontext.gregs[REG_RIP],
            (void *)c->uc_mcontext.gregs[REG_RSP]);
    say("\n");
    if (c)
        print_backtrace((void *)c->uc_mcontext.gregs[REG_RIP],
                        (uintptr_t)c->uc_mcontext.gregs[REG_RBP]);
    print_context();
    _exit(134);
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
