// SPDX-License-Identifier: MIT
// The main thread ends first; the process lives until the last thread.
// LDFLAGS: -pthread
// STDOUT: last thread
// EXIT: 0
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static void *work(void *arg)
{
    usleep(50000);
    puts("last thread");
    return 0;
}
int main(void)
{
    pthread_t t;
    pthread_create(&t, 0, work, 0);
    pthread_exit(0);
}
