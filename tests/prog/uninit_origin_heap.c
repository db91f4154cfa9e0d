// SPDX-License-Identifier: MIT
// With --track-origins the block that the value comes from is named.
// OPTIONS: --track-origins=yes
#include <stdlib.h>
int main(void)
{
    int *p = malloc(4 * sizeof *p); // [heap]
    volatile int n = 0;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a heap allocation [heap]
    if (p[1] == 3)
        n++;
    free(p);
    return 0;
}
