// SPDX-License-Identifier: MIT
// Two threads pass a token to and fro.
// LDFLAGS: -pthread
// STDOUT: 2000
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <pthread.h>
#include <stdio.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int turn, count;
static void *play(void *arg)
{
    int me = (int)(long)arg;
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&m);
        while (turn != me)
            pthread_cond_wait(&c, &m);
        count++;
        turn = !me;
        pthread_cond_signal(&c);
        pthread_mutex_unlock(&m);
    }
    return 0;
}
int main(void)
{
    pthread_t t;
    pthread_create(&t, 0, play, (void *)1);
    play(0);
    pthread_join(t, 0);
    printf("%d\n", count);
    return 0;
}
