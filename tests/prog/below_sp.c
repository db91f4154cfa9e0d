// SPDX-License-Identifier: MIT
// Reading the frame of a function that has returned.
static volatile int *leak_address(void)
{
    volatile int local[200];
    local[0] = 42;
    volatile int *volatile p = local;
    return p;
}
int main(void)
{
    volatile int *p = leak_address();
    // EXPECT: Invalid read of size 4
    // AUX: Address 0xADDR is on thread 1's stack
    // AUX: 816 bytes below stack pointer
    int v = *p;
    return v == 7;
}
