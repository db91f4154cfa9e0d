// SPDX-License-Identifier: MIT
// read() into a buffer that is too small.
#include <stdlib.h>
#include <unistd.h>
#include <fcntl.h>
int main(void)
{
    char *p = malloc(10); // [block]
    int fd = open("/dev/zero", O_RDONLY);
    // EXPECT: Syscall param read(buf) points to unaddressable byte(s)
    // AUX: Address 0xADDR is 0 bytes after a block of size 10 alloc'd [block]
    read(fd, p, 16);
    free(p);
    return 0;
}
