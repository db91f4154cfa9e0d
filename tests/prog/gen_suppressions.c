// SPDX-License-Identifier: MIT
// --gen-suppressions=all prints a block for each error.
// OPTIONS: --gen-suppressions=all
#include <stdlib.h>
static void damage(char *p)
{
    p[3] = 1; // EXPECT: Invalid write of size 1
}
int main(void)
{
    char *p = malloc(3);
    damage(p);
    free(p);
    return 0;
}
