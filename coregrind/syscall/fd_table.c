/* SPDX-License-Identifier: MIT */
/* See fd_table.h.  The report names a descriptor as the kernel shows it at the end. */
#include "fd_table.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/ranked_lock.h"
#include "base/vec.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/core/options.h"
#include "coregrind/os/raw_syscall.h"
#include "coregrind/report/report.h"
#include "coregrind/thread/thread.h"

typedef struct OpenFd {
    int fd;
    const StackTrace *where; /* NULL: inherited */
} OpenFd;

static VEC(OpenFd) open_fds; /* LOCK_fds; oldest first */
static uint64_t soft_limit, told_limit; /* told: what the client knows, the core's own included */
static uint64_t highest_limit;          /* of soft_limit so far: a lower one closes nothing */

static bool tracking(void) { return core_options->track_fds != TRACK_FDS_NO; }

uint64_t fd_table_limit(void) { return soft_limit; }

void fd_table_set_limit(uint64_t soft)
{
    uint64_t end = host_fd_client_end();
    told_limit = soft;
    soft_limit = soft < end ? soft : end;
    if (soft_limit > highest_limit)
        highest_limit = soft_limit;
}

bool fd_table_allowed(int fd, const char *call_fmt, ...)
{
    char call[64];
    if (fd >= 0 && (uint64_t)fd < highest_limit)
        return true;
    if (fd >= 0 && (uint64_t)fd < told_limit) /* a program that closes all there might be */
        return false;
    va_list ap;
    va_start(ap, call_fmt);
    vsnprintf(call, sizeof call, call_fmt, ap);
    va_end(ap);
    if (report_shows_errors())
        gimle_umsg("Warning: invalid file descriptor %d in syscall %s()\n", fd, call);
    return false;
}

void fd_table_init(void)
{
    fd_table_set_limit(host_fd_client_limit());
    if (!tracking())
        return;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));) {
        int fd = atoi(e->d_name);
        if (e->d_name[0] != '.' && fd != dirfd(dir) && !host_fd_is_core(fd))
            vec_push(&open_fds, ((OpenFd){ fd, NULL }));
    }
    closedir(dir);
}

static void forget_range(unsigned first, unsigned last)
{
    size_t kept = 0;
    for (size_t i = 0; i < open_fds.n; i++) {
        unsigned fd = (unsigned)open_fds.data[i].fd;
        if (fd < first || fd > last)
            open_fds.data[kept++] = open_fds.data[i];
    }
    open_fds.n = kept;
}

int64_t fd_table_opened(Thread *t, int64_t fd)
{
    if ((uint64_t)fd >= soft_limit) {
        raw_syscall1(SYS_close, (uint64_t)fd);
        return -EMFILE;
    }
    if (tracking() && !t->in_vfork_child) { /* its descriptors are its own, its memory ours */
        const StackTrace *where = gimle_stack_trace(t);
        lock_take(LOCK_fds);
        forget_range((unsigned)fd, (unsigned)fd);
        vec_push(&open_fds, ((OpenFd){ (int)fd, where }));
        lock_release(LOCK_fds);
    }
    return fd;
}

void fd_table_closed_range(unsigned first, unsigned last)
{
    Thread *t = thread_self();
    if (!tracking() || (t && t->in_vfork_child))
        return;
    lock_take(LOCK_fds);
    forget_range(first, last);
    lock_release(LOCK_fds);
}

void fd_table_closed(int fd) { fd_table_closed_range((unsigned)fd, (unsigned)fd); }

/* ---- report ---------------------------------------------------------------------------------- */

static void inet_text(char *out, size_t size, const struct sockaddr_storage *a, bool peer)
{
    char ip[INET6_ADDRSTRLEN] = "";
    uint16_t port;
    bool any;
    if (a->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)a;
        inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof ip);
        port = ntohs(in6->sin6_port);
        any = memcmp(&in6->sin6_addr, &in6addr_any, sizeof in6addr_any) == 0;
        snprintf(out, size, "[%s]:%u", ip, port);
    } else {
        const struct sockaddr_in *in = (const void *)a;
        inet_ntop(AF_INET, &in->sin_addr, ip, sizeof ip);
        port = ntohs(in->sin_port);
        any = in->sin_addr.s_addr == 0;
        snprintf(out, size, "%s:%u", ip, port);
    }
    if (any && port == 0)
        snprintf(out, size, "%s", peer ? "unbound" : "<unbound>");
}

static void print_socket(int fd, const struct sockaddr_storage *own, socklen_t own_len)
{
    char a[96], b[96] = "unbound";
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof peer;
    switch (own->ss_family) {
    case AF_INET:
    case AF_INET6:
        inet_text(a, sizeof a, own, false);
        if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0)
            inet_text(b, sizeof b, &peer, true);
        gimle_umsg("Open AF_INET%s socket %d: %s <-> %s\n", own->ss_family == AF_INET ? "" : "6",
                   fd, a, b);
        break;
    case AF_UNIX: {
        const struct sockaddr_un *un = (const void *)own;
        size_t room = own_len > 2 ? own_len - 2 : 0;
        int n = (int)strnlen(un->sun_path, room < sizeof un->sun_path ? room : sizeof un->sun_path);
        gimle_umsg("Open AF_UNIX socket %d: %.*s\n", fd, n ? n : 9, n ? un->sun_path : "<unknown>");
        break;
    }
    default:
        gimle_umsg("Open pf-%d socket %d:\n", own->ss_family, fd);
    }
}

static void print_fd(const OpenFd *f)
{
    char link[64], path[4096];
    struct sockaddr_storage own;
    socklen_t own_len = sizeof own;
    snprintf(link, sizeof link, "/proc/self/fd/%d", f->fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    if (getsockname(f->fd, (struct sockaddr *)&own, &own_len) == 0)
        print_socket(f->fd, &own, own_len);
    else if (path[0] == '/')
        gimle_umsg("Open file descriptor %d: %s\n", f->fd, path);
    else
        gimle_umsg("Open file descriptor %d:\n", f->fd);
    if (f->where)
        report_stack(f->where);
    else
        gimle_umsg("   <inherited from parent>\n");
    gimle_umsg("\n");
}

void fd_table_report(const char *when)
{
    if (!tracking())
        return;
    size_t std = 0;
    bool all = core_options->track_fds == TRACK_FDS_ALL;
    for (size_t i = 0; i < open_fds.n; i++) {
        const OpenFd *f = &open_fds.data[i];
        std += f->fd < 3;
    }
    gimle_umsg("FILE DESCRIPTORS: %zu open (%zu std) %s.\n", open_fds.n, std, when);
    for (size_t i = open_fds.n; i-- > 0;)
        if (all || open_fds.data[i].fd > 2)
            print_fd(&open_fds.data[i]);
    gimle_umsg("\n");
}
