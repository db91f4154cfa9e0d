// SPDX-License-Identifier: MIT
// Whatever --freelist-vol says, the block that was freed last is still known, and can be read.
// OPTIONS: --freelist-vol=1000 --freelist-big-blocks=500
#include <stdlib.h>
int main(void)
{
    char *volatile p = malloc(3000000); // [block]
    p[5] = 1;
    free(p); // [freed]
    // EXPECT: Invalid read of size 1
    // AUX: Address 0xADDR is 5 bytes inside a block of size 3,000,000 free'd [freed]
    // AUX: Block was alloc'd at [block]
    return p[5] == 77;
}
