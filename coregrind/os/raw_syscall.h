/* SPDX-License-Identifier: MIT */
/* System calls without libc: no errno, no cancellation, exactly the arguments given. */
#ifndef COREGRIND_RAW_SYSCALL_H
#define COREGRIND_RAW_SYSCALL_H

#include <stdint.h>

/** The kernel's answer: a result, or -4095..-1 for an error. */
static inline int64_t raw_syscall6(uint64_t no, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
                                   uint64_t a4, uint64_t a5)
{
    int64_t result;
    register uint64_t r10 __asm__("r10") = a3;
    register uint64_t r8 __asm__("r8") = a4;
    register uint64_t r9 __asm__("r9") = a5;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(no), "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#define raw_syscall1(no, a) raw_syscall6(no, a, 0, 0, 0, 0, 0)
#define raw_syscall2(no, a, b) raw_syscall6(no, a, b, 0, 0, 0, 0)
#define raw_syscall3(no, a, b, c) raw_syscall6(no, a, b, c, 0, 0, 0)
#define raw_syscall4(no, a, b, c, d) raw_syscall6(no, a, b, c, d, 0, 0)

#endif
