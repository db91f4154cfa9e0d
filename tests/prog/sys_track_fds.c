// SPDX-License-Identifier: MIT
// --track-fds=yes lists what is open at the end and where it was opened.
// DIFFERS: 3.19 leaves its log file among the low descriptors
// OPTIONS: --track-fds=yes -q
// LINE: Open file descriptor 201: /dev/null
// LINE: Open AF_INET socket 202: 127.0.0.1:
// LINE: Open AF_UNIX socket 203: <unknown>
// NOLINE: descriptor 200:
// LINE: /FILE DESCRIPTORS: \d+ open \(3 std\) at exit/
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void)
{
    int fd = open("/dev/null", O_RDONLY);
    dup2(fd, 200);
    dup2(fd, 201);
    close(200);
    close(fd);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    bind(s, (struct sockaddr *)&a, sizeof a);
    dup2(s, 202);
    close(s);
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    dup2(s, 203);
    close(s);
    return 0;
}
