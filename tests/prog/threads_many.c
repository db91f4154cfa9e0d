// SPDX-License-Identifier: MIT
// Hundreds of threads made and joined in a loop, each with its own result.
// LDFLAGS: -pthread
// STDOUT: 124750
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <pthread.h>
#include <stdio.h>
static void *work(void *arg)
{
    return arg;
}
int main(void)
{
    long sum = 0;
    for (long i = 0; i < 500; i += 5) {
        pthread_t t[5];
        for (long k = 0; k < 5; k++)
            pthread_create(&t[k], 0, work, (void *)(i + k));
        for (int k = 0; k < 5; k++) {
            void *r;
            pthread_join(t[k], &r);
            sum += (long)r;
        }
    }
    printf("%ld\n", sum);
    return 0;
}
