// SPDX-License-Identifier: MIT
// With --track-origins the function whose frame held the value is named.
// OPTIONS: --track-origins=yes
static int use(void)
{                                // [frame]
    volatile int local[4];
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    // AUX: Uninitialised value was created by a stack allocation [frame]
    if (local[2] == 3)
        return 1;
    return 0;
}
int main(void)
{
    use();
    return 0;
}
