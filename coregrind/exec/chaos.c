/* SPDX-License-Identifier: MIT */
/*
 * --chaos=signals and --chaos=sched: what may happen at any boundary of blocks, but seldom does, happens
 * often.  No block leads to the next by itself then, so each passes through the run loop.  --chaos=end: a
 * signal comes with the end of a thread that handles SIGURG.
 */
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "coregrind/core/options.h"
#include "coregrind/signal/signal.h"
#include "exec_internal.h"

enum { POLL_ONE_IN = 16, CALL_ONE_IN = 8, YIELD_ONE_IN = 64, SLEEP_ONE_IN = 2048, LONGEST_NS = 60000 };

/** A number below @p n: the same for each run of a thread, as far as it goes the same way. */
static unsigned chaos_random(const Thread *t, unsigned n)
{
    static _Thread_local uint64_t x;
    if (!x)
        x = ((uint64_t)core_options->chaos_seed << 20 | t->id) * 0x9e3779b97f4a7c15ULL | 1;
    x ^= x << 13; /* xorshift64 */
    x ^= x >> 7;
    x ^= x << 17;
    return (unsigned)(x >> 33) % n;
}

bool exec_chaos(void) { return core_options->chaos & (CHAOS_SIGNALS | CHAOS_SCHED); }

void exec_chaos_boundary(Thread *t)
{
    if (core_options->chaos & CHAOS_SIGNALS && chaos_random(t, POLL_ONE_IN) == 0)
        t->state->pending = 1; /* though there is nothing */
    if (!(core_options->chaos & CHAOS_SCHED) || chaos_random(t, YIELD_ONE_IN) != 0)
        return;
    struct timespec pause = { 0, (long)chaos_random(t, LONGEST_NS) };
    bool sleeps = chaos_random(t, SLEEP_ONE_IN / YIELD_ONE_IN) == 0;
    thread_enter_blocking(t);
    if (sleeps)
        nanosleep(&pause, NULL);
    else
        sched_yield();
    thread_leave_blocking(t);
}

void exec_chaos_end(Thread *t)
{
    KernelSigaction act;
    if (core_options->chaos & CHAOS_END && t->exit_state != THREAD_RUNS && !t->frees_caches &&
        signal_sigaction(SIGURG, NULL, &act) == 0 && act.handler > (uintptr_t)SIG_IGN)
        tgkill(getpid(), t->tid, SIGURG);
}

void exec_chaos_syscall(Thread *t)
{
    /* As a signal that comes right before the call, and turns out to be for nobody. */
    if (core_options->chaos & CHAOS_SIGNALS && chaos_random(t, CALL_ONE_IN) == 0)
        t->state->pending = 1;
}
