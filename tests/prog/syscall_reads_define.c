// SPDX-License-Identifier: MIT
// What read() and stat() fill in is defined afterwards.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void)
{
    char buffer[16];
    struct stat st;
    int fd = open("/dev/zero", O_RDONLY), n = 0;
    if (read(fd, buffer, 8) != 8 || fstat(fd, &st))
        return 1;
    for (int i = 0; i < 8; i++)
        if (buffer[i])
            n++;
    if (st.st_size == 77)
        n++;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (buffer[8])
        n++;
    return 0;
}
