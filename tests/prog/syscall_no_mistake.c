// SPDX-License-Identifier: MIT
// Arguments that look wrong and are not: padding of a structure, and pointers that may be null.
// DIFFERS: waitid() without infop is reported
// STDOUT: 0 1
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    struct ifconf *c = malloc(sizeof *c); // 4 bytes behind the length belong to nothing
    c->ifc_len = 0;
    c->ifc_buf = NULL;
    printf("%d ", ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCGIFCONF, c));
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    printf("%d\n", syscall(SYS_waitid, P_PID, pid, NULL, WEXITED, NULL) == 0);
    free(c);
    return 0;
}
