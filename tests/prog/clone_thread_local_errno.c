// SPDX-License-Identifier: MIT
// errno is each thread's own; the vDSO clocks go forward.
// LDFLAGS: -pthread
// STDOUT: main 2 thread 9 time 1
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
static void *work(void *arg)
{
    close(-1);
    return (void *)(long)errno;
}
int main(void)
{
    pthread_t t;
    void *r;
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    open("/no/such", O_RDONLY);
    int mine = errno;
    pthread_create(&t, 0, work, 0);
    pthread_join(t, &r);
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("main %d thread %ld time %d\n", mine, (long)r,
        b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec > a.tv_nsec));
    return 0;
}
