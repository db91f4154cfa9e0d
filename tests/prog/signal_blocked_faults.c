// SPDX-License-Identifier: MIT
// SIGSEGV and its like sent while they are blocked wait as others do: pending, taken by sigtimedwait(), delivered once
// when unblocked, also if they were ignored or came twice, and not into their own handler.
// TOOL: none
// STDOUT: SIGSEGV pending, taken, delivered, not ignored, not nested
// STDOUT: SIGBUS pending, taken, delivered, not ignored, not nested
// STDOUT: SIGFPE pending, taken, delivered, not ignored, not nested
// STDOUT: SIGILL pending, taken, delivered, not ignored, not nested
// STDOUT: SIGTRAP pending, taken, delivered, not ignored, not nested
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
static volatile int hits, depth, deepest, send_again;
static void handler(int sig, siginfo_t *info, void *context)
{
    hits++;
    if (++depth > deepest)
        deepest = depth;
    if (send_again-- > 0)
        kill(getpid(), sig);
    depth--;
}
int main(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    for (int i = 0; i < 5; i++) {
        int sig = signals[i];
        sigset_t set, pending;
        siginfo_t info;
        struct timespec soon = { 0, 1000000 };
        sigemptyset(&set);
        sigaddset(&set, sig);
        sigaction(sig, &sa, 0);
        sigprocmask(SIG_BLOCK, &set, 0);
        hits = 0;
        kill(getpid(), sig);
        kill(getpid(), sig);
        sigpending(&pending);
        printf("SIG%s", sigabbrev_np(sig));
        printf(hits == 0 && sigismember(&pending, sig) ? " pending" : " lost");
        printf(sigtimedwait(&set, &info, &soon) == sig && info.si_pid == getpid() ? ", taken" : ", not taken");
        printf(sigtimedwait(&set, &info, &soon) == -1 ? "" : " twice");
        kill(getpid(), sig);
        sigprocmask(SIG_UNBLOCK, &set, 0);
        printf(hits == 1 ? ", delivered" : ", hits");
        signal(sig, SIG_IGN);
        kill(getpid(), sig);
        sigprocmask(SIG_BLOCK, &set, 0);
        kill(getpid(), sig);
        sigaction(sig, &sa, 0);
        sigprocmask(SIG_UNBLOCK, &set, 0);
        printf(hits == 2 ? ", not ignored" : ", ignored");
        send_again = 1;
        kill(getpid(), sig);
        printf(hits == 4 && deepest == 1 ? ", not nested\n" : ", nested %d\n", hits);
    }
    return 0;
}
