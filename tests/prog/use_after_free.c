// SPDX-License-Identifier: MIT
// Reading a freed block: both stacks are shown.
#include <stdlib.h>
static void release(char *p)
{
    free(p); // [freed]
}
int main(void)
{
    char *p = malloc(40); // [block]
    p[7] = 3;
    release(p);
    // EXPECT: Invalid read of size 1
    // AUX: Address 0xADDR is 7 bytes inside a block of size 40 free'd [freed]
    // AUX: Block was alloc'd at [block]
    return p[7] == 99;
}
