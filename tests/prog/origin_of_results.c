// SPDX-License-Identifier: MIT
// Origins of what is computed: by an instruction whose memory operand is defined, from two undefined values
// (the later one counts, whatever their order), and of a register that was saved and restored on the way.
// OPTIONS: --track-origins=yes
// CFLAGS: -O1
#include <stdlib.h>

static volatile double three = 3.0;
static volatile int sink;

__attribute__((noinline)) static double sum(const double *a, int n)
{
    double s = 0;
    for (int i = 0; i < n; i++)
        s += a[i];
    return s;
}

/** Saves RBX, changes it, and restores it. */
__attribute__((noinline)) static void use_rbx(int n)
{
    __asm__ volatile("pushq %%rbx; movl %0, %%ebx; addl $1, %%ebx; popq %%rbx" : : "r"(n) : "memory", "cc");
}

int main(void)
{
    double *a = malloc(8 * sizeof *a); // [doubles]
    int *first = malloc(sizeof *first);
    int *second = malloc(sizeof *second); // [second]
    long *saved = malloc(sizeof *saved); // [saved]
    for (int i = 0; i < 8; i++)
        if (i != 2)
            a[i] = i;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a heap allocation [doubles]
    if (sum(a, 8) / three > 5)
        sink++;
    __asm__ volatile("movl (%0), %%eax; movl (%1), %%ecx; addl %%ecx, %%eax; jz 1f; nop; 1:" // EXPECT: Conditional jump or move depends on uninitialised value(s)
                     : : "r"(first), "r"(second) : "rax", "rcx", "cc");
    // AUX: Uninitialised value was created by a heap allocation [second]
    __asm__ volatile("movl (%1), %%eax; movl (%0), %%ecx; addl %%ecx, %%eax; jz 1f; nop; 1:" // EXPECT: Conditional jump or move depends on uninitialised value(s)
                     : : "r"(first), "r"(second) : "rax", "rcx", "cc");
    // AUX: Uninitialised value was created by a heap allocation [second]
    __asm__ volatile("movq (%0), %%rbx; movl $1, %%edi; call *%1; testq %%rbx, %%rbx; jz 1f; nop; 1:" // EXPECT: Conditional jump or move depends on uninitialised value(s)
                     : : "r"(saved), "r"(use_rbx) : "rbx", "rdi", "memory", "cc");
    // AUX: Uninitialised value was created by a heap allocation [saved]
    free(a), free(first), free(second), free(saved);
    return 0;
}
