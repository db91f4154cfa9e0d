// SPDX-License-Identifier: MIT
// malloc() with delete.
// NEEDS: g++
#include <stdlib.h>
int main()
{
    int *p = (int *)malloc(sizeof *p); // [block]
    // EXPECT: Mismatched free() / delete / delete []
    // AUX: Address 0xADDR is 0 bytes inside a block of size 4 alloc'd [block]
    delete p;
    return 0;
}
