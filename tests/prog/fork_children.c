// SPDX-License-Identifier: MIT
// Parent and child both report, each for itself.
// STDOUT: child 3
// EXIT: 0
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    int status;
    char *p = malloc(4);
    pid_t child = fork();
    if (child == 0)
        _exit(3);
    waitpid(child, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));
    free(p);
    return 0;
}
