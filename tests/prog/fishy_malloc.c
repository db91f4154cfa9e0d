// SPDX-License-Identifier: MIT
// A negative size.
#include <stdlib.h>
int main(void)
{
    volatile long size = -7;
    // EXPECT: Argument 'size' of function malloc has a fishy (possibly negative) value: -7
    void *p = malloc(size);
    return p != 0;
}
