// SPDX-License-Identifier: MIT
// Sockets: streams, datagrams, messages with control data, options, poll and friends.
// TOOL: none
// STDOUT: ok
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MUST(x) do { if (!(x)) { printf("line %d: %s (errno %d)\n", __LINE__, #x, errno); exit(1); } } while (0)

static void messages(void)
{
    int s[2], fds[2], got[2];
    char data[4] = "abc", in[8] = "", control[CMSG_SPACE(sizeof fds)];
    MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0 && pipe(fds) == 0);
    struct iovec v = { data, 4 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control,
                        .msg_controllen = sizeof control };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(c), fds, sizeof fds);
    MUST(sendmsg(s[0], &m, 0) == 4);
    v = (struct iovec){ in, 8 };
    memset(control, 0, sizeof control);
    MUST(recvmsg(s[1], &m, 0) == 4 && strcmp(in, "abc") == 0);
    memcpy(got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof got);
    MUST(write(got[1], "x", 1) == 1 && read(fds[0], in, 1) == 1 && in[0] == 'x');
    struct mmsghdr mm[3];
    char parts[3][4];
    struct iovec vv[3];
    memset(mm, 0, sizeof mm);
    for (int i = 0; i < 3; i++) {
        vv[i] = (struct iovec){ parts[i], 4 };
        mm[i].msg_hdr.msg_iov = &vv[i];
        mm[i].msg_hdr.msg_iovlen = 1;
        sprintf(parts[i], "p%d", i);
    }
    MUST(sendmmsg(s[0], mm, 3, 0) == 3 && mm[2].msg_len == 4);
    memset(parts, 0, sizeof parts);
    MUST(recvmmsg(s[1], mm, 3, MSG_DONTWAIT, NULL) == 3 && strcmp(parts[2], "p2") == 0);
}

static void tcp(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, b;
    socklen_t len = sizeof a;
    int one = 1, val, ls = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char buf[16];
    MUST(setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
    MUST(bind(ls, (struct sockaddr *)&a, sizeof a) == 0 && listen(ls, 5) == 0);
    MUST(getsockname(ls, (struct sockaddr *)&a, &len) == 0 && a.sin_port != 0);
    int c = socket(AF_INET, SOCK_STREAM, 0);
    MUST(connect(c, (struct sockaddr *)&a, sizeof a) == 0);
    len = sizeof b;
    int d = accept4(ls, (struct sockaddr *)&b, &len, SOCK_NONBLOCK);
    MUST(d >= 0 && len == sizeof b && b.sin_family == AF_INET);
    MUST(read(d, buf, 1) == -1 && errno == EAGAIN);
    MUST(setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
    len = sizeof val;
    MUST(getsockopt(c, IPPROTO_TCP, TCP_NODELAY, &val, &len) == 0 && val == 1 && len == 4);
    MUST(send(c, "ping", 4, 0) == 4);
    struct pollfd p = { d, POLLIN, 0 };
    MUST(poll(&p, 1, 1000) == 1 && p.revents == POLLIN);
    MUST(ioctl(d, FIONREAD, &val) == 0 && val == 4);
    fd_set r;
    FD_ZERO(&r);
    FD_SET(d, &r);
    struct timeval tv = { 1, 0 };
    MUST(select(d + 1, &r, NULL, NULL, &tv) == 1 && FD_ISSET(d, &r));
    MUST(recv(d, buf, sizeof buf, 0) == 4 && memcmp(buf, "ping", 4) == 0);
    len = sizeof b;
    MUST(getpeername(c, (struct sockaddr *)&b, &len) == 0 && b.sin_port == a.sin_port);
    MUST(shutdown(c, SHUT_WR) == 0);
    usleep(10000);
    MUST(recv(d, buf, sizeof buf, 0) == 0);
    close(c), close(d), close(ls);
}

static void udp_and_epoll(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, from;
    socklen_t len = sizeof a;
    int s = socket(AF_INET, SOCK_DGRAM, 0), ep = epoll_create1(EPOLL_CLOEXEC), ev = eventfd(0, 0);
    char buf[16];
    MUST(bind(s, (struct sockaddr *)&a, sizeof a) == 0 && getsockname(s, (struct sockaddr *)&a, &len) == 0);
    struct epoll_event e = { .events = EPOLLIN, .data.u32 = 7 }, out[4];
    MUST(epoll_ctl(ep, EPOLL_CTL_ADD, s, &e) == 0);
    e.data.u32 = 8;
    MUST(epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e) == 0 && epoll_wait(ep, out, 4, 0) == 0);
    MUST(sendto(s, "hi", 2, 0, (struct sockaddr *)&a, sizeof a) == 2);
    MUST(epoll_wait(ep, out, 4, 1000) == 1 && out[0].data.u32 == 7);
    len = sizeof from;
    MUST(recvfrom(s, buf, sizeof buf, 0, (struct sockaddr *)&from, &len) == 2);
    MUST(from.sin_port == a.sin_port);
    MUST(eventfd_write(ev, 1) == 0 && epoll_pwait(ep, out, 4, 1000, NULL) == 1 && out[0].data.u32 == 8);
    MUST(epoll_ctl(ep, EPOLL_CTL_DEL, ev, NULL) == 0 && epoll_wait(ep, out, 4, 0) == 0);
}

int main(void)
{
    messages();
    tcp();
    udp_and_epoll();
    puts("ok");
    return 0;
}
