// SPDX-License-Identifier: MIT
// Signals 32 and 33, which the C library uses itself, stay blocked where the program blocks them, and
// reach only the program's handlers: timers that start threads; setuid() by a process's first thread.
// DIFFERS: how many threads are left at the end differs from run to run
// LDFLAGS: -pthread
// STDOUT: ok
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 20, EXPIRIES = 50 };
static sem_t expired;

static void *set_ids(void *arg)
{
    if (setuid(getuid()) != 0)
        abort();
    return arg;
}

static void on_timer(union sigval v)
{
    (void)v;
    sem_post(&expired);
}

int main(void)
{
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        if (fork() == 0) {
            pthread_t t;
            pthread_create(&t, NULL, set_ids, NULL);
            pthread_join(t, NULL);
            _exit(0);
        }
        wait(&status);
        if (status)
            printf("child ended with %#x\n", status);
    }
    struct sigevent ev = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_timer };
    struct itimerspec often = { { 0, 200000 }, { 0, 200000 } };
    timer_t id;
    sem_init(&expired, 0, 0);
    if (timer_create(CLOCK_MONOTONIC, &ev, &id) != 0 || timer_settime(id, 0, &often, NULL) != 0)
        return 1;
    for (int i = 0; i < EXPIRIES; i++)
        sem_wait(&expired);
    puts("ok");
    fflush(stdout);
    _exit(0);
}
