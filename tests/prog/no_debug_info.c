// SPDX-License-Identifier: MIT
// Without debug info frames show the object and, from the symbol table, the function.
// CFLAGS: -g0
// LINE: /at 0xADDR: damage \(in .*\/no_debug_info\)/
// LINE: Invalid write of size 1
// EXPECT-ANYWHERE: Invalid write of size 1
#include <stdlib.h>
static void damage(volatile char *p)
{
    p[10] = 1;
}
int main(void)
{
    volatile char *p = malloc(10);
    damage(p);
    free((void *)p);
    return 0;
}
