// SPDX-License-Identifier: MIT
// Allocating 4 GiB and touching little of it costs little memory and time, calloc and realloc too.
// DIFFERS: Valgrind warns of large ranges, and takes minutes
// STDOUT: ok
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
static long cpu_ms(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000 +
           (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1000;
}
int main(void)
{
    size_t size = (size_t)4 << 30;
    struct rusage r;
    long start = cpu_ms();
    for (int i = 0; i < 3; i++) {
        char *p = malloc(size);
        p[0] = p[size - 1] = p[size / 2] = 1;
        free(p);
        p = calloc(size, 1);
        if (p[12345678] != 0)
            return 1;
        free(p);
    }
    long ms = cpu_ms() - start;
    getrusage(RUSAGE_SELF, &r);
    if (ms < 2000 && r.ru_maxrss < 200 * 1024)
        puts("ok");
    else
        printf("%ld ms, %ld KiB\n", ms, r.ru_maxrss);
    return 0;
}
