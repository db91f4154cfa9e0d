// SPDX-License-Identifier: MIT
// strlen() of a block without an end.
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *p = malloc(5); // [block]
    memset(p, 'a', 5);
    // EXPECT: Invalid read of size 1
    // AUX: Address 0xADDR is 0 bytes after a block of size 5 alloc'd [block]
    volatile size_t n = strlen(p);
    free(p);
    return 0;
}
