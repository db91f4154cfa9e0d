// SPDX-License-Identifier: MIT
// Errors of a second thread name it and where it was made.
// LDFLAGS: -pthread
// LINE: /^Thread 2/
#include <pthread.h>
#include <stdlib.h>
static void *work(void *p)
{
    ((char *)p)[8] = 1; // EXPECT: Invalid write of size 1
    return 0;
}
int main(void)
{
    pthread_t t;
    char *p = malloc(8);
    pthread_create(&t, 0, work, p);
    pthread_join(t, 0);
    free(p);
    return 0;
}
