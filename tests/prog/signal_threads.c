// SPDX-License-Identifier: MIT
// Many threads block in calls of many kinds, and each gets a signal: with SA_RESTART calls that can be are made again,
// the others and all without SA_RESTART end with EINTR.  Real-time signals to one thread nest by number.
// LDFLAGS: -pthread
// OPTIONS: --child-silent-after-fork=yes
// STDOUT: restarted: read, futex, waitpid
// STDOUT: interrupted: nanosleep, poll, epoll_wait, sigtimedwait, select
// STDOUT: without SA_RESTART: 8 of 8 interrupted
// STDOUT: order 4 3 2 1 and back
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
enum { KINDS = 8, LONG = 100 };
static const char *const names[KINDS] = { "read", "futex", "waitpid", "nanosleep", "poll", "epoll_wait", "sigtimedwait", "select" };
static int pipes[2], word, hits[KINDS], result[KINDS];
static pid_t child;
static _Thread_local int my_kind;
static volatile int ends, started[KINDS], ended[KINDS];
static void handler(int sig)
{
    __atomic_add_fetch(&hits[my_kind], 1, __ATOMIC_SEQ_CST);
}
static long call(int kind)
{
    char c;
    struct timespec ts = { LONG, 0 };
    struct timeval tv = { LONG, 0 };
    struct pollfd p = { pipes[0], POLLIN, 0 };
    struct epoll_event ev;
    sigset_t none;
    fd_set set;
    int epoll, r;
    switch (kind) {
    case 0: return read(pipes[0], &c, 1);
    case 1: return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    case 2: return waitpid(child, NULL, 0);
    case 3: return nanosleep(&ts, &ts);
    case 4: p.fd = -1; return poll(&p, 1, LONG * 1000);
    case 5: epoll = epoll_create1(0); r = epoll_wait(epoll, &ev, 1, LONG * 1000); p.revents = errno; close(epoll); errno = p.revents; return r;
    case 6: sigemptyset(&none); return sigtimedwait(&none, NULL, &ts);
    default: FD_ZERO(&set); return select(0, &set, NULL, NULL, &tv);
    }
}
static void *blocks(void *arg)
{
    my_kind = (int)(long)arg;
    started[my_kind] = 1;
    result[my_kind] = call(my_kind) < 0 ? errno : 0;
    ended[my_kind] = 1;
    return NULL;
}
// Each thread is sent signals until it has ended or, if its call can be restarted, has taken three.
static void run(int flags)
{
    pthread_t t[KINDS];
    struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };
    int free_us = 1000;
    sigaction(SIGUSR1, &sa, NULL);
    memset(hits, 0, sizeof hits);
    memset((void *)started, 0, sizeof started);
    memset((void *)ended, 0, sizeof ended);
    word = 0;
    pipe(pipes);
    fflush(stdout);
    if ((child = fork()) == 0) {
        char c;
        close(pipes[1]);
        read(pipes[0], &c, 1); // until the parent closes its end
        _exit(0);
    }
    for (long i = 0; i < KINDS; i++)
        pthread_create(&t[i], NULL, blocks, (void *)i);
    for (int i = 0; i < KINDS; i++) {
        while (!started[i])
            usleep(free_us);
        while (!ended[i] && !((flags & SA_RESTART) && i < 3 && hits[i] >= 3)) {
            pthread_kill(t[i], SIGUSR1);
            usleep(free_us);
        }
    }
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0);
    close(pipes[1]);
    for (int i = 0; i < KINDS; i++)
        pthread_join(t[i], NULL);
    close(pipes[0]);
}
static char order[64];
static void nest(int sig)
{
    sprintf(order + strlen(order), "%d ", sig - SIGRTMIN);
}
static void show(const char *what, int interrupted)
{
    printf("%s", what);
    for (int i = 0, n = 0; i < KINDS; i++)
        if ((result[i] == EINTR) == interrupted)
            printf("%s%s", n++ ? ", " : " ", names[i]);
    puts("");
}
int main(void)
{
    int n = 0;
    run(SA_RESTART);
    show("restarted:", 0);
    show("interrupted:", 1);
    run(0);
    waitpid(child, NULL, 0);
    for (int i = 0; i < KINDS; i++)
        n += result[i] == EINTR;
    printf("without SA_RESTART: %d of %d interrupted\n", n, KINDS);

    // All are pending when they are unblocked: the kernel makes frames from the lowest up, so the highest runs first.
    sigset_t all;
    sigemptyset(&all);
    for (int i = 1; i <= 4; i++) {
        struct sigaction sa = { .sa_handler = nest };
        sigaction(SIGRTMIN + i, &sa, NULL);
        sigaddset(&all, SIGRTMIN + i);
    }
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (int i = 1; i <= 4; i++)
        pthread_kill(pthread_self(), SIGRTMIN + i);
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
    printf("order %sand back\n", order);
    return 0;
}
