// SPDX-License-Identifier: MIT
// A branch on an uninitialised local.
#include <stdlib.h>
int main(void)
{
    volatile int x;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (x == 17)
        abort();
    return 0;
}
