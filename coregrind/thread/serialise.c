/* SPDX-License-Identifier: MIT */
/* A ticket lock on a mutex and condition variable; a waiter kicks the holder after a time slice. */
#include "serialise.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "thread.h"

enum { SLICE_MS = 10 };

static bool serialise_on;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint64_t next_ticket, now_serving;
static Thread *holder;
static volatile bool wanted;

void serialise_init(bool on) { serialise_on = on; }
bool serialise_wanted(void) { return wanted; }

static struct timespec slice_end(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_nsec += SLICE_MS * 1000000L;
    if (ts.tv_nsec >= 1000000000L) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000L;
    }
    return ts;
}

void serialise_acquire(void)
{
    if (!serialise_on)
        return;
    pthread_mutex_lock(&mutex);
    uint64_t mine = next_ticket++;
    struct timespec end = slice_end();
    while (mine != now_serving) {
        if (pthread_cond_timedwait(&changed, &mutex, &end) == ETIMEDOUT) {
            wanted = true;
            if (holder)
                thread_kick(holder);
            end = slice_end();
        }
    }
    holder = thread_self();
    wanted = false;
    pthread_mutex_unlock(&mutex);
}

void serialise_release(void)
{
    if (!serialise_on)
        return;
    pthread_mutex_lock(&mutex);
    now_serving++;
    holder = NULL;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

void serialise_fork_child(void)
{
    pthread_mutex_init(&mutex, NULL);
    pthread_cond_init(&changed, NULL);
    next_ticket = now_serving + 1;
    holder = thread_self();
    wanted = false;
}
