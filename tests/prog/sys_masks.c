// SPDX-License-Identifier: MIT
// Calls with a signal mask of their own: the signal interrupts just them, and the mask comes back.
// DIFFERS: Valgrind hangs
// TOOL: none
// STDOUT: ok
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(x) do { if (!(x)) { printf("line %d: %s (errno %d)\n", __LINE__, #x, errno); exit(1); } } while (0)

static volatile int got;
static void handler(int s) { (void)s; got++; }

static int blocked(void)
{
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    return sigismember(&now, SIGALRM);
}

static void arm(void)
{
    struct itimerval v = { .it_value = { 0, 3000 } };
    got = 0;
    setitimer(ITIMER_REAL, &v, NULL);
}

int main(void)
{
    struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
    sigset_t block, open;
    struct timespec ten = { 10, 0 }, soon = { 0, 1000000 };
    struct epoll_event ev;
    sigaction(SIGALRM, &sa, NULL);
    sigemptyset(&block);
    sigaddset(&block, SIGALRM);
    sigprocmask(SIG_BLOCK, &block, &open);
    int ep = epoll_create1(0);
    for (int i = 0; i < 50; i++) {
        arm();
        if (i % 2)
            usleep(5000); /* pending before the call */
        MUST(got == 0 && ppoll(NULL, 0, &ten, &open) == -1 && errno == EINTR && got == 1 && blocked());
        arm();
        MUST(pselect(0, NULL, NULL, NULL, &ten, &open) == -1 && errno == EINTR && got == 1 && blocked());
        arm();
        MUST(epoll_pwait(ep, &ev, 1, 10000, &open) == -1 && errno == EINTR && got == 1 && blocked());
        arm();
        MUST(sigsuspend(&open) == -1 && errno == EINTR && got == 1 && blocked());
    }
    MUST(ppoll(NULL, 0, &soon, &open) == 0 && blocked());
    /* SA_RESTART: a read goes on, a poll does not */
    sigprocmask(SIG_SETMASK, &open, NULL);
    int p[2];
    char c;
    MUST(pipe(p) == 0);
    arm();
    pid_t pid = fork();
    if (pid == 0) {
        usleep(20000);
        _exit(write(p[1], "x", 1) != 1);
    }
    MUST(read(p[0], &c, 1) == 1 && got == 1 && waitpid(pid, NULL, 0) == pid);
    struct itimerval often = { { 0, 3000 }, { 0, 3000 } }; /* the first may come before the call */
    got = 0;
    setitimer(ITIMER_REAL, &often, NULL);
    MUST(poll(NULL, 0, 10000) == -1 && errno == EINTR && got >= 1);
    sa.sa_flags = 0;
    sigaction(SIGALRM, &sa, NULL);
    MUST(read(p[0], &c, 1) == -1 && errno == EINTR && got >= 2);
    setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
    struct rlimit r = { 1 << 30, RLIM_INFINITY };
    MUST(setrlimit(RLIMIT_AS, &r) == 0);
    MUST(mmap(NULL, 1 << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
    puts("ok");
    return 0;
}
