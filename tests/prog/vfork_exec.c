// SPDX-License-Identifier: MIT
// vfork and exec of an untraced program.
// STDOUT: hello
// STDOUT: status 0
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    int status;
    pid_t child = vfork();
    if (child == 0) {
        execl("/bin/echo", "echo", "hello", (char *)0);
        _exit(1);
    }
    waitpid(child, &status, 0);
    printf("status %d\n", status);
    return 0;
}
