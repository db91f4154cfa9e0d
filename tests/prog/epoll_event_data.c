// SPDX-License-Identifier: MIT
// epoll_ctl() reads which events are wanted; the data beside them is the program's own, and who
// uses its fd leaves half of it undefined.
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

int main(void)
{
    int p[2], e = epoll_create1(0);
    struct epoll_event *ev = malloc(sizeof *ev);
    if (pipe(p))
        return 1;
    ev->events = EPOLLIN;
    ev->data.fd = p[0];
    if (epoll_ctl(e, EPOLL_CTL_ADD, p[0], ev))
        return 2;
    free(ev);
    ev = malloc(sizeof *ev);
    ev->data.u64 = 7;
    // EXPECT: Syscall param epoll_ctl(event) points to uninitialised byte(s)
    // AUX: Address 0xADDR is 0 bytes inside a block of size 12 alloc'd
    if (epoll_ctl(e, EPOLL_CTL_ADD, p[1], ev))
        return 3;
    free(ev);
    return 0;
}
