// SPDX-License-Identifier: MIT
// Sizes that change all the time, each for a while: the memory of one size serves the next.
// STDOUT: ok
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
enum { ROUNDS = 60, PAIRS = 20000, HELD = 64 };
int main(void)
{
    static char *held[HELD];
    struct rusage r;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < PAIRS; i++) {
            free(held[i % HELD]);
            held[i % HELD] = malloc((size_t)(200 + round * 40));
            held[i % HELD][0] = 1;
        }
    }
    for (int i = 0; i < HELD; i++)
        free(held[i]);
    getrusage(RUSAGE_SELF, &r);
    if (r.ru_maxrss < 200 * 1024)
        puts("ok");
    else
        printf("%ld KiB\n", r.ru_maxrss);
    return 0;
}
