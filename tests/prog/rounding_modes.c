// SPDX-License-Identifier: MIT
// MXCSR and the x87 control word are obeyed and restored.
// CFLAGS: -frounding-math
// LDFLAGS: -lm
// STDOUT: 1 2 -2 1 | 3 2 2
#include <fenv.h>
#include <math.h>
#include <stdio.h>
int main(void)
{
    volatile double a = 1.5, b = -1.5, c = 2.5;
    fesetround(FE_DOWNWARD);
    double down = rint(a), bdown = rint(b);
    fesetround(FE_UPWARD);
    double up = rint(a);
    volatile long double l = 2.5L;
    double xup = rintl(l);
    fesetround(FE_TOWARDZERO);
    double xzero = rintl(l), zero = rint(a);
    fesetround(FE_TONEAREST);
    printf("%g %g %g %g | %g %g %g\n", down, up, bdown, zero, xup, xzero, rint(c));
    return 0;
}
