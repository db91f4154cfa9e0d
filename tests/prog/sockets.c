// SPDX-License-Identifier: MIT
// sendmsg and recvmsg with a descriptor, vectors and control data.
// STDOUT: received 11 `hello world' and wrote 3
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
int main(void)
{
    int sv[2], fds[2], received;
    char a[6] = { 0 }, b[8] = { 0 }, control[CMSG_SPACE(sizeof(int))];
    struct iovec out[2] = { { "hello ", 6 }, { "world", 5 } }, in[2] = { { a, 5 }, { b, 7 } };
    struct msghdr m = { .msg_iov = out, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof control };
    socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
    pipe(fds);
    memset(control, 0, sizeof control);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fds[1], sizeof(int));
    sendmsg(sv[0], &m, 0);
    struct msghdr r = { .msg_iov = in, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof control };
    memset(control, 0, sizeof control);
    ssize_t n = recvmsg(sv[1], &r, 0);
    memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&r)), sizeof(int));
    printf("received %zd `%s%s' and wrote %zd\n", n, a, b, write(received, "abc", 3));
    return 0;
}
