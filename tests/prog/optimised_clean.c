// SPDX-License-Identifier: MIT
// Vectorised loops over partly initialised structures and bit tests, at -O3.
// CFLAGS: -O3
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <stdlib.h>
struct flags { unsigned a : 1, b : 1, c : 6; unsigned char d; };
static __attribute__((noinline)) int count(struct flags *f, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++)
        sum += f[i].a + f[i].d;
    return sum;
}
int main(void)
{
    struct flags *f = malloc(100 * sizeof *f);
    for (int i = 0; i < 100; i++) {
        f[i].a = i & 1;
        f[i].d = 2;
    }
    return count(f, 100) != 250;
}
