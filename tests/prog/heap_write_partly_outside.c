// SPDX-License-Identifier: MIT
// A write whose first half is inside the block.
#include <stdlib.h>
int main(void)
{
    char *p = malloc(12); // [block]
    // EXPECT: Invalid write of size 8
    // AUX: Address 0xADDR is 8 bytes inside a block of size 12 alloc'd [block]
    *(long *)(p + 8) = 1;
    free(p);
    return 0;
}
