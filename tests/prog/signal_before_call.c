// SPDX-License-Identifier: MIT
// Signals without SA_RESTART that come very often: calls that never wait never fail with EINTR, whatever moment the
// signal came at, and nanosleep() says what is left.  A wait for a PI mutex begins again by itself.
// LDFLAGS: -pthread
// STDOUT: files: 0 interrupted
// STDOUT: sleeps: 0 without rest
// STDOUT: PI mutex taken
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static volatile int ticks, locked;
static int pi_word;
static long result = 1;
static pid_t waiter;
static void handler(int sig)
{
    ticks++;
}
static void files(void)
{
    char path[] = "/tmp/signal_before_call_XXXXXX", text[64] = "text";
    int interrupted = 0, other = 0, fd = mkstemp(path), pair[2];
    if (fd < 0 || pipe(pair) != 0)
        exit(2);
    for (int i = 0; i < 400 || ticks < 40; i++) {
        errno = 0;
        int again = open(path, O_RDONLY);
        interrupted += errno == EINTR;
        other += write(fd, text, 64) != 64 && errno != EINTR;
        interrupted += errno == EINTR;
        interrupted += lseek(fd, 0, SEEK_SET) != 0;
        interrupted += read(fd, text, 64) != 64;
        interrupted += write(pair[1], text, 8) != 8;
        interrupted += read(pair[0], text, 8) != 8;
        interrupted += close(again) != 0;
    }
    unlink(path);
    printf("files: %d interrupted%s\n", interrupted, other ? ", other errors" : "");
}
static void sleeps(void)
{
    int wrong = 0;
    for (int i = 0; i < 40; i++) {
        struct timespec t = { 0, 2000000 }, rest = { -7, 0 };
        wrong += nanosleep(&t, &rest) == -1 && rest.tv_sec != 0;
    }
    printf("sleeps: %d without rest\n", wrong);
}
static void *wait_pi(void *arg)
{
    waiter = gettid();
    result = syscall(SYS_futex, &pi_word, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0 ? 0 : errno;
    locked = 1;
    return 0;
}
int main(void)
{
    struct itimerval every = { { 0, 300 }, { 0, 300 } }, never = { 0 };
    struct sigaction sa = { .sa_handler = handler };
    pthread_t t;
    sigaction(SIGALRM, &sa, 0);
    setitimer(ITIMER_REAL, &every, 0);
    files();
    sleeps();
    setitimer(ITIMER_REAL, &never, 0);
    syscall(SYS_futex, &pi_word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    pthread_create(&t, 0, wait_pi, 0);
    while (!(*(volatile int *)&pi_word & FUTEX_WAITERS))
        usleep(1000);
    for (int i = 0; i < 20; i++) {
        pthread_kill(t, SIGALRM);
        usleep(500);
    }
    printf(locked ? "PI mutex not waited for: %s\n" : "", strerror(result));
    syscall(SYS_futex, &pi_word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    pthread_join(t, 0);
    printf("PI mutex %s\n", result == 0 ? "taken" : strerror(result));
    return 0;
}
