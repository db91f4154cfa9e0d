// SPDX-License-Identifier: MIT
// Nothing is below zero, whatever its bits are: the comparison is defined.
// DIFFERS: 3.19 does not look at the bounds of comparisons by default
#include <stdlib.h>
int main(void)
{
    unsigned *p = malloc(sizeof *p);
    volatile unsigned zero = 0, top = 0xffffffffu;
    volatile int n = 0;
    if (*p < zero)
        n++;
    if (*p > top)
        n++;
    if (*p >= zero)
        n++;
    n += *p < zero;
    if ((*p & 7) < 8)
        n++;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if ((*p & 7) < 7)
        n++;
    free(p);
    return 0;
}
