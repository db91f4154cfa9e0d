// SPDX-License-Identifier: MIT
// Small blocks that come and go fill the list of freed ones, records and shadow and all, among a few that stay.
// When that goes on the process stays as large as it was then: 60 MB and two and a half times what the program
// has natively.
// STDOUT: ok
// DIFFERS: Valgrind's list counts less
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
enum { PAIRS = 1200000, HELD = 64, STAY = 400 };
int main(void)
{
    static char *held[HELD], *stays[PAIRS / STAY];
    struct rusage r;
    for (int i = 0; i < PAIRS; i++) {
        free(held[i % HELD]);
        held[i % HELD] = malloc(24);
        held[i % HELD][0] = 1;
        if (i % STAY == 0 && i < PAIRS / 4)
            stays[i / STAY] = malloc(24);
    }
    for (int i = 0; i < HELD; i++)
        free(held[i]);
    for (int i = 0; i < PAIRS / STAY; i++)
        free(stays[i]);
    getrusage(RUSAGE_SELF, &r);
    if (r.ru_maxrss < 62 * 1000)
        puts("ok");
    else
        printf("%ld KiB\n", r.ru_maxrss);
    return 0;
}
