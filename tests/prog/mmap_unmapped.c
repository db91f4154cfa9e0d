// SPDX-License-Identifier: MIT
// After munmap an access is invalid.
// EXIT: SIGSEGV
#include <sys/mman.h>
int main(void)
{
    char *p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[0] = 1;
    if (p[100])
        return 1;
    munmap(p, 8192);
    // EXPECT: Invalid write of size 1
    // AUX: Address 0xADDR is not stack'd, malloc'd or (recently) free'd
    // EXPECT: Process terminating with default action of signal 11 (SIGSEGV)
    p[5] = 1;
    return 0;
}
