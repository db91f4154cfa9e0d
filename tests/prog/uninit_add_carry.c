// SPDX-License-Identifier: MIT
// The low bits of a sum are defined when the low bits of both operands are.
#include <stdlib.h>
int main(void)
{
    unsigned *p = malloc(sizeof *p);
    unsigned high = *p & 0xffff0000u;
    unsigned sum = high + 5;
    volatile int n = 0;
    if ((sum & 0xffff) == 5)
        n++;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (sum == 5)
        n++;
    free(p);
    return 0;
}
