// SPDX-License-Identifier: MIT
// Undefined values that functions return: where they come from is in frames that are gone.
// OPTIONS: --track-origins=yes
// CFLAGS: -fno-inline
#include <stdlib.h>
struct pair { int a, b; };
static volatile int sink;
static int local(void)
{
    volatile int x; // only the frame is known
    return x;
}
static int passed_through(int x) { return x + 1; }
static struct pair half(void)
{
    struct pair p;
    p.a = 1;
    return p;
}
int main(void)
{
    int *block = malloc(sizeof *block); // [block]
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a heap allocation [block]
    if (passed_through(*block) == 7)
        sink = 1;
    int kept = passed_through(*block);
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a heap allocation [block]
    if (kept == 8)
        sink = 2;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a stack allocation
    if (local() == 3)
        sink = 3;
    struct pair p = half();
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a stack allocation
    if (p.b == 4)
        sink = 4;
    free(block);
    return 0;
}
