/* SPDX-License-Identifier: MIT */
/*
 * Host threads.  One that ends still runs code of the C library (it frees what it has cached, its
 * stack goes into a list) when it is no guest thread any more, and a fork at that moment would give the
 * child locks that nobody releases.  So those that end are kept here, and waited for before a fork.
 */
#include "host_thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#include "base/vec.h"

enum {
    HOST_STACK = 1 << 20, /* holds the thread-local storage of core and tool too, 410 KiB */
    MANY_ENDED = 16       /* then one that ends frees what the others have left */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static VEC(pthread_t) ended; /* mutex */
static bool had_one;

void (*host_thread_on_first)(void);

/** Free the stacks of those that have ended since. The mutex is held. */
static void free_ended(void)
{
    size_t kept = 0;
    for (size_t i = 0; i < ended.n; i++)
        if (pthread_tryjoin_np(ended.data[i], NULL) == EBUSY)
            ended.data[kept++] = ended.data[i];
    ended.n = kept;
}

int host_thread_start(void *(*run)(void *), void *arg)
{
    pthread_attr_t attr;
    pthread_mutex_lock(&mutex);
    free_ended();
    pthread_mutex_unlock(&mutex);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, HOST_STACK);
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_t host;
    int err = pthread_create(&host, &attr, run, arg);
    if (!had_one && host_thread_on_first)
        host_thread_on_first();
    had_one = true;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return err;
}

void host_thread_ends(void)
{
    pthread_mutex_lock(&mutex);
    if (ended.n >= MANY_ENDED)
        free_ended();
    vec_push(&ended, pthread_self());
    pthread_mutex_unlock(&mutex);
}

void host_thread_wait_ended(void)
{
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < ended.n; i++)
        pthread_join(ended.data[i], NULL);
    ended.n = 0;
    pthread_mutex_unlock(&mutex);
}
