// SPDX-License-Identifier: MIT
// write() of bytes that were never set.
#include <stdlib.h>
#include <unistd.h>
#include <fcntl.h>
int main(void)
{
    char *p = malloc(10); // [block]
    int fd = open("/dev/null", O_WRONLY);
    p[0] = p[1] = 1;
    // EXPECT: Syscall param write(buf) points to uninitialised byte(s)
    // AUX: Address 0xADDR is 2 bytes inside a block of size 10 alloc'd [block]
    write(fd, p, 10);
    free(p);
    return 0;
}
