// SPDX-License-Identifier: MIT
// INC leaves the carry as it is: if it was undefined it still is, also where a block begins between.
// STDOUT: done
// DIFFERS: Valgrind does not follow the carry through INC
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    volatile unsigned long *p = malloc(sizeof *p);
    unsigned long carry = *p & 1, n = 5;
    __asm__ volatile("push %1; popfq; inc %0; jc 1f; 1:" : "+r"(n) : "r"(carry) : "cc"); // EXPECT: Conditional jump or move depends on uninitialised value(s)
    __asm__ volatile("push %1; popfq; inc %0; jz 1f; 1:" : "+r"(n) : "r"(carry) : "cc"); // its zero flag is defined
    __asm__ volatile("push %1; popfq; inc %0; shl %%cl, %0; jc 1f; 1:" : "+r"(n) : "r"(carry), "c"(0) : "cc"); // EXPECT: Conditional jump or move depends on uninitialised value(s)
    puts("done");
    free((void *)p);
    return 0;
}
