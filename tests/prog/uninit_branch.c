// SPDX-License-Identifier: MIT
// A branch on a heap byte that was never written.
#include <stdlib.h>
int main(void)
{
    char *p = malloc(4);
    int n = 0;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (p[2])
        n = 1;
    free(p);
    return 0;
}
