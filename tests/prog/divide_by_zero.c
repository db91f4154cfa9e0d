// SPDX-License-Identifier: MIT
// SIGFPE with its code.
// EXIT: SIGFPE
// LINE: Integer divide by zero at address 0xADDR
int main(void)
{
    volatile int zero = 0;
    return 7 / zero; // EXPECT: Process terminating with default action of signal 8 (SIGFPE)
}
