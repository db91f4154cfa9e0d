/* SPDX-License-Identifier: MIT */
/*
 * The answering side of monitor_protocol.h: connects to the asker, makes sure that it is the same user
 * or root, takes one command, and has the log go there while the command runs.  An asker that falls
 * silent holds the program up for a few seconds at most.
 */
#include "coregrind/clreq/monitor.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "coregrind/core/host_fd.h"
#include "coregrind/core/options.h"
#include "coregrind/launcher/monitor_protocol.h"
#include "coregrind/report/report.h"

enum { PATIENCE = 5 /**< seconds */ };

static bool is_entitled(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static int connect_to(uint32_t number)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    const struct timeval patience = { .tv_sec = PATIENCE };
    int n = snprintf(a.sun_path + 1, sizeof a.sun_path - 1, MONITOR_SOCKET_FORMAT, (unsigned)number);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    int fd = host_fd_may_open() ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    int up = fd < 0 ? -1 : host_fd_move(fd);
    if (up >= 0)
        fd = up;
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&a, len) != 0 || !is_entitled(fd) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0) {
        host_fd_close(fd);
        return -1;
    }
    return fd;
}

/** Everything up to the end that the asker sends; false if it sends too much or falls silent. */
static bool receive(int fd, char command[MONITOR_MAX_COMMAND])
{
    size_t n = 0;
    ssize_t got = 1;
    while (n < MONITOR_MAX_COMMAND - 1 && got != 0) {
        got = recv(fd, command + n, MONITOR_MAX_COMMAND - 1 - n, 0);
        if (got < 0 && errno != EINTR)
            return false;
        n += got > 0 ? (size_t)got : 0;
    }
    command[n] = '\0';
    return n < MONITOR_MAX_COMMAND - 1;
}

void monitor_answer(Thread *t, uint32_t number, const MonitorHooks *hooks)
{
    char command[MONITOR_MAX_COMMAND];
    int fd = connect_to(number);
    if (fd < 0)
        return;
    if (receive(fd, command)) {
        report_answer_to(fd);
        if (core_options->vgdb == VGDB_NO)
            gimle_msg(MSG_PLAIN, "%s was started with --vgdb=no: no commands\n", options_program_name());
        else if (!monitor_do(t, command, hooks))
            gimle_msg(MSG_PLAIN, "command '%s' not recognised\n"
                      "In gdb,     try 'monitor help'\nIn a shell, try 'vgdb help'\n", command);
        report_answer_to(-1);
    }
    host_fd_close(fd);
}
