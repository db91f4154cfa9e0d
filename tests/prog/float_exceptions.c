// SPDX-License-Identifier: MIT
// Sticky floating-point exception flags.
// LDFLAGS: -lm
// STDOUT: inexact 1 divbyzero 1 invalid 1 overflow 1
// DIFFERS: Valgrind does not keep the exception flags
#include <fenv.h>
#include <math.h>
#include <stdio.h>
int main(void)
{
    volatile double one = 1, three = 3, zero = 0, big = 1e308, r;
    r = one / three;
    int inexact = fetestexcept(FE_INEXACT) != 0;
    r = one / zero;
    int divide = fetestexcept(FE_DIVBYZERO) != 0;
    r = zero / zero;
    int invalid = fetestexcept(FE_INVALID) != 0;
    r = big * big;
    printf("inexact %d divbyzero %d invalid %d overflow %d\n", inexact, divide, invalid,
        fetestexcept(FE_OVERFLOW) != 0);
    return 0;
}
