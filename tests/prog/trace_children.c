// SPDX-License-Identifier: MIT
// A traced child reports too, in the same format.
// DIFFERS: Valgrind runs itself for /proc/self/exe
// OPTIONS: --trace-children=yes
// ARGS: parent
// STDOUT: child ends with 9
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    int status;
    if (strcmp(argv[1], "child") == 0)
        return 9;
    if (fork() == 0)
        execl("/proc/self/exe", "name-of-its-own", "child", (char *)0);
    wait(&status);
    printf("child ends with %d\n", WEXITSTATUS(status));
    return 0;
}
