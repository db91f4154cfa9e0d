// SPDX-License-Identifier: MIT
// A test of bits in memory looks at those bits only; where the byte is not addressable that is
// reported whatever the bits are.
// CFLAGS: -O1
// STDOUT: 6
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define TEST(name, suffix, bits)                                                           \
    static int name(const void *p)                                                         \
    {                                                                                      \
        int r = 0;                                                                         \
        __asm__ goto("test" suffix " $" #bits ", (%0); jnz %l1" : : "r"(p) : "cc" : set);  \
        return 1;                                                                          \
    set:                                                                                   \
        return 2;                                                                          \
    }
TEST(low, "b", 1) // EXPECT: Conditional jump or move depends on uninitialised value(s)
TEST(second, "b", 2)
TEST(high, "l", 0x80000000)
TEST(wide, "q", -16)
TEST(freed_byte, "b", 8) // EXPECT: Invalid read of size 1
TEST(freed_word, "w", 0x4242) // EXPECT: Invalid read of size 2
int main(void)
{
    unsigned char *p = malloc(8), *q = malloc(8);
    int n = 0;
    memset(q, 0, 8);
    p[0] &= 0xfd; // bit 1 is 0 now
    n += second(p) - 1;
    n += low(p) > 0;
    memset(p, 0, 8);
    n += high(p) + wide(p);
    free(q);
    n += freed_byte(q) > 0;
    n += freed_word(q) > 0;
    printf("%d\n", n + 1);
    free(p);
    return 0;
}
