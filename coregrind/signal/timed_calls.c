/* SPDX-License-Identifier: MIT */
/* See timed_calls.h.  select, pselect6 and ppoll need nothing: the kernel updates their argument. */
#include "timed_calls.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "coregrind/os/safe_copy.h"

enum { NS = 1000000000, NS_PER_MS = 1000000, MS = 1000, NONE = -1 };

/** Number of the argument with a relative time. */
static int time_argument(uint64_t no, const uint64_t args[6], bool *in_ms)
{
    *in_ms = no == SYS_poll || no == SYS_epoll_wait || no == SYS_epoll_pwait;
    switch (no) {
    case SYS_nanosleep:
        return 0;
    case SYS_poll:
    case SYS_rt_sigtimedwait:
        return 2;
    case SYS_clock_nanosleep:
        return args[1] & TIMER_ABSTIME ? NONE : 2;
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_semtimedop:
        return 3;
    case SYS_io_getevents:
        return 4;
    case SYS_futex: /* the other operations have absolute times */
        return (args[1] & FUTEX_CMD_MASK) == FUTEX_WAIT ? 3 : NONE;
    default:
        return NONE;
    }
}

TimedCall timed_call_begin(uint64_t no, const uint64_t args[6])
{
    TimedCall c = { .arg = NONE };
    struct timespec wait = { 0, 0 };
    int arg = time_argument(no, args, &c.in_ms);
    if (arg == NONE)
        return c;
    if (c.in_ms) {
        int ms = (int)args[arg];
        if (ms < 0)
            return c;
        wait = (struct timespec){ ms / MS, (long)(ms % MS) * NS_PER_MS };
    } else if (!safe_read(args[arg], &wait, sizeof wait) || wait.tv_sec < 0 || wait.tv_sec > INT_MAX ||
               wait.tv_nsec < 0 || wait.tv_nsec >= NS) {
        return c; /* none, for ever, or wrong: the kernel decides */
    }
    clock_gettime(CLOCK_MONOTONIC, &c.end);
    c.end.tv_sec += wait.tv_sec;
    c.end.tv_nsec += wait.tv_nsec;
    if (c.end.tv_nsec >= NS) {
        c.end.tv_sec++;
        c.end.tv_nsec -= NS;
    }
    c.arg = arg;
    return c;
}

void timed_call_again(TimedCall *c, uint64_t args[6])
{
    struct timespec now;
    if (c->arg == NONE)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long ns = (long long)(c->end.tv_sec - now.tv_sec) * NS + (c->end.tv_nsec - now.tv_nsec);
    if (ns < 0)
        ns = 0;
    c->left = (struct timespec){ ns / NS, ns % NS };
    args[c->arg] = c->in_ms ? (uint64_t)((ns + NS_PER_MS - 1) / NS_PER_MS) : (uint64_t)(uintptr_t)&c->left;
}
