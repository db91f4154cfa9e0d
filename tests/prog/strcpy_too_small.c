// SPDX-License-Identifier: MIT
// strcpy() into a block that is one byte too small.
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *p = malloc(5); // [block]
    // EXPECT: Invalid write of size 1
    // AUX: Address 0xADDR is 0 bytes after a block of size 5 alloc'd [block]
    strcpy(p, "12345");
    free(p);
    return 0;
}
