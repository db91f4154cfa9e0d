// SPDX-License-Identifier: MIT
// Instructions of which only a part of what they are given counts: PCMPISTRI looks at nothing
// behind the end of a string, BT with a register looks at one byte, vector shifts at half of the
// count.  FXSAVE and XSAVE keep what is undefined in registers undefined, and nothing else.
// CFLAGS: -O1 -msse4.2
// NEEDS: cpu:sse4_2
// NEEDS: cpu:xsave
// STDOUT: 3 5 1 1 1
// DIFFERS: strings for PCMPISTRI must be defined to their end there, images are defined
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int find_in(const char *s, const char *set)
{
    int at;
    __asm__("movdqu %1, %%xmm0; movdqu %2, %%xmm1; pcmpistri $0, %%xmm1, %%xmm0"
            : "=c"(at) : "m"(*(const char(*)[16])set), "m"(*(const char(*)[16])s) : "xmm0", "xmm1", "cc");
    return at;
}

static int find_in_n(const char *s, long n, const char *set, long m)
{
    int at;
    __asm__("movdqu %1, %%xmm0; pcmpestri $0, %2, %%xmm0"
            : "=c"(at) : "m"(*(const char(*)[16])set), "m"(*(const char(*)[16])s), "a"(m), "d"(n)
            : "xmm0", "cc");
    return at;
}

static int bit(const void *p, long n)
{
    uint8_t set;
    __asm__ volatile("btq %2, %1; setc %0" : "=r"(set) : "m"(*(const char(*)[])p), "r"(n) : "cc");
    return set;
}

static __attribute__((noinline)) int is_zero(long x)
{
    return x == 0;
}

int main(void)
{
    char *s = malloc(16), *set = malloc(16);
    strcpy(s, "abcd"); // what follows is undefined
    strcpy(set, "dx");
    int at = find_in(s, set);
    if (at != 3)
        printf("wrong place\n");
    printf("%d ", at);
    memcpy(s, "abcdefgh", 9);
    at = find_in_n(s, 8, "f", 1);
    if (at != 5)
        printf("wrong place\n");
    printf("%d ", at);
    __asm__ volatile("" : "+r"(s));
    if (find_in_n(s, 16, "?", 1) == 0) // EXPECT: Conditional jump or move depends on uninitialised value(s)
        printf("wrong place\n");

    uint8_t *bits = malloc(3); // smaller than the operand
    memset(bits, 0, 3);
    bits[2] = 0x10;
    printf("%d ", bit(bits, 20) && !bit(bits, 19) && bit(bits + 2, 4) && bit(bits + 3, -4));
    bit(bits, 24); // EXPECT: Invalid read of size 1

    int64_t *count = malloc(16), r; // its upper half is undefined
    count[0] = 3;
    __asm__ volatile("movdqu %1, %%xmm0; movl $1, %%eax; movq %%rax, %%xmm1; psllq %%xmm0, %%xmm1; movq %%xmm1, %0"
                     : "=r"(r) : "m"(*(char(*)[16])count) : "xmm0", "xmm1", "rax");
    printf("%d ", r == 8);

    char *fx = aligned_alloc(64, 4096), *xs = aligned_alloc(64, 4096);
    memset(xs, 0, 4096);
    long *words = malloc(16);
    words[1] = 0;
    long back[2][2];
    __asm__ volatile("movdqu %2, %%xmm3; fxsave %3; pxor %%xmm3, %%xmm3; fxrstor %3; movdqu %%xmm3, %0;"
                     "movdqu %2, %%xmm3; movl $3, %%eax; xorl %%edx, %%edx; xsave %4; pxor %%xmm3, %%xmm3;"
                     "xrstor %4; movdqu %%xmm3, %1"
                     : "=m"(back[0]), "=m"(back[1]), "+m"(*(char(*)[16])words), "+m"(*(char(*)[512])fx),
                       "+m"(*(char(*)[4096])xs)
                     : : "xmm3", "eax", "edx", "memory");
    printf("%d\n", is_zero(back[0][1]) && is_zero(back[1][1]) && is_zero(((long *)fx)[20 + 6 + 1]));
    if (back[0][0] == 77) // EXPECT: Conditional jump or move depends on uninitialised value(s)
        printf("no\n");
    if (back[1][0] == 77) // EXPECT: Conditional jump or move depends on uninitialised value(s)
        printf("no\n");
    if (((long *)fx)[20 + 6] == 77) // EXPECT: Conditional jump or move depends on uninitialised value(s)
        printf("no\n");
    char *small = aligned_alloc(64, 256);
    __asm__ volatile("fxsave %0" : "+m"(*(char(*)[512])small)); // EXPECT: Invalid write of size 512
    free(s), free(set), free(bits), free(count), free(fx), free(xs), free(words);
    return 0;
}
