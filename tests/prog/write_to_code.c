// SPDX-License-Identifier: MIT
// A write to a read-only mapping.
// EXIT: SIGSEGV
// LINE: Bad permissions for mapped region at address 0xADDR
int main(void)
{
    char *volatile p = "constant";
    // EXPECT: Process terminating with default action of signal 11 (SIGSEGV)
    *p = 'x';
    return 0;
}
