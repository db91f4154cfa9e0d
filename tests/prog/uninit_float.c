// SPDX-License-Identifier: MIT
// An undefined double compared.
#include <stdlib.h>
int main(void)
{
    double *p = malloc(sizeof *p);
    volatile int n = 0;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // EXPECT?: Conditional jump or move depends on uninitialised value(s)
    if (*p > 1.0)
        n++;
    free(p);
    return 0;
}
