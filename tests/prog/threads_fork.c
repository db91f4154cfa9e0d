// SPDX-License-Identifier: MIT
// fork() in a threaded program: the child has one thread and works on.
// DIFFERS: what the other threads have allocated when fork() comes differs from run to run
// LDFLAGS: -pthread
// STDOUT: child says 42
// STDOUT: status 0
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int stop;
static void *busy(void *arg)
{
    while (!stop)
        free(malloc(10));
    return 0;
}
static void *answer(void *arg)
{
    return (void *)42;
}
int main(void)
{
    pthread_t t, u;
    int status;
    pthread_create(&t, 0, busy, 0);
    usleep(10000);
    if (fork() == 0) {
        void *r;
        pthread_create(&u, 0, answer, 0);
        pthread_join(u, &r);
        printf("child says %ld\n", (long)r);
        fflush(stdout);
        _exit(0);
    }
    wait(&status);
    stop = 1;
    pthread_join(t, 0);
    printf("status %d\n", status);
    return 0;
}
