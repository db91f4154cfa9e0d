// SPDX-License-Identifier: MIT
// Undefined bytes in the messages of sendmsg() and sendmmsg(): which part it is.
#define _GNU_SOURCE
#include <string.h>
#include <stdlib.h>
#include <sys/socket.h>
int main(void)
{
    int s[2];
    char *text = malloc(8);
    struct iovec v[2] = { { "abc", 3 }, { text, 8 } };
    struct mmsghdr m[2];
    memset(m, 0, sizeof m);
    m[0].msg_hdr.msg_iov = m[1].msg_hdr.msg_iov = v;
    m[0].msg_hdr.msg_iovlen = 1;
    m[1].msg_hdr.msg_iovlen = 2;
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, s) != 0)
        return 1;
    // EXPECT: Syscall param sendmsg(msg.msg_iov[1]) points to uninitialised byte(s)
    // AUX: Address 0xADDR is 0 bytes inside a block of size 8 alloc'd
    sendmsg(s[0], &m[1].msg_hdr, 0);
    // EXPECT: Syscall param sendmsg(mmsg[1].msg_hdr.msg_iov[1]) points to uninitialised byte(s)
    // AUX: Address 0xADDR is 0 bytes inside a block of size 8 alloc'd
    sendmmsg(s[0], m, 2, 0);
    free(text);
    return 0;
}
