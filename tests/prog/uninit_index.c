// SPDX-License-Identifier: MIT
// An uninitialised value used as an index into memory.
#include <stdlib.h>
int main(void)
{
    static int table[256];
    unsigned char *p = malloc(1);
    // EXPECT: Use of uninitialised value of size 8
    volatile int v = table[p[0]];
    free(p);
    return 0;
}
