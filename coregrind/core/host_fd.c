/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of the core sit at [limit, limit+HOST_FDS), limit being the client's RLIMIT_NOFILE.
 * Where the limit cannot be raised they take the last numbers below it, which the client then cannot
 * have, though its limit looks as it was; where it is huge we sit at 64 Ki, since the kernel's table
 * is as large as the highest number in use.
 */
#include "coregrind/core/host_fd.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

enum { HOST_FDS = 64, HIGHEST_BASE = 65536 };

static unsigned long client_limit, base_fd;
static bool client_raised; /* descriptors above ours are the client's too */
static _Atomic uint64_t in_use; /* bit i: base_fd + i is ours */
static _Atomic uint64_t shared; /* likewise: another process has it under the same number */

void host_fd_init(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        r.rlim_cur = r.rlim_max = 1024;
    client_limit = r.rlim_cur;
    base_fd = client_limit;
    if (client_limit > HIGHEST_BASE) {
        base_fd = HIGHEST_BASE;
        return;
    }
    struct rlimit want = { client_limit + HOST_FDS, r.rlim_max };
    if (r.rlim_max == RLIM_INFINITY || want.rlim_cur <= r.rlim_max) {
        if (setrlimit(RLIMIT_NOFILE, &want) == 0)
            return;
    }
    base_fd -= client_limit > 2 * HOST_FDS ? HOST_FDS : client_limit / 4;
}

unsigned long host_fd_client_limit(void) { return client_limit; }

unsigned long host_fd_client_end(void)
{
    return base_fd < client_limit && base_fd < HIGHEST_BASE && !client_raised ? base_fd
                                                                              : UINT32_MAX;
}

void host_fd_raise_limit(unsigned long soft)
{
    struct rlimit r;
    if (soft <= client_limit || getrlimit(RLIMIT_NOFILE, &r) != 0 || soft + HOST_FDS <= r.rlim_cur)
        return;
    client_raised = true;
    if (r.rlim_max < soft + HOST_FDS) { /* only the superuser may */
        struct rlimit more = { soft + HOST_FDS, soft + HOST_FDS };
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            return;
    }
    r.rlim_cur = soft + HOST_FDS < r.rlim_max ? soft + HOST_FDS : r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
}

int host_fd_dup(int fd)
{
    int up = fcntl(fd, F_DUPFD_CLOEXEC, (int)base_fd);
    if (up < 0)
        return -1;
    if ((unsigned long)up >= base_fd + HOST_FDS) {
        close(up);
        return -1;
    }
    atomic_fetch_or(&in_use, 1ULL << ((unsigned long)up - base_fd));
    return up;
}

int host_fd_move(int fd)
{
    int up = host_fd_dup(fd);
    if (up >= 0)
        close(fd);
    return up;
}

bool host_fd_is_core(int fd)
{
    if (fd < 0 || (unsigned long)fd < base_fd || (unsigned long)fd >= base_fd + HOST_FDS)
        return false;
    return in_use >> ((unsigned long)fd - base_fd) & 1;
}

bool host_fd_files_may_grow(void)
{
    struct rlimit r;
    return getrlimit(RLIMIT_FSIZE, &r) == 0 && r.rlim_cur == RLIM_INFINITY;
}

void host_fd_share(void) { shared |= in_use; }

static atomic_bool stopped;

void host_fd_stop_opening(void) { atomic_store(&stopped, true); }
bool host_fd_may_open(void) { return !atomic_load(&stopped); }

void host_fd_close(int fd)
{
    if (host_fd_is_core(fd)) {
        uint64_t bit = 1ULL << ((unsigned long)fd - base_fd);
        if (shared & bit)
            return;
        atomic_fetch_and(&in_use, ~bit);
    }
    close(fd);
}
