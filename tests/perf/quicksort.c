// SPDX-License-Identifier: MIT
// Kernel: qsort with a comparison function, and a binary search after it.
#include <stdio.h>
#include <stdlib.h>
static int compare(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}
int main(void)
{
    enum { N = 300000 };
    int *v = malloc(N * sizeof *v);
    unsigned seed = 5;
    long sum = 0;
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < N; i++)
            v[i] = (seed = seed * 1664525 + 1013904223) >> 3;
        qsort(v, N, sizeof *v, compare);
        for (int i = 0; i < N; i += 3)
            sum += bsearch(&v[i], v, N, sizeof *v, compare) != 0;
    }
    printf("%ld %d\n", sum, v[N / 2]);
    free(v);
    return 0;
}
