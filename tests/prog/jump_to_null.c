// SPDX-License-Identifier: MIT
// A call of a null function pointer.
// DIFFERS: Valgrind leaves out the caller, and takes address 0 as mapped
// EXIT: SIGSEGV
// LINE: /^ (Bad permissions for|Access not within) mapped region at address 0xADDR/
int main(void)
{
    void (*volatile f)(void) = 0;
    // EXPECT-ANYWHERE: Jump to the invalid address stated on the next line
    // AUX: Address 0xADDR is not stack'd, malloc'd or (recently) free'd
    // EXPECT-ANYWHERE: Process terminating with default action of signal 11 (SIGSEGV)
    f();
    return 0;
}
