// SPDX-License-Identifier: MIT
// A thread that is created after another was joined gets its number, each time.
// LDFLAGS: -pthread
// LINE: /^Thread 2/
// NOLINE: /^Thread [3-9]/
#include <pthread.h>
#include <stdlib.h>
#define WORK(n) static void *work##n(void *p) { ((volatile char *)p)[8] = n; return 0; }
#define WORKS(n) WORK(n##0) WORK(n##1) WORK(n##2) WORK(n##3) WORK(n##4) WORK(n##5) WORK(n##6) WORK(n##7)
#define NAMES(n) work##n##0, work##n##1, work##n##2, work##n##3, work##n##4, work##n##5, work##n##6, work##n##7
WORKS(1) WORKS(2) WORKS(3) WORKS(4) // EXPECT*: Invalid write of size 1
static void *(*const work[])(void *) = { NAMES(1), NAMES(2), NAMES(3), NAMES(4) };
int main(void)
{
    char *p = malloc(8);
    for (unsigned i = 0; i < sizeof work / sizeof *work; i++) {
        pthread_t t;
        pthread_create(&t, 0, work[i], p);
        pthread_join(t, 0);
    }
    free(p);
    return 0;
}
