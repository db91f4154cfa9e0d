// SPDX-License-Identifier: MIT
// --num-callers limits the stack.
// OPTIONS: --num-callers=2
// NOLINE: one (num_callers
#include <stdlib.h>
static void three(char *p)
{
    p[3] = 1; // EXPECT: Invalid write of size 1
}
static void two(char *p) { three(p); }
static void one(char *p) { two(p); }
int main(void)
{
    char *p = malloc(3);
    one(p);
    return 0;
}
