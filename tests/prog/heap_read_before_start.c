// SPDX-License-Identifier: MIT
// A read before the start of a heap block.
#include <stdlib.h>
int main(void)
{
    int *p = malloc(16); // [block]
    // EXPECT: Invalid read of size 4
    // AUX: Address 0xADDR is 4 bytes before a block of size 16 alloc'd [block]
    volatile int v = p[-1];
    free(p);
    return 0;
}
