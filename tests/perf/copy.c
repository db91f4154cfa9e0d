// SPDX-License-Identifier: MIT
// Kernel: memcpy, memmove and memset of blocks from 16 bytes to 256 KiB.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *a = malloc(1 << 18), *b = malloc(1 << 18);
    unsigned long sum = 0;
    memset(a, 1, 1 << 18);
    for (int round = 0; round < 6000; round++) {
        for (int shift = 4; shift <= 18; shift++) {
            size_t n = (size_t)1 << shift;
            memcpy(b, a, n);
            memmove(b + 1, b, n - 1);
            memset(a, round, n);
            sum += b[n - 1];
        }
    }
    printf("%lu\n", sum);
    free(a);
    free(b);
    return 0;
}
