// SPDX-License-Identifier: MIT
// Bit fields set one by one in fresh storage.
#include <stdlib.h>
struct bits { unsigned a : 3, b : 5, c : 9; };
int main(void)
{
    struct bits *p = malloc(sizeof *p);
    volatile int n = 0;
    p->a = 5;
    p->c = 100;
    if (p->a == 5)
        n++;
    if (p->c == 100)
        n++;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (p->b == 3)
        n++;
    free(p);
    return 0;
}
