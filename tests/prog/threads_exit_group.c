// SPDX-License-Identifier: MIT
// exit() in one thread while others run and block.
// LDFLAGS: -pthread
// EXIT: 11
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static volatile int spin = 1;
static void *busy(void *arg)
{
    while (spin)
        ;
    return 0;
}
static void *blocked(void *arg)
{
    pause();
    return 0;
}
int main(void)
{
    pthread_t t;
    pthread_create(&t, 0, busy, 0);
    pthread_create(&t, 0, blocked, 0);
    usleep(20000);
    exit(11);
}
