// SPDX-License-Identifier: MIT
// A timer interrupts a computation very often; its result stays right.
// STDOUT: sum 1593519880 signals yes
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
static volatile int ticks;
static void handler(int n)
{
    ticks++;
}
int main(void)
{
    struct itimerval every = { { 0, 500 }, { 0, 500 } };
    struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
    unsigned sum = 0, wrong = 0;
    sigaction(SIGALRM, &sa, 0);
    setitimer(ITIMER_REAL, &every, 0);
    for (int round = 0; round < 10 || ticks < 20; round++) {
        unsigned last = sum;
        sum = 0;
        for (unsigned i = 0; i < 30000; i++)
            sum += i * i;
        wrong += round > 0 && sum != last;
    }
    printf("sum %u signals %s\n", sum, ticks >= 20 ? "yes" : "no");
    return wrong;
}
