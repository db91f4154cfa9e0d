// SPDX-License-Identifier: MIT
// calloc'd bytes are defined zeros; realloc keeps definedness and adds undefined bytes.
#include <stdlib.h>
int main(void)
{
    unsigned char *p = calloc(4, 1);
    int n = p[0] + p[3];
    if (n)
        return 1;
    p = realloc(p, 8);
    if (p[3])
        return 1;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (p[4])
        n = 2;
    free(p);
    return 0;
}
