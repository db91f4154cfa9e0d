// SPDX-License-Identifier: MIT
// A value that was reported counts as defined up to the next conditional jump, wherever blocks of ours
// begin and end: the condition codes, and a register that is used as an address.
// DIFFERS: it takes jumps that lead to one place as one condition
// CFLAGS: -O1
#include <stdlib.h>
#include "valgrind/memcheck.h"

/** What follows is code of the line that this is in. */
#define HERE ".loc 1 " TEXT(__LINE__) "\n"
#define TEXT(x) TEXT_OF(x)
#define TEXT_OF(x) #x

long table[1 << 13];

int main(void)
{
    long *undefined = malloc(sizeof *undefined);
    *undefined = 7;
    (void)VALGRIND_MAKE_MEM_UNDEFINED(undefined, sizeof *undefined);
    __asm__ volatile("movq (%0), %%rax; cmpq $5, %%rax\n"
                     HERE "jb 1f; nop\n" // EXPECT: Conditional jump or move depends on uninitialised value(s)
                     HERE "je 1f; nop\n" // EXPECT: Conditional jump or move depends on uninitialised value(s)
                     HERE "jg 3f; nop\n 3: nop\n" // EXPECT: Conditional jump or move depends on uninitialised value(s)
                     "1: nop" : : "r"(undefined) : "rax", "cc");
    __asm__ volatile("movq (%0), %%rsi; andq $0xf8, %%rsi; leaq table(%%rip), %%rdi; addq %%rdi, %%rsi\n"
                     HERE "movq (%%rsi), %%rax\n" // EXPECT: Use of uninitialised value of size 8
                     HERE "movq 8(%%rsi), %%rcx\n"
                     "testq %0, %0; je 1f\n"
                     HERE "addq 16(%%rsi), %%rax\n" // EXPECT: Use of uninitialised value of size 8
                     HERE "addq 24(%%rsi), %%rcx\n"
                     HERE "testl $1, %%esi; jne 1f\n"
                     HERE "addq 32(%%rsi), %%rax\n" // EXPECT: Use of uninitialised value of size 8
                     HERE "addq %%rcx, %%rax\n"
                     "1: nop" : : "r"(undefined) : "rax", "rcx", "rsi", "rdi", "cc");
    free(undefined);
    return 0;
}
