// SPDX-License-Identifier: MIT
// posix_spawn() of a program that does not exist gives the error to the caller.
// DIFFERS: 3.19 loses the error of a vfork child
// STDOUT: 2 No such file or directory
#include <spawn.h>
#include <stdio.h>
#include <string.h>
extern char **environ;
int main(void)
{
    pid_t pid;
    char *argv[] = { "x", 0 };
    int e = posix_spawn(&pid, "/no/such/program", 0, 0, argv, environ);
    printf("%d %s\n", e, strerror(e));
    return 0;
}
