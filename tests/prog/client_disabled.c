// SPDX-License-Identifier: MIT
// A thread, and the program, end with their errors still disabled.
// LDFLAGS: -lpthread
// LINE: WARNING: exiting thread has error reporting disabled.
// LINE: WARNING: of the VALGRIND_DISABLE_ERROR_REPORTING macros.
#include <pthread.h>
#include <stdlib.h>
#include "../../include/gimle/client.h"
static void *thread(void *arg)
{
    VALGRIND_DISABLE_ERROR_REPORTING;
    *(volatile char *)arg = 1;
    return NULL;
}
int main(void)
{
    char *p = malloc(8);
    pthread_t t;
    free(p);
    pthread_create(&t, NULL, thread, p);
    pthread_join(t, NULL);
    *(volatile char *)p = 1; // EXPECT: Invalid write of size 1
    return 0;
}
