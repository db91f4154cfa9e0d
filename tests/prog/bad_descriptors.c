// SPDX-License-Identifier: MIT
// Numbers that can be no descriptors are warned of, in the calls where Valgrind does.
// LINE: Warning: invalid file descriptor 4660000 in syscall read()
// LINE: Warning: invalid file descriptor 4660001 in syscall openat()
// LINE: Warning: invalid file descriptor 4660003 in syscall splice(fd_in)()
// NOLINE: splice(fd_out)
// LINE: Warning: invalid file descriptor -1 in syscall copy_file_range(fd_in)()
// LINE: Warning: invalid file descriptor -1 in syscall execveat()
// LINE: Warning: invalid file descriptor 4660004 in syscall setns()
// LINE: Warning: invalid file descriptor 4660005 in syscall preadv2()
// NOLINE: 4660002
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void)
{
    char c;
    long r = syscall(SYS_read, 4660000, &c, 1);
    r += syscall(SYS_openat, 4660001, "relative", O_RDONLY);
    r += syscall(SYS_openat, 4660002, "/no/such/file", O_RDONLY);
    r += syscall(SYS_openat, AT_FDCWD, "no such file", O_RDONLY);
    r += syscall(SYS_splice, 4660003, NULL, 4660003, NULL, 1, 0);
    r += syscall(SYS_copy_file_range, -1, NULL, -1, NULL, 1, 0);
    r += syscall(SYS_execveat, -1, "relative", NULL, NULL, 0);
    r += syscall(SYS_setns, 4660004, 0);
    r += syscall(SYS_preadv2, 4660005, NULL, 0, 0, 0, 0);
    return r != -9;
}
