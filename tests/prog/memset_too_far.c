// SPDX-License-Identifier: MIT
// memset() over the end of a block.
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *p = malloc(8); // [block]
    // EXPECT: Invalid write of size 8
    // AUX: Address 0xADDR is 0 bytes after a block of size 8 alloc'd [block]
    memset(p, 0, 16);
    free(p);
    return 0;
}
