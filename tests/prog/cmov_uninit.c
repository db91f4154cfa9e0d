// SPDX-License-Identifier: MIT
// A conditional move on an undefined condition makes its result undefined, no more.
#include <stdlib.h>
int main(void)
{
    int *p = malloc(sizeof *p);
    int r = 1;
    __asm__ volatile("cmp $7, %1; cmove %2, %0" : "+r"(r) : "r"(*p), "r"(2) : "cc");
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (r == 2)
        r = 3;
    free(p);
    return 0;
}
