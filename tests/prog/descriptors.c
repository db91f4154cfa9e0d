// SPDX-License-Identifier: MIT
// The program's descriptors are numbered as natively, and none of the tool's can be closed.
// DIFFERS: 3.19 leaves its log file among the low descriptors
// STDOUT: 3 4
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void)
{
    int a = open("/dev/null", O_RDONLY), b = dup(a);
    printf("%d %d\n", a, b);
    for (int i = 3; i < 2000; i++)
        close(i);
    return 0;
}
