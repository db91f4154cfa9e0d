// SPDX-License-Identifier: MIT
// new[] with free().
// NEEDS: g++
#include <stdlib.h>
int main()
{
    int *p = new int[5]; // [block]
    // EXPECT: Mismatched free() / delete / delete []
    // AUX: Address 0xADDR is 0 bytes inside a block of size 20 alloc'd [block]
    free(p);
    return 0;
}
