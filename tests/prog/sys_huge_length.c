// SPDX-License-Identifier: MIT
// A length of terabytes at an address where nothing is: the answer comes at once.
// STDOUT: -1 -1 -1 1
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../../include/gimle/memcheck.h"
int main(void)
{
    long huge = 0x1fff00000000, low = 0x1000, all = -1;
    long r = syscall(SYS_getrandom, low, huge, 0); // EXPECT: Syscall param getrandom(cpu) points to unaddressable byte(s)
    long s = syscall(SYS_getrandom, low, all, 0); // EXPECT: Syscall param getrandom(cpu) points to unaddressable byte(s)
    long w = syscall(SYS_write, 1, low, huge); // EXPECT: Syscall param write(buf) points to unaddressable byte(s)
    int bad = VALGRIND_CHECK_MEM_IS_ADDRESSABLE(low, huge) == (unsigned long)low; // EXPECT: Unaddressable byte(s) found during client check request
    printf("%ld %ld %ld %d\n", r, s, w, bad);
    return 0;
}
