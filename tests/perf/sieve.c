// SPDX-License-Identifier: MIT
// Kernel: the sieve of Eratosthenes in a bit array.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
    enum { N = 8000000 };
    unsigned char *bits = malloc(N / 8 + 1);
    int count = 0;
    for (int round = 0; round < 6; round++) {
        memset(bits, 0, N / 8 + 1);
        count = 0;
        for (int i = 2; i < N; i++) {
            if (bits[i >> 3] >> (i & 7) & 1)
                continue;
            count++;
            for (long j = (long)i * i; j < N; j += i)
                bits[j >> 3] |= 1 << (j & 7);
        }
    }
    printf("%d\n", count);
    free(bits);
    return 0;
}
