// SPDX-License-Identifier: MIT
// A system call argument that is itself undefined.
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
    int *fd = malloc(sizeof *fd);
    // EXPECT: Syscall param close(fd) contains uninitialised byte(s)
    close(*fd | 0x70000000);
    free(fd);
    return 0;
}
