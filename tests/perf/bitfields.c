// SPDX-License-Identifier: MIT
// Kernel: structures with bit fields and padding, copied and changed: what memcheck's fast mode
// likes least.
#include <stdio.h>
#include <stdlib.h>
struct item { unsigned kind : 3, used : 1, level : 12; char tag; double weight; short x; };
int main(void)
{
    enum { N = 20000 };
    struct item *v = malloc(N * sizeof *v), t;
    long sum = 0;
    for (int i = 0; i < N; i++) {
        v[i].kind = i & 7, v[i].used = i & 1, v[i].level = i & 4095;
        v[i].tag = (char)i, v[i].weight = i, v[i].x = i;
    }
    for (int round = 0; round < 5000; round++) {
        for (int i = 0; i + 1 < N; i++) {
            if (v[i].kind > v[i + 1].kind)
                t = v[i], v[i] = v[i + 1], v[i + 1] = t;
            v[i].level += v[i].used;
            sum += v[i].level;
        }
    }
    printf("%ld\n", sum);
    free(v);
    return 0;
}
