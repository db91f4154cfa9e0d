// SPDX-License-Identifier: MIT
// A write one byte behind the end of a heap block.
#include <stdlib.h>
int main(void)
{
    char *p = malloc(10); // [block]
    // EXPECT: Invalid write of size 1
    // AUX: Address 0xADDR is 0 bytes after a block of size 10 alloc'd [block]
    p[10] = 1;
    free(p);
    return 0;
}
