// SPDX-License-Identifier: MIT
// --cpu hides features of the processor; CPUID, XGETBV and the description of XSAVE agree.
// DIFFERS: Valgrind has no such option
// TOOL: none
// OPTIONS: --cpu=x86-64-v3
// NEEDS: cpu:avx2
// STDOUT: avx2 1, avx-512 0
// STDOUT: XCR0 7, as in leaf 0xd
// STDOUT: area of 832 bytes, no more components
#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>

int main(void)
{
    unsigned a, b, c, d, more = 0;
    uint32_t low, high;
    __cpuid_count(7, 0, a, b, c, d);
    printf("avx2 %u, avx-512 %u\n", b >> 5 & 1, b >> 16 & 1);
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    __cpuid_count(0xd, 0, a, b, c, d);
    printf("XCR0 %x, %s in leaf 0xd\n", low, low == a && high == d ? "as" : "other than");
    printf("area of %u bytes, ", b);
    for (unsigned i = 3; i < 32; i++) {
        __cpuid_count(0xd, i, a, b, c, d);
        more += a != 0;
    }
    printf("%s more components\n", more ? "some" : "no");
    return 0;
}
