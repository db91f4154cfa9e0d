// SPDX-License-Identifier: MIT
// free() of something that is no heap block.
#include <stdlib.h>
int main(void)
{
    int local;
    int *volatile p = &local;
    // EXPECT: Invalid free() / delete / delete[] / realloc()
    // AUX: Address 0xADDR is on thread 1's stack
    free(p);
    return 0;
}
