// SPDX-License-Identifier: MIT
// realloc() of a freed block fails.
// EXIT: 5
#include <stdlib.h>
int main(void)
{
    char *p = malloc(20); // [block]
    free(p); // [first]
    // EXPECT: Invalid free() / delete / delete[] / realloc()
    // AUX: Address 0xADDR is 0 bytes inside a block of size 20 free'd [first]
    // AUX: Block was alloc'd at [block]
    p = realloc(p, 100);
    return p == 0 ? 5 : 0;
}
