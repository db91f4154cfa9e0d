// SPDX-License-Identifier: MIT
// free() of an address inside a block.
#include <stdlib.h>
int main(void)
{
    char *p = malloc(20); // [block]
    // EXPECT: Invalid free() / delete / delete[] / realloc()
    // AUX: Address 0xADDR is 4 bytes inside a block of size 20 alloc'd [block]
    free(p + 4);
    free(p);
    return 0;
}
