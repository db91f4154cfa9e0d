// SPDX-License-Identifier: MIT
// Kernel: an interpreter loop with unpredictable indirect jumps and branches.
#include <stdio.h>
int main(void)
{
    static unsigned char code[4096];
    unsigned seed = 3;
    for (int i = 0; i < 4096; i++) {
        seed = seed * 1664525 + 1013904223;
        code[i] = (seed >> 13) % 8;
    }
    unsigned long acc = 1, n = 0;
    for (int round = 0; round < 15000; round++) {
        for (int pc = 0; pc < 4096; pc++) {
            switch (code[pc]) {
            case 0: acc += pc; break;
            case 1: acc ^= n; break;
            case 2: acc = acc << 1 | acc >> 63; break;
            case 3: if (acc & 1) n++; break;
            case 4: acc *= 5; break;
            case 5: if (acc > n) acc -= n; break;
            case 6: n += acc & 7; break;
            default: acc = ~acc; break;
            }
        }
    }
    printf("%lu %lu\n", acc, n);
    return 0;
}
