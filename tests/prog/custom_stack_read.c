// SPDX-License-Identifier: MIT
// An uninitialised part of a frame is undefined again in the next call.
static int frame(int set)
{
    volatile int local[8];
    if (set)
        for (int i = 0; i < 8; i++)
            local[i] = 5;
    else if (local[3] == 5) // EXPECT: Conditional jump or move depends on uninitialised value(s)
        return 1;
    return 0;
}
int main(void)
{
    frame(1);
    frame(0);
    return 0;
}
