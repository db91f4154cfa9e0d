// SPDX-License-Identifier: MIT
// An access some way before or after a block is described by it.
// DIFFERS: Valgrind looks less far
#include <stdlib.h>
int main(void)
{
    volatile char *p = malloc(50); // [block]
    // EXPECT: Invalid read of size 1
    // AUX: Address 0xADDR is 40 bytes before a block of size 50 alloc'd [block]
    char a = p[-40];
    // EXPECT: Invalid write of size 1
    // AUX: Address 0xADDR is 12 bytes after a block of size 50 alloc'd [block]
    p[62] = a;
    free((void *)p);
    return 0;
}
