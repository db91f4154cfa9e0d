/* SPDX-License-Identifier: MIT */
/*
 * Host threads.  One that ends still runs code of the C library (it frees what it has cached, its
 * stack goes into a list) when it is no guest thread any more, and a fork at that moment would give the
 * child locks that nobody releases.  So those that end are kept here, and waited for before a fork.
 */
#include "host_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/vec.h"
#include "coregrind/os/host_mask.h"

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

static void *do_nothing(void *arg) { return arg; }

/**
 * With its first thread the C library takes signals of its own and unblocks them.  What is to be done
 * about that must be done before the client has a second thread, which could send them.
 */
static void first_start(const pthread_attr_t *attr)
{
    pthread_t host;
    if (pthread_create(&host, attr, do_nothing, NULL) == 0)
        pthread_join(host, NULL);
    if (host_thread_on_first)
        host_thread_on_first();
    host_mask_set(HOST_MASK_ALL);
    had_one = true;
}

void host_thread_prepare(void)
{
    pthread_attr_t attr;
    uint64_t before = host_mask_set(HOST_MASK_ALL);
    pthread_attr_init(&attr);
    if (!had_one)
        first_start(&attr);
    pthread_attr_destroy(&attr);
    host_mask_set(before);
}

int host_thread_start(void *(*run)(void *), void *arg)
{
    pthread_attr_t attr;
    pthread_mutex_lock(&mutex);
    free_ended();
    pthread_mutex_unlock(&mutex);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, HOST_STACK);
    uint64_t before = host_mask_set(HOST_MASK_ALL);
    if (!had_one)
        first_start(&attr);
    pthread_t host;
    int err = pthread_create(&host, &attr, run, arg);
    host_mask_set(before);
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
