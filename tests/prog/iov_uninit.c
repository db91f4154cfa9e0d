// SPDX-License-Identifier: MIT
// writev() with an undefined byte in its second buffer.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
int main(void)
{
    char *p = malloc(4); // [block]
    p[0] = p[1] = p[2] = 1;
    struct iovec v[2] = { { "abc", 3 }, { p, 4 } };
    // EXPECT: Syscall param writev(vector[...]) points to uninitialised byte(s)
    // AUX: Address 0xADDR is 3 bytes inside a block of size 4 alloc'd [block]
    writev(open("/dev/null", O_WRONLY), v, 2);
    free(p);
    return 0;
}
