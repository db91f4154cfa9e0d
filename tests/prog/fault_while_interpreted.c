// SPDX-License-Identifier: MIT
// As fault_while_undefined.c, in the interpreter: a load of its own faults, and an instruction that it
// lets the processor run.
// DIFFERS: Valgrind has no such engine
// OPTIONS: --engine=interp
// CFLAGS: -O1
// STDOUT: 1
// STDOUT: 1
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static sigjmp_buf back;

static void on_fault(int sig)
{
    siglongjmp(back, sig);
}

/** R10 becomes defined in one block, and is looked at in another one that has undefined values. */
static long overwrite(long *undefined)
{
    long ok = 0;
    __asm__ volatile("movl $5, %%r10d; leaq 1f(%%rip), %%rax; jmp *%%rax\n"
                     "1: movq (%1), %%rax; imulq $3, %%rax, %%r9; addq %%r10, %%r9; cmpq $5, %%r10; jne 2f;"
                     "movl $1, %k0\n2: xorl %%eax, %%eax"
                     : "+r"(ok) : "r"(undefined) : "rax", "r9", "r10", "cc", "memory");
    return ok;
}

int main(void)
{
    long *undefined = malloc(16), *nothing = malloc(8);
    *nothing = 0;
    signal(SIGSEGV, on_fault);
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("movq (%0), %%r9; addq $1, %%r9; imulq $3, %%r9, %%r10; movq (%1), %%r8; movq (%%r8), %%r8" // EXPECT: Invalid read of size 8
                         : : "r"(undefined), "r"(nothing) : "r8", "r9", "r10", "memory");
    printf("%ld\n", overwrite(undefined));
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("movq (%0), %%r9; addq $1, %%r9; imulq $3, %%r9, %%r10; movq (%1), %%r8; movdqu (%%r8), %%xmm1" // EXPECT: Invalid read of size 16
                         : : "r"(undefined), "r"(nothing) : "r8", "r9", "r10", "xmm1", "memory");
    printf("%ld\n", overwrite(undefined));
    free(undefined), free(nothing);
    return 0;
}
