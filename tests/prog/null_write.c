// SPDX-License-Identifier: MIT
// A write through a null pointer.
// EXIT: SIGSEGV
int main(void)
{
    char *volatile p = 0;
    // EXPECT: Invalid write of size 1
    // AUX: Address 0xADDR is not stack'd, malloc'd or (recently) free'd
    // EXPECT: Process terminating with default action of signal 11 (SIGSEGV)
    *p = 1;
    return 0;
}
