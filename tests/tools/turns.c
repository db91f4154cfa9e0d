// SPDX-License-Identifier: MIT
// Threads that take turns and use the same lines of the caches, for counts.t.
#include <pthread.h>
#include <sched.h>

enum { THREADS = 4, ROUNDS = 40, SIZE = 16384, STRIDE = 72 };
static volatile char data[SIZE * THREADS];

static void *work(void *arg)
{
    volatile char *own = data + (long)arg * SIZE;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < SIZE; i += STRIDE)
            own[i] += data[i];
        sched_yield();
    }
    return 0;
}

int main(void)
{
    pthread_t t[THREADS];
    for (long i = 0; i < THREADS; i++)
        pthread_create(&t[i], 0, work, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], 0);
    return 0;
}
