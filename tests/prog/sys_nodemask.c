// SPDX-License-Identifier: MIT
// get_mempolicy writes one bit less than it is told to: libnuma relies on it.
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void)
{
    unsigned long *mask = calloc(16, 8);
    int policy;
    syscall(SYS_get_mempolicy, &policy, mask, 16 * 64 + 1, 0, 0);
    // EXPECT: Syscall param get_mempolicy(nodemask) points to unaddressable byte(s)
    // AUX: Address 0xADDR is 0 bytes after a block of size 128 alloc'd
    syscall(SYS_get_mempolicy, &policy, mask, 16 * 64 + 2, 0, 0);
    int n = mask[15] != 0;
    free(mask);
    return n;
}
