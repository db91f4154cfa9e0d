// SPDX-License-Identifier: MIT
// Robust mutexes whose owner ends, priority-inheriting ones, both at once, and a robust one between processes.
// LDFLAGS: -pthread
// OPTIONS: --child-silent-after-fork=yes
// STDOUT: robust: owner died, repaired, then not recoverable
// STDOUT: pi: exclusive
// STDOUT: robust pi: owner died
// STDOUT: between processes: owner died
// STDOUT: errors: EDEADLK EBUSY ETIMEDOUT EPERM
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static pthread_mutex_t m;
static int counter;
static void make(pthread_mutex_t *at, int type, int protocol, int robust, int shared)
{
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, type);
    pthread_mutexattr_setprotocol(&a, protocol);
    pthread_mutexattr_setrobust(&a, robust);
    pthread_mutexattr_setpshared(&a, shared);
    pthread_mutex_init(at, &a);
}
static void *take_and_end(void *arg)
{
    pthread_mutex_lock(&m);
    return arg;
}
static void *count(void *arg)
{
    for (int i = 0; i < 300; i++) {
        pthread_mutex_lock(&m);
        int before = counter;
        if (i % 16 == 0)
            sched_yield();
        counter = before + 1;
        pthread_mutex_unlock(&m);
    }
    return arg;
}
static void run(void *(*f)(void *))
{
    pthread_t t;
    pthread_create(&t, NULL, f, NULL);
    pthread_join(t, NULL);
}
int main(void)
{
    make(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_PRIVATE);
    run(take_and_end);
    int died = pthread_mutex_lock(&m) == EOWNERDEAD;
    int repaired = pthread_mutex_consistent(&m) == 0 && pthread_mutex_unlock(&m) == 0;
    run(take_and_end);
    int again = pthread_mutex_lock(&m) == EOWNERDEAD;
    pthread_mutex_unlock(&m);
    int lost = pthread_mutex_lock(&m) == ENOTRECOVERABLE;
    printf("robust: %s, %s, then %s\n", died && again ? "owner died" : "?", repaired ? "repaired" : "?",
           lost ? "not recoverable" : "?");

    make(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, count, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    printf("pi: %s\n", counter == 4 * 300 ? "exclusive" : "not exclusive");

    make(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_PRIVATE);
    run(take_and_end);
    printf("robust pi: %s\n", pthread_mutex_lock(&m) == EOWNERDEAD ? "owner died" : "?");

    pthread_mutex_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    make(shared, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_SHARED);
    fflush(stdout);
    if (fork() == 0) {
        pthread_mutex_lock(shared);
        _exit(0);
    }
    wait(NULL);
    printf("between processes: %s\n", pthread_mutex_lock(shared) == EOWNERDEAD ? "owner died" : "?");

    make(&m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    run(take_and_end);
    int busy = pthread_mutex_trylock(&m), late = pthread_mutex_timedlock(&m, &soon), not_mine = pthread_mutex_unlock(&m);
    make(&m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
    pthread_mutex_lock(&m);
    printf("errors: %s %s %s %s\n", strerrorname_np(pthread_mutex_lock(&m)), strerrorname_np(busy), strerrorname_np(late),
           strerrorname_np(not_mine));
    return 0;
}
