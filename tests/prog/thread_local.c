// SPDX-License-Identifier: MIT
// Thread-local variables, many threads one after another.
// LDFLAGS: -pthread
// STDOUT: 2080
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <pthread.h>
#include <stdio.h>
static __thread int mine = 1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int sum;
static void *work(void *arg)
{
    mine += (int)(long)arg;
    pthread_mutex_lock(&lock);
    sum += mine;
    pthread_mutex_unlock(&lock);
    return 0;
}
int main(void)
{
    pthread_t t[8];
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < 8; i++)
            pthread_create(&t[i], 0, work, (void *)(long)(round * 8 + i));
        for (int i = 0; i < 8; i++)
            pthread_join(t[i], 0);
    }
    printf("%d\n", sum);
    return 0;
}
