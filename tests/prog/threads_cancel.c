// SPDX-License-Identifier: MIT
// Cancellation runs the clean-up handlers.
// LDFLAGS: -pthread
// STDOUT: cleaned
// STDOUT: cancelled 1
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static void clean(void *arg)
{
    puts("cleaned");
}
static void *work(void *arg)
{
    pthread_cleanup_push(clean, 0);
    for (;;)
        sleep(100);
    pthread_cleanup_pop(1);
    return 0;
}
int main(void)
{
    pthread_t t;
    void *r;
    pthread_create(&t, 0, work, 0);
    usleep(20000);
    pthread_cancel(t);
    pthread_join(t, &r);
    printf("cancelled %d\n", r == PTHREAD_CANCELED);
    return 0;
}
