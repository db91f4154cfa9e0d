// SPDX-License-Identifier: MIT
// Queued real-time signals arrive in order with their values.
// STDOUT: 1 2 3 4 5
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static int got[5], n;
static void handler(int s, siginfo_t *info, void *c)
{
    got[n++] = info->si_value.sival_int;
}
int main(void)
{
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    sigset_t set;
    sigaction(SIGRTMIN + 1, &sa, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, 0);
    for (int i = 1; i <= 5; i++)
        sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = i });
    sigprocmask(SIG_UNBLOCK, &set, 0);
    printf("%d %d %d %d %d\n", got[0], got[1], got[2], got[3], got[4]);
    return 0;
}
