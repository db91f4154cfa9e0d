// SPDX-License-Identifier: MIT
// malloc(0) gives a block of no bytes; free(NULL) is nothing.
// LINE: total heap usage: 1 allocs, 1 frees, 0 bytes allocated
#include <stdlib.h>
int main(void)
{
    char *p = malloc(0); // [block]
    // EXPECT: Invalid read of size 1
    // AUX: Address 0xADDR is 0 bytes after a block of size 0 alloc'd [block]
    volatile char c = *p;
    free(p);
    free(0);
    return 0;
}
