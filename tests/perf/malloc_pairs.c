// SPDX-License-Identifier: MIT
// Kernel: pairs of malloc and free of small sizes, some blocks held for a while.  Five million
// pairs; the benchmark takes the time of one pair from it.
#include <stdio.h>
#include <stdlib.h>
enum { PAIRS = 5000000, HELD = 512 };
int main(void)
{
    static char *held[HELD];
    unsigned seed = 1, sum = 0;
    for (int i = 0; i < PAIRS; i++) {
        seed = seed * 1664525 + 1013904223;
        unsigned slot = (seed >> 8) % HELD, size = 8 + (seed >> 20) % 200;
        if (held[slot])
            sum += (unsigned char)held[slot][0];
        free(held[slot]);
        held[slot] = malloc(size);
        held[slot][0] = (char)i;
    }
    for (int i = 0; i < HELD; i++)
        free(held[i]);
    printf("%u\n", sum);
    return 0;
}
