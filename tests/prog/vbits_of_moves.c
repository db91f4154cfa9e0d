// SPDX-License-Identifier: MIT
// Undefined bits that are moved about and masked at random, in all the ways that carry mode follows: what
// is left of them at the end is what Valgrind has, and what every mode of ours has.
// CFLAGS: -O2
// STDOUT: 6aea2d951899dcc4
#include <emmintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "valgrind/memcheck.h"

enum { SIZE = 2048, ROUNDS = 20000 };

#define MOVE(name) __attribute__((noinline)) static void name(void *to, const void *from)

MOVE(copy_1) { memcpy(to, from, 1); }
MOVE(copy_2) { memcpy(to, from, 2); }
MOVE(copy_4) { memcpy(to, from, 4); }
MOVE(copy_8) { memcpy(to, from, 8); }
MOVE(copy_16) { memcpy(to, from, 16); }
MOVE(copy_24) { memcpy(to, from, 24); }
MOVE(copy_40) { memcpy(to, from, 40); }
MOVE(swap_8)
{
    uint64_t x, y;
    memcpy(&x, to, 8), memcpy(&y, from, 8);
    memcpy(to, &y, 8), memcpy((void *)(uintptr_t)from, &x, 8);
}

/* To @p to, from @p from, in these registers. */
#define ASM(text) \
    __asm__ volatile(text : : "r"(to), "r"(from) : "rbx", "rcx", "rdx", "xmm0", "xmm1", "cc", "memory")

MOVE(zero_byte) { ASM("movzbl (%1), %%ebx; movq %%rbx, (%0)"); }
MOVE(zero_word) { ASM("movzwl (%1), %%ebx; movq %%rbx, (%0)"); }
MOVE(zero_long) { ASM("movl (%1), %%ebx; movq %%rbx, (%0)"); }
MOVE(sign_long) { ASM("movslq (%1), %%rbx; movl (%1), %%ecx; movq %%rbx, (%0); movq %%rcx, 8(%0)"); }
MOVE(mask_long) { ASM("movq (%1), %%rbx; andl $0xa5a5a5a5, %%ebx; movq %%rbx, (%0)"); }
MOVE(mask_byte) { ASM("movb (%1), %%bl; andb $0xa5, %%bl; movb %%bl, (%0)"); }
MOVE(mask_low_byte) { ASM("movq (%1), %%rbx; andb $0xa5, %%bl; movq %%rbx, (%0); orw $0x5a5a, %%bx; movq %%rbx, 8(%0)"); }
MOVE(shifts)
{
    ASM("movq (%1), %%rbx; movq %%rbx, (%0); movq %%rbx, %%rcx; shrq $3, %%rbx; andl $0x0f0f, %%ebx; movq %%rbx, 8(%0);"
        "orq $0xff00, %%rcx; shlq $5, %%rcx; movq %%rcx, 16(%0)");
}
MOVE(push_pop)
{
    ASM("movq (%1), %%rbx; movq 8(%1), %%rcx; pushq %%rbx; pushq %%rcx; movl $0, %%ebx; movzbl %%cl, %%ecx;"
        "movq %%rcx, 16(%0); popq %%rbx; popq %%rcx; movq %%rbx, (%0); movq %%rcx, 8(%0)");
}
MOVE(through_itself)
{
    ASM("movq %1, %%rbx; movq (%%rbx), %%rbx; movl %%ebx, %%ebx; movq %%rbx, %%rcx; movzwl %%cx, %%edx;"
        "movq %%rbx, (%0); movq %%rdx, 8(%0)");
}
MOVE(halves) { ASM("movdqu (%1), %%xmm0; movdqu 16(%1), %%xmm1; punpcklqdq %%xmm1, %%xmm0; movdqu %%xmm0, (%0)"); }
MOVE(merge) { ASM("movups (%1), %%xmm0; movss 20(%1), %%xmm1; movss %%xmm1, %%xmm0; movups %%xmm0, (%0)"); }
MOVE(crossing)
{
    ASM("movq (%1), %%xmm0; movq %%xmm0, %%rbx; movq %%rbx, (%0); movl 8(%1), %%ecx; movd %%ecx, %%xmm1;"
        "movdqa %%xmm1, %%xmm0; movdqu %%xmm0, 8(%0)");
}

static void (*const move[])(void *, const void *) = {
    copy_1, copy_2, copy_4, copy_8, copy_16, copy_24, copy_40, swap_8, zero_byte, zero_word, zero_long, sign_long,
    mask_long, mask_byte, mask_low_byte, shifts, push_pop, through_itself, halves, merge, crossing
};

static uint32_t seed = 4711;

static uint32_t draw(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

int main(void)
{
    static unsigned char vbits[SIZE];
    unsigned char *p = malloc(SIZE);
    uint64_t hash = 0;
    memset(p, 1, SIZE);
    for (int i = 0; i < SIZE; i++)
        vbits[i] = (unsigned char)(draw(2) ? 0 : draw(2) ? 0xff : draw(3) ? 0xa5 : draw(256));
    (void)VALGRIND_SET_VBITS(p, vbits, SIZE);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t half = draw(2) ? SIZE / 2 : 0; /* they do not overlap */
        unsigned char *to = p + half + draw(SIZE / 2 - 64), *from = p + SIZE / 2 - half + draw(SIZE / 2 - 64);
        if (draw(40) == 0)
            (void)VALGRIND_MAKE_MEM_UNDEFINED(to, draw(48));
        move[draw(sizeof move / sizeof move[0])](to, from);
        if (i % 100 == 0) {
            (void)VALGRIND_GET_VBITS(p, vbits, SIZE);
            for (int k = 0; k < SIZE; k++)
                hash = hash * 31 + vbits[k];
        }
    }
    printf("%016llx\n", (unsigned long long)hash);
    free(p);
    return 0;
}
