// SPDX-License-Identifier: MIT
// The value has been copied to the stack, some calls ago.
// OPTIONS: --track-origins=yes
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    int *p = malloc(sizeof *p); // [heap]
    int x = *p;
    puts("between"); // STDOUT: between
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a heap allocation [heap]
    int y = x == 5 ? 1 : 2;
    free(p);
    return y > 7;
}
