// SPDX-License-Identifier: MIT
// Stacks that were not kept are one frame without a name.
// OPTIONS: --keep-stacktraces=none
// LINE:  Address 0xADDR is 1 bytes inside a block of size 10 free'd
// LINE: /^   at 0x\w+: \?\?\?$/
// NOLINE: Block was alloc'd at
#include <stdlib.h>
int main(void)
{
    volatile char *p = malloc(10);
    free((void *)p);
    p[1] = 1; // EXPECT: Invalid write of size 1
    return 0;
}
