// SPDX-License-Identifier: MIT
// strcmp() of undefined bytes.
// DIFFERS: Valgrind sees two places in its own strcmp()
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *p = malloc(8);
    p[0] = 'a';
    p[7] = 0;
    // EXPECT*: Conditional jump or move depends on uninitialised value(s)
    volatile int n = strcmp(p, "abc");
    free(p);
    return 0;
}
