// SPDX-License-Identifier: MIT
// signalfd, timerfd, eventfd and epoll.
// STDOUT: signal 10 timer 1 event 5
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
int main(void)
{
    sigset_t set;
    struct signalfd_siginfo info;
    struct itimerspec soon = { { 0, 0 }, { 0, 1000000 } };
    uint64_t timer = 0, event = 0;
    int got = 0, epoll = epoll_create1(0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, 0);
    int fds[3] = { signalfd(-1, &set, 0), timerfd_create(CLOCK_MONOTONIC, 0), eventfd(0, 0) };
    for (int i = 0; i < 3; i++) {
        struct epoll_event e = { .events = EPOLLIN, .data.u32 = i };
        epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &e);
    }
    timerfd_settime(fds[1], 0, &soon, 0);
    write(fds[2], &(uint64_t){ 5 }, 8);
    raise(SIGUSR1);
    while (got != 7) {
        struct epoll_event e[4];
        int n = epoll_wait(epoll, e, 4, 1000);
        for (int i = 0; i < n; i++) {
            if (e[i].data.u32 == 0) read(fds[0], &info, sizeof info);
            if (e[i].data.u32 == 1) read(fds[1], &timer, 8);
            if (e[i].data.u32 == 2) read(fds[2], &event, 8);
            got |= 1 << e[i].data.u32;
        }
    }
    printf("signal %u timer %d event %d\n", info.ssi_signo, (int)timer, (int)event);
    return 0;
}
