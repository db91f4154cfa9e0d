// SPDX-License-Identifier: MIT
// A thread costs what it uses: tables that each thread has are without memory until then.
// LDFLAGS: -pthread
// STDOUT: ok
// DIFFERS: Valgrind's threads cost other things
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
enum { THREADS = 150, PAIRS = 200 };
static pthread_barrier_t all;
static void *work(void *arg)
{
    for (int i = 0; i < PAIRS; i++) {
        char *p = malloc((size_t)(10 + i % 40));
        p[0] = 1;
        free(p);
    }
    pthread_barrier_wait(&all);
    return arg;
}
int main(void)
{
    pthread_t thread[THREADS];
    struct rusage r;
    pthread_barrier_init(&all, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, work, NULL) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&all);
    getrusage(RUSAGE_SELF, &r);
    if (r.ru_maxrss < 60 * 1000)
        puts("ok");
    else
        printf("%ld KiB\n", r.ru_maxrss);
    return 0;
}
