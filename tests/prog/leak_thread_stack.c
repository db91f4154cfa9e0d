// SPDX-License-Identifier: MIT
// A block that only a blocked thread's stack points to is reachable.
// LDFLAGS: -pthread
// OPTIONS: --leak-check=full --show-leak-kinds=definite
// LINE: definitely lost: 0 bytes in 0 blocks
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static int ready[2];
static void *work(void *arg)
{
    char *volatile p = malloc(123);
    p[0] = 1;
    write(ready[1], "x", 1);
    for (;;)
        pause();
}
int main(void)
{
    pthread_t t;
    char c;
    pipe(ready);
    pthread_create(&t, 0, work, 0);
    read(ready[0], &c, 1);
    exit(0);
}
