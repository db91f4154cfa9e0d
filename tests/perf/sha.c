// SPDX-License-Identifier: MIT
// Kernel: integer rounds in the manner of a hash function.
#include <stdint.h>
#include <stdio.h>
static uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}
int main(void)
{
    uint32_t s[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, w[16];
    for (int i = 0; i < 16; i++)
        w[i] = i * 0x9e3779b9u;
    for (int block = 0; block < 400000; block++) {
        for (int i = 0; i < 64; i++) {
            uint32_t x = w[i & 15], y = w[(i + 1) & 15];
            w[i & 15] = x += (rotate(y, 7) ^ rotate(y, 18) ^ y >> 3) + w[(i + 9) & 15];
            uint32_t t = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) +
                         ((s[4] & s[5]) ^ (~s[4] & s[6])) + x;
            s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + t;
            s[3] = s[2], s[2] = s[1], s[1] = s[0];
            s[0] = t + ((s[1] & s[2]) ^ (s[1] & s[3]) ^ (s[2] & s[3]));
        }
    }
    printf("%08x %08x\n", s[0], s[4]);
    return 0;
}
