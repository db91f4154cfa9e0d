// SPDX-License-Identifier: MIT
// VALGRIND_NON_SIMD_CALL passes the thread's number and all arguments, and the code around it finds its registers
// as they were.
// STDOUT: 47 123 1
// STDOUT: 11 12 13 14 0.5
// EXIT: 0
#include <stdio.h>
#include "../../include/gimle/client.h"
static long two(long tid, long a, long b)
{
    double x = (double)a * 3.5;
    __asm__ volatile("pxor %%xmm7, %%xmm7; mov %0, %%r9; mov %0, %%r10" : : "r"(b) : "r9", "r10", "xmm7");
    return x > 0 && tid > 0 ? a * 10 + b : -1;
}
static long three(long tid, long a, long b, long c) { return tid > 0 ? a * 100 + b * 10 + c : -1; }
static long none(long tid) { return tid; }
int main(void)
{
    long first = VALGRIND_NON_SIMD_CALL2(two, 4, 7), second = VALGRIND_NON_SIMD_CALL3(three, 1, 2, 3);
    printf("%ld %ld %ld\n", first, second, (long)VALGRIND_NON_SIMD_CALL0(none));
    register long a __asm__("rsi") = 11, b __asm__("r9") = 12, c __asm__("r10") = 13, d __asm__("rcx") = 14;
    register double e __asm__("xmm7") = 0.5;
    __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+x"(e));
    unsigned long args[6] = { 0x1103, (unsigned long)two, 1, 2, 0, 0 }, result;
    register unsigned long rax __asm__("rax") = (unsigned long)args;
    __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi; xchgq %%rbx, %%rbx"
                     : "=d"(result), "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+x"(e)
                     : "r"(rax), "0"(0UL) : "cc", "memory");
    printf("%ld %ld %ld %ld %g\n", a, b, c, d, e);
    return result == 12 ? 0 : 1;
}
