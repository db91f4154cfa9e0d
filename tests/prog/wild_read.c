// SPDX-License-Identifier: MIT
// An address where nothing is mapped: reported, then the program gets its SIGSEGV.
// EXIT: SIGSEGV
// LINE: Process terminating with default action of signal 11 (SIGSEGV)
// LINE: Access not within mapped region at address 0xADDR
// LINE: If you believe this happened as a result of a stack
int main(void)
{
    volatile int *p = (int *)0x123450;
    // EXPECT: Invalid read of size 4
    // AUX: Address 0xADDR is not stack'd, malloc'd or (recently) free'd
    // EXPECT: Process terminating with default action of signal 11 (SIGSEGV)
    return *p;
}
