// SPDX-License-Identifier: MIT
// Halves of vectors and general registers change places while one half is undefined: only what
// depends on that half is reported.  A load of undefined bytes through the register that it loads.
// EXIT: 0
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static volatile int seen;
__attribute__((noinline)) static void use(uint64_t v)
{
    if (v == 12345)
        seen++;
}
/** Until here the halves are only moved. */
#define HALVES(insns)                                                                              \
    __asm__ volatile("movdqu (%2), %%xmm4\n\tmovdqu (%3), %%xmm5\n\t" insns                        \
                     "\n\tmovq %%xmm5, %0\n\tmovhlps %%xmm5, %%xmm5\n\tmovq %%xmm5, %1"            \
                     : "=&r"(low), "=&r"(high) : "r"(half), "r"(whole) : "xmm4", "xmm5", "memory")
int main(void)
{
    uint64_t *half = malloc(16), *whole = malloc(16), low, high;
    half[0] = 1; // half[1] is undefined
    whole[0] = 2, whole[1] = 3;
    for (int i = 0; i < 20; i++) {
        HALVES("movlhps %%xmm4, %%xmm5");
        use(low + high);
        HALVES("punpcklqdq %%xmm4, %%xmm5");
        use(low + high);
        HALVES("unpcklpd %%xmm4, %%xmm5");
        use(low + high);
        HALVES("movhlps %%xmm5, %%xmm4; movdqa %%xmm4, %%xmm5");
        use(low);
        HALVES("movlhps %%xmm5, %%xmm4; movdqa %%xmm4, %%xmm5");
        use(low + high);
        HALVES("movq %%xmm4, %%rax; movq %%rax, %%xmm5");
        use(low + high);
    }
    HALVES("movhlps %%xmm4, %%xmm5");
    use(high);
    use(low);  // EXPECT: Conditional jump or move depends on uninitialised value(s)
    HALVES("movhlps %%xmm5, %%xmm4; movdqa %%xmm4, %%xmm5");
    use(low);
    use(high); // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // the base register is overwritten by what is loaded
    uint64_t *p = malloc(24), copy[2];
    p[0] = 7; // p[1] is undefined
    for (int i = 0; i < 20; i++)
        __asm__ volatile("mov %1, %%rax\n\tmov 8(%%rax), %%rax\n\tmov %%rax, %0"
                         : "=m"(copy[0]) : "r"(p) : "rax", "memory");
    use(copy[0]); // EXPECT: Conditional jump or move depends on uninitialised value(s)
    free(p);
    for (int i = 0; i < 2; i++)
        // EXPECT: Invalid read of size 8
        __asm__ volatile("mov %1, %%rax\n\tmov 8(%%rax), %%rax\n\tmov %%rax, %0"
                         : "=m"(copy[0]) : "r"(p) : "rax", "memory");
    free(half);
    free(whole);
    return 0;
}
