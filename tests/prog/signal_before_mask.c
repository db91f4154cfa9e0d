// SPDX-License-Identifier: MIT
// A signal that came before the call that blocks it is delivered before that call returns; none is
// delivered while it is blocked.
// LDFLAGS: -pthread
// STDOUT: 0 1
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
static volatile int blocked, early, count, stop;
static pthread_t target;
static void on_signal(int sig)
{
    count++;
    if (blocked)
        early++;
}
static void *sender(void *arg)
{
    while (!stop)
        pthread_kill(target, SIGUSR1);
    return 0;
}
int main(void)
{
    struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    sigset_t set;
    pthread_t t;
    target = pthread_self();
    sigaction(SIGUSR1, &sa, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_create(&t, 0, sender, 0);
    while (count == 0) /* until the sender runs */
        sched_yield();
    for (int i = 0; i < 3000; i++) {
        pthread_sigmask(SIG_BLOCK, &set, 0);
        blocked = 1;
        for (volatile int k = 0; k < 20; k++)
            ;
        blocked = 0;
        pthread_sigmask(SIG_UNBLOCK, &set, 0);
    }
    stop = 1;
    pthread_join(t, 0);
    printf("%d %d\n", early, count > 0);
    return 0;
}
