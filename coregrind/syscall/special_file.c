/* SPDX-License-Identifier: MIT */
/* Descriptors and paths: what keeps the core's own descriptors and /proc/self out of sight. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "coregrind/aspace/aspace.h"
#include "coregrind/aspace/file_names.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/os/kernel_abi.h"
#include "coregrind/os/raw_syscall.h"
#include "fd_table.h"
#include "proc_view.h"
#include "special.h"

/* ---- open ------------------------------------------------------------------------------------ */

static void open_common(SysCall *c, int dfd, GuestAddr name, int flags)
{
    char path[PATH_MAX];
    if (proc_view_fetch(dfd, name, path, sizeof path) && proc_view_open(path, flags, &c->result))
        return;
    sys_do(c);
    if (c->result >= 0 && file_names_wanted()) {
        long n = gimle_guest_strlen(name, sizeof path - 1);
        path[n > 0 ? gimle_read_guest(path, name, (size_t)n) : 0] = 0;
        file_names_note(path);
    }
}

void sys_open(SysCall *c) { open_common(c, AT_FDCWD, c->arg[0], (int)c->arg[1]); }
void sys_openat(SysCall *c) { open_common(c, (int)c->arg[0], c->arg[1], (int)c->arg[2]); }

void sys_openat2(SysCall *c)
{
    struct open_how how = { 0 };
    if (c->arg[3] < sizeof how)
        c->result = -EINVAL;
    else if (sys_fetch(c, &how, c->arg[2], sizeof how))
        open_common(c, (int)c->arg[0], c->arg[1], (int)how.flags);
}

/* Calls that name a file by the path in argument @p at: /proc/self/exe is the client's program. */
static void path_common(SysCall *c, unsigned at)
{
    char path[PATH_MAX];
    int dfd = at ? (int)c->arg[0] : AT_FDCWD;
    if (c->arg[at] && proc_view_fetch(dfd, c->arg[at], path, sizeof path)) {
        if (proc_view_is_exe(path))
            c->arg[at] = (uintptr_t)proc_view_exe();
        else if (proc_view_others_exe(path, path, sizeof path))
            c->arg[at] = (uintptr_t)path;
    }
    sys_do(c);
}

void sys_path_of_self(SysCall *c) { path_common(c, 0); }

/* stat, access and statx of the link itself are the host's, which is a link too. */
void sys_pathat_of_self(SysCall *c)
{
    uint64_t flags = c->no == SYS_statx ? c->arg[2] : c->no == SYS_faccessat ? 0 : c->arg[3];
    if (flags & AT_SYMLINK_NOFOLLOW)
        sys_do(c);
    else
        path_common(c, 1);
}

static void readlink_common(SysCall *c, unsigned at)
{
    char path[PATH_MAX];
    int dfd = at ? (int)c->arg[0] : AT_FDCWD;
    const char *exe = path;
    if (!proc_view_fetch(dfd, c->arg[at], path, sizeof path) ||
        (!proc_view_is_exe(path) && !proc_view_others_exe(path, path, sizeof path))) {
        sys_do(c);
        return;
    }
    if (proc_view_is_exe(path))
        exe = proc_view_exe();
    size_t n = strlen(exe), room = (size_t)(int)c->arg[at + 2];
    if ((int)c->arg[at + 2] <= 0)
        c->result = -EINVAL;
    else
        c->result =
            (int64_t)gimle_write_guest(c->arg[at + 1], exe, n < room ? n : room);
    if (c->result == 0)
        c->result = -EFAULT;
}

void sys_readlink(SysCall *c) { readlink_common(c, 0); }
void sys_readlinkat(SysCall *c) { readlink_common(c, 1); }

/* ---- directories ----------------------------------------------------------------------------- */

/* Take the core's descriptors out of the entries in @p buf; the bytes that are left. */
static size_t hide_core_fds(char *buf, size_t len, size_t name_offset)
{
    size_t out = 0;
    for (size_t at = 0; at + name_offset < len;) {
        uint16_t reclen;
        memcpy(&reclen, buf + at + 16, sizeof reclen);
        if (reclen == 0 || reclen > len - at)
            break;
        const char *name = buf + at + name_offset;
        int fd = -1;
        if (sscanf(name, "%d", &fd) != 1 || !host_fd_is_core(fd)) {
            memmove(buf + out, buf + at, reclen);
            out += reclen;
        }
        at += reclen;
    }
    return out;
}

void sys_getdents(SysCall *c)
{
    size_t name_offset = c->no == SYS_getdents64 ? 19 : 18;
    while (sys_do(c) > 0 && proc_view_is_fd_dir((int)c->arg[0])) {
        /* The kernel has just written there, so it can be read and written. */
        c->result = (int64_t)hide_core_fds((char *)(uintptr_t)c->arg[1], (size_t)c->result,
                                           name_offset);
        if (c->result > 0)
            return;
    }
}

/* ---- descriptors ----------------------------------------------------------------------------- */

void sys_close(SysCall *c)
{
    fd_table_closed((int)c->arg[0]);
    sys_do(c);
}

void sys_close_range(SysCall *c)
{
    enum { HIGHEST_CORE_FD = 65536 + 64 };
    unsigned first = (unsigned)c->arg[0], last = (unsigned)c->arg[1];
    uint64_t flags = c->arg[2];
    if (first > last) {
        c->result = -EINVAL;
        return;
    }
    unsigned from = first, end = last < HIGHEST_CORE_FD ? last : HIGHEST_CORE_FD;
    c->result = 0;
    for (unsigned fd = first; fd <= end && c->result == 0; fd++) {
        if (!host_fd_is_core((int)fd))
            continue;
        if (fd > from)
            c->result = raw_syscall3(SYS_close_range, from, fd - 1, flags);
        flags &= ~(uint64_t)CLOSE_RANGE_UNSHARE;
        from = fd + 1;
    }
    if (c->result == 0 && from <= last)
        c->result = raw_syscall3(SYS_close_range, from, last, flags);
    if (c->result == 0 && !(flags & CLOSE_RANGE_CLOEXEC))
        fd_table_closed_range(first, last);
}

static void dup_common(SysCall *c)
{
    int64_t target = (int)c->arg[1];
    if (!fd_table_allowed((int)target, "%s", c->row->name) ||
        (target != (int)c->arg[0] && (uint64_t)target >= fd_table_limit()) ||
        host_fd_is_core((int)target)) {
        c->result = -EBADF;
        return;
    }
    if (sys_do(c) >= 0)
        c->result = fd_table_opened(c->t, c->result);
}

void sys_dup2(SysCall *c) { dup_common(c); }
void sys_dup3(SysCall *c) { dup_common(c); }

/* Two new descriptors at @p a. */
static void new_pair(SysCall *c, GuestAddr a)
{
    int fd[2];
    if (sys_do(c) < 0 || !sys_fetch(c, fd, a, sizeof fd))
        return;
    int64_t one = fd_table_opened(c->t, fd[0]), two = fd_table_opened(c->t, fd[1]);
    if (one >= 0 && two >= 0)
        return;
    for (int i = 0; i < 2; i++)
        if ((i ? two : one) >= 0) {
            fd_table_closed(fd[i]);
            raw_syscall1(SYS_close, (uint64_t)fd[i]);
        }
    c->result = -EMFILE;
}

void sys_pipe(SysCall *c) { new_pair(c, c->arg[0]); }
void sys_socketpair(SysCall *c) { new_pair(c, c->arg[3]); }

/* ---- fcntl ----------------------------------------------------------------------------------- */

typedef enum FcntlKind { FC_NONE, FC_INT, FC_DUP, FC_FLOCK, FC_FLOCK_OUT, FC_IN, FC_OUT } FcntlKind;

static const struct {
    int cmd;
    FcntlKind kind;
    unsigned bytes;
    const char *what;
} fcntl_rows[] = {
    { F_DUPFD, FC_DUP, 0, 0 },         { F_DUPFD_CLOEXEC, FC_DUP, 0, 0 },
    { F_GETFD, FC_NONE, 0, 0 },        { F_GETFL, FC_NONE, 0, 0 },
    { F_GETOWN, FC_NONE, 0, 0 },       { F_GETSIG, FC_NONE, 0, 0 },
    { F_GETLEASE, FC_NONE, 0, 0 },     { F_GETPIPE_SZ, FC_NONE, 0, 0 },
    { F_GET_SEALS, FC_NONE, 0, 0 },    { F_SETFD, FC_INT, 0, 0 },
    { F_SETFL, FC_INT, 0, 0 },         { F_SETOWN, FC_INT, 0, 0 },
    { F_SETSIG, FC_INT, 0, 0 },        { F_SETLEASE, FC_INT, 0, 0 },
    { F_NOTIFY, FC_INT, 0, 0 },        { F_SETPIPE_SZ, FC_INT, 0, 0 },
    { F_ADD_SEALS, FC_INT, 0, 0 },     { F_SETLK, FC_FLOCK, 0, 0 },
    { F_SETLKW, FC_FLOCK, 0, 0 },      { F_OFD_SETLK, FC_FLOCK, 0, 0 },
    { F_OFD_SETLKW, FC_FLOCK, 0, 0 },  { F_GETLK, FC_FLOCK_OUT, 0, 0 },
    { F_OFD_GETLK, FC_FLOCK_OUT, 0, 0 },
    { F_SETOWN_EX, FC_IN, 8, "fcntl(F_SETOWN_EX)" },
    { F_GETOWN_EX, FC_OUT, 8, "fcntl(F_GETOWN_EX)" },
    { F_GET_RW_HINT, FC_OUT, 8, "fcntl(F_GET_RW_HINT)" },
    { F_SET_RW_HINT, FC_IN, 8, "fcntl(F_SET_RW_HINT)" },
    { F_GET_FILE_RW_HINT, FC_OUT, 8, "fcntl(F_GET_FILE_RW_HINT)" },
    { F_SET_FILE_RW_HINT, FC_IN, 8, "fcntl(F_SET_FILE_RW_HINT)" },
};

static const struct {
    const char *what;
    uint8_t offset, bytes;
} flock_fields[] = {
    { "lock->l_type", 0, 2 }, { "lock->l_whence", 2, 2 }, { "lock->l_start", 8, 8 },
    { "lock->l_len", 16, 8 }, { "lock->l_pid", 24, 4 },
};

static bool flock_reads(SysCall *c, GuestAddr a, bool get)
{
    bool ok = true;
    for (unsigned i = 0; i < 4; i++)
        ok &= sys_reads(c, flock_fields[i].what, a + flock_fields[i].offset, flock_fields[i].bytes);
    if (get)
        ok &= sys_will_write(c, flock_fields[4].what, a + flock_fields[4].offset,
                             flock_fields[4].bytes);
    return ok && sys_prepare_write(a, get ? KSIZE_FLOCK : 0) && aspace_is_client_range(a, KSIZE_FLOCK);
}

static void fcntl_memory(SysCall *c, FcntlKind kind, const char *what, unsigned bytes)
{
    GuestAddr a = c->arg[2];
    bool ok;
    sys_reg(c, 2, kind == FC_FLOCK || kind == FC_FLOCK_OUT ? "lock" : "arg", 8);
    switch (kind) {
    case FC_FLOCK:
    case FC_FLOCK_OUT: ok = flock_reads(c, a, kind == FC_FLOCK_OUT); break;
    case FC_IN: ok = sys_reads(c, what, a, bytes); break;
    default: ok = sys_will_write(c, what, a, bytes); break;
    }
    if (!ok) {
        c->result = -EFAULT;
        return;
    }
    bool waits = (int)c->arg[1] == F_SETLKW || (int)c->arg[1] == F_OFD_SETLKW;
    if ((waits ? sys_do(c) : sys_do_now(c)) < 0)
        return;
    if (kind == FC_FLOCK_OUT)
        sys_wrote(c, a, KSIZE_FLOCK - 4);
    else if (kind == FC_OUT)
        sys_wrote(c, a, bytes);
}

void sys_fcntl(SysCall *c)
{
    int cmd = (int)c->arg[1];
    for (size_t i = 0; i < sizeof fcntl_rows / sizeof fcntl_rows[0]; i++) {
        if (fcntl_rows[i].cmd != cmd)
            continue;
        switch (fcntl_rows[i].kind) {
        case FC_NONE:
            sys_do_now(c);
            break;
        case FC_INT:
            sys_reg(c, 2, "arg", 4);
            sys_do_now(c);
            break;
        case FC_DUP:
            sys_reg(c, 2, "arg", 4);
            if ((uint32_t)c->arg[2] >= fd_table_limit())
                c->result = -EINVAL;
            else if (sys_do_now(c) >= 0)
                c->result = fd_table_opened(c->t, c->result);
            break;
        default:
            fcntl_memory(c, fcntl_rows[i].kind, fcntl_rows[i].what, fcntl_rows[i].bytes);
        }
        return;
    }
    sys_reg(c, 2, "arg", 8);
    if (c->arg[2] >= GIMLE_CLIENT_END && (int64_t)c->arg[2] > 0)
        c->result = -EFAULT; /* an unknown command; a pointer must be the client's */
    else
        sys_do_now(c);
}

/* ---- others with structures of their own ----------------------------------------------------- */

void sys_epoll_ctl(SysCall *c)
{
    if ((int)c->arg[1] != EPOLL_CTL_DEL) {
        sys_reg(c, 3, "event", 8);
        /* The rest is the program's own and comes back as it is: who sets data.fd leaves half of it. */
        if (!sys_reads(c, "event", c->arg[3], sizeof(uint32_t))) {
            c->result = -EFAULT;
            return;
        }
    } else {
        c->arg[3] = 0;
    }
    sys_do(c);
}

void sys_mq_open(SysCall *c)
{
    if ((int)c->arg[1] & O_CREAT) {
        sys_reg(c, 3, "attr", 8);
        if (c->arg[3] && (!sys_reads(c, "attr->mq_maxmsg", c->arg[3] + 8, 8) ||
                          !sys_reads(c, "attr->mq_msgsize", c->arg[3] + 16, 8))) {
            c->result = -EFAULT;
            return;
        }
    } else {
        c->arg[3] = 0;
    }
    sys_do(c);
}

/* Seconds count only where the nanoseconds do not say "now" or "leave it". */
void sys_utimensat(SysCall *c)
{
    GuestAddr a = c->arg[2];
    bool ok = true;
    for (unsigned i = 0; a && i < 2; i++, a += KSIZE_TIMESPEC) {
        int64_t nsec = UTIME_NOW;
        ok &= sys_reads(c, i ? "times[1].tv_nsec" : "times[0].tv_nsec", a + 8, 8);
        gimle_read_guest(&nsec, a + 8, sizeof nsec);
        if (nsec != UTIME_NOW && nsec != UTIME_OMIT)
            ok &= sys_reads(c, i ? "times[1].tv_sec" : "times[0].tv_sec", a, 8);
    }
    if (ok)
        sys_do(c);
    else
        c->result = -EFAULT;
}

void sys_utimes(SysCall *c)
{
    GuestAddr a = c->arg[1];
    bool ok = a == 0 || sys_reads(c, "tvp[0]", a, KSIZE_TIMEVAL);
    if (a)
        ok &= sys_reads(c, "tvp[1]", a + KSIZE_TIMEVAL, KSIZE_TIMEVAL);
    if (ok)
        sys_do(c);
    else
        c->result = -EFAULT;
}

/* struct file_handle: bytes and type, then the handle itself. */
static bool handle_bytes(SysCall *c, GuestAddr a, uint32_t *bytes)
{
    enum { MAX_HANDLE = 128 };
    if (!sys_take(c, "handle", bytes, a, sizeof *bytes)) {
        c->result = -EFAULT;
        return false;
    }
    if (*bytes > MAX_HANDLE)
        *bytes = MAX_HANDLE;
    return true;
}

void sys_name_to_handle_at(SysCall *c)
{
    uint32_t bytes;
    if (!handle_bytes(c, c->arg[2], &bytes))
        return;
    if (!sys_will_write(c, "handle", c->arg[2], KSIZE_FILE_HANDLE + bytes)) {
        c->result = -EFAULT;
        return;
    }
    if (sys_do(c) == 0)
        sys_wrote(c, c->arg[2], KSIZE_FILE_HANDLE + bytes);
    else if (c->result == -EOVERFLOW)
        sys_wrote(c, c->arg[2], 4);
}

void sys_open_by_handle_at(SysCall *c)
{
    uint32_t bytes;
    if (!handle_bytes(c, c->arg[1], &bytes))
        return;
    if (sys_reads(c, "handle", c->arg[1], KSIZE_FILE_HANDLE + bytes))
        sys_do(c);
    else
        c->result = -EFAULT;
}

/* struct xattr_args: where the value is, how long, flags. */
void sys_xattrat(SysCall *c)
{
    enum { NUMBER_SETXATTRAT = 463 };
    struct { uint64_t value; uint32_t size, flags; } x;
    if (c->arg[5] < sizeof x) {
        c->result = -EINVAL;
        return;
    }
    if (!sys_fetch(c, &x, c->arg[4], sizeof x))
        return;
    bool set = c->no == NUMBER_SETXATTRAT;
    if (!(set ? sys_reads(c, "args->value", x.value, x.size)
              : sys_will_write(c, "args->value", x.value, x.size)))
        c->result = -EFAULT;
    else if (sys_do(c) > 0 && !set)
        sys_wrote(c, x.value, (size_t)c->result);
}
