// SPDX-License-Identifier: MIT
// The report comes where the value decides something, in the function that uses it.
#include <stdlib.h>
static int decide(int v)
{
    return v > 3 ? 1 : 2; // EXPECT: Conditional jump or move depends on uninitialised value(s)
}
static int pass(int *p)
{
    int copy = *p;
    return decide(copy + 1);
}
int main(void)
{
    int *p = malloc(sizeof *p);
    pass(p);
    free(p);
    return 0;
}
