// SPDX-License-Identifier: MIT
// A read that begins some bytes behind the end of a heap block.
#include <stdlib.h>
int main(void)
{
    long *p = calloc(4, sizeof *p); // [block]
    // EXPECT: Invalid read of size 8
    // AUX: Address 0xADDR is 8 bytes after a block of size 32 alloc'd [block]
    long v = p[5];
    free(p);
    return v == 12345;
}
