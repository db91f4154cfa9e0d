// SPDX-License-Identifier: MIT
// 80-bit arithmetic keeps its 64-bit mantissa.
// STDOUT: 1 18446744073709551617
// DIFFERS: Valgrind computes long double with 53 bits
#include <stdio.h>
int main(void)
{
    volatile long double big = 18446744073709551616.0L, one = 1.0L;
    volatile long double third = one / 3;
    volatile long double mantissa = 9223372036854775807.0L;
    printf("%d %s\n", mantissa + one - mantissa == one,
        third * 3 == one && big + 2048 != big ? "18446744073709551617" : "lost");
    return 0;
}
