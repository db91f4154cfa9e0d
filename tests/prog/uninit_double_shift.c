// SPDX-License-Identifier: MIT
// Each bit that shld and shrd shift is as undefined as it was before, with a count that is known or not.
#include <stdlib.h>
#include <stdint.h>
static uint64_t left(uint64_t a, uint64_t from)
{
    __asm__("shld $13, %1, %0" : "+r"(a) : "r"(from) : "cc");
    return a;
}
static uint32_t right(uint32_t a, uint32_t from, unsigned char count)
{
    __asm__("shrd %%cl, %1, %0" : "+r"(a) : "r"(from), "c"(count) : "cc");
    return a;
}
int main(void)
{
    uint64_t *p = malloc(sizeof *p);
    int n = 0;
    *(uint32_t *)p = 0x12345678; // the upper half is undefined
    uint64_t v = left(*p, 0xabcd000000000000);
    if (v & 0x1000)
        n++;
    if (v & (1ULL << 44))
        n++;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (v & (1ULL << 45))
        n++;
    uint32_t w = right(0x87654321, *p >> 16, 0);
    if (w & 1)
        n++;
    w = right(0x87654321, *p >> 16, 20);
    if (w & (1 << 27))
        n++;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (w & (1 << 28))
        n++;
    free(p);
    return n == 9;
}
