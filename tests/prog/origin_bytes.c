// SPDX-License-Identifier: MIT
// Bytes that are copied one by one keep their origin.
// OPTIONS: --track-origins=yes
#include <stdlib.h>
static void copy(volatile char *to, const volatile char *from, int n)
{
    while (n-- > 0)
        *to++ = *from++;
}
int main(void)
{
    char *from = malloc(12); // [from]
    char *to = calloc(1, 12);
    volatile int hit = 0;
    copy(to, from, 12);
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a heap allocation [from]
    if (to[5] == 3)
        hit = 1;
    free(to);
    free(from);
    return 0;
}
