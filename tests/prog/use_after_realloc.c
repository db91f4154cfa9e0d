// SPDX-License-Identifier: MIT
// The old block is gone after realloc.
#include <stdlib.h>
int main(void)
{
    char *p = malloc(40); // [block]
    p[0] = 3;
    char *q = realloc(p, 4000); // [grown]
    // EXPECT: Invalid write of size 1
    // AUX: Address 0xADDR is 0 bytes inside a block of size 40 free'd [grown]
    // AUX: Block was alloc'd at [block]
    p[0] = 4;
    free(q);
    return 0;
}
