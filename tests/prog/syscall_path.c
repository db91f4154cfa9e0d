// SPDX-License-Identifier: MIT
// open() of a path without its end.
#include <fcntl.h>
#include <stdlib.h>
int main(void)
{
    char *path = malloc(4); // [path]
    path[0] = '/', path[1] = 'x', path[2] = 'y', path[3] = 'z';
    // EXPECT: Syscall param openat(filename) points to unaddressable byte(s)
    // AUX: Address 0xADDR is 0 bytes after a block of size 4 alloc'd [path]
    open(path, O_RDONLY);
    free(path);
    return 0;
}
