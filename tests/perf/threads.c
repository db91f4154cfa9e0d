// SPDX-License-Identifier: MIT
// Kernel: a fixed amount of work shared by as many threads as the argument says.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static int n_threads;
static unsigned long result[64];
static void *work(void *arg)
{
    long me = (long)arg;
    static __thread unsigned table[4096];
    unsigned long x = me + 1, sum = 0;
    for (long i = me; i < 180L * 1000 * 1000; i += n_threads) {
        x = x * 6364136223846793005ul + 1442695040888963407ul;
        table[x >> 52] += i;
        sum += table[(x >> 40) & 4095];
    }
    result[me] = sum;
    return 0;
}
int main(int argc, char **argv)
{
    pthread_t t[64];
    unsigned long sum = 0;
    n_threads = argc > 1 ? atoi(argv[1]) : 2;
    for (long i = 0; i < n_threads; i++)
        pthread_create(&t[i], 0, work, (void *)i);
    for (int i = 0; i < n_threads; i++) {
        pthread_join(t[i], 0);
        sum += result[i] & 1;
    }
    printf("%d\n", sum < 100);
    return 0;
}
