/* SPDX-License-Identifier: MIT */
/* Messages: struct msghdr with its address, iovecs and control data; socket options. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "coregrind/aspace/aspace.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/os/kernel_abi.h"
#include "fd_table.h"
#include "special.h"

enum { MAX_SOCKADDR = 128, MMSG_LIMIT = 1024, MSGHDR_FLAGS_AT = 48 };

/* Fields of the header itself, as "msg", then what it points to. False: EFAULT. */
static bool header_reads(SysCall *c, const char *name, GuestAddr a, KernelMsghdr *h)
{
    static const struct { const char *field; uint8_t offset, bytes; } fields[] = {
        { "", 0, 8 }, { "", 8, 4 }, { "", 16, 8 }, { "", 24, 8 }, { "", 32, 8 }, { "", 40, 8 },
    };
    for (size_t i = 0; a && i < sizeof fields / sizeof fields[0]; i++)
        if (!sys_reads(c, name, a + fields[i].offset, fields[i].bytes))
            return false;
    return sys_fetch(c, h, a, sizeof *h);
}

/* Core descriptors may not be sent to anybody. */
static bool sends_core_fd(const KernelMsghdr *h)
{
    GuestAddr at = h->control, end = h->control + h->control_len;
    struct cmsghdr m;
    while (at + sizeof m <= end && gimle_read_guest(&m, at, sizeof m) == sizeof m &&
           m.cmsg_len >= sizeof m && m.cmsg_len <= end - at) {
        if (m.cmsg_level == SOL_SOCKET && m.cmsg_type == SCM_RIGHTS)
            for (GuestAddr p = at + sizeof m; p + sizeof(int) <= at + m.cmsg_len;
                 p += sizeof(int)) {
                int fd;
                if (gimle_read_guest(&fd, p, sizeof fd) == sizeof fd && host_fd_is_core(fd))
                    return true;
            }
        at += CMSG_ALIGN(m.cmsg_len);
    }
    return false;
}

/* What a field of message @p name is called: "msg.msg_iov", or "sendmsg(mmsg[0].msg_hdr.msg_iov)". */
static const char *field_name(const SysCall *c, const char *name, const char *field)
{
    if (!core_events.sys_pre_read)
        return name;
    size_t n = strlen(name);
    bool closed = n && name[n - 1] == ')';
    return sys_textf(c, "%.*s.%s%s", (int)(n - closed), name, field, closed ? ")" : "");
}

/* 0 or -errno. @p name: "msg" or "sendmsg(mmsg[0].msg_hdr)". */
static int64_t message_out_pre(SysCall *c, const char *name, GuestAddr a)
{
    KernelMsghdr h;
    if (!header_reads(c, name, a, &h))
        return -EFAULT;
    if (h.name) {
        uint32_t len = h.name_len < MAX_SOCKADDR ? h.name_len : MAX_SOCKADDR;
        if (!sys_reads(c, field_name(c, name, "msg_name"), h.name, len))
            return -EFAULT;
    }
    int64_t r = sys_iov_pre(c, field_name(c, name, "msg_iov"), h.iov, h.iov_len, SYS_IN);
    if (r < 0)
        return r;
    if (h.control && h.control_len) {
        if (!sys_reads(c, field_name(c, name, "msg_control"), h.control, h.control_len))
            return -EFAULT;
        if (sends_core_fd(&h))
            return -EBADF;
    }
    return 0;
}

static int64_t message_in_pre(SysCall *c, const char *name, GuestAddr a, KernelMsghdr *h)
{
    if (!header_reads(c, name, a, h) || !sys_will_write(c, name, a + MSGHDR_FLAGS_AT, 4))
        return -EFAULT;
    if (h->name && !sys_will_write(c, field_name(c, name, "msg_name"), h->name,
                                   h->name_len < MAX_SOCKADDR ? h->name_len : MAX_SOCKADDR))
        return -EFAULT;
    int64_t r = sys_iov_pre(c, field_name(c, name, "msg_iov"), h->iov, h->iov_len, SYS_OUT);
    if (r < 0)
        return r;
    if (h->control && !sys_will_write(c, field_name(c, name, "msg_control"), h->control, h->control_len))
        return -EFAULT;
    return 0;
}

/* Descriptors that came in the control data. */
static void received_fds(SysCall *c, const KernelMsghdr *now)
{
    GuestAddr at = now->control, end = now->control + now->control_len;
    struct cmsghdr m;
    while (at + sizeof m <= end && gimle_read_guest(&m, at, sizeof m) == sizeof m &&
           m.cmsg_len >= sizeof m && m.cmsg_len <= end - at) {
        if (m.cmsg_level == SOL_SOCKET && m.cmsg_type == SCM_RIGHTS)
            for (GuestAddr p = at + sizeof m; p + sizeof(int) <= at + m.cmsg_len;
                 p += sizeof(int)) {
                int fd;
                if (gimle_read_guest(&fd, p, sizeof fd) == sizeof fd)
                    fd_table_opened(c->t, fd);
            }
        at += CMSG_ALIGN(m.cmsg_len);
    }
}

static void message_in_post(SysCall *c, GuestAddr a, const KernelMsghdr *before, uint64_t bytes)
{
    KernelMsghdr now;
    if (gimle_read_guest(&now, a, sizeof now) != sizeof now)
        return;
    sys_wrote(c, a + 8, 4);
    sys_wrote(c, a + 40, 8 + 4);
    if (before->name) {
        uint32_t room = before->name_len < MAX_SOCKADDR ? before->name_len : MAX_SOCKADDR;
        sys_wrote(c, before->name, now.name_len < room ? now.name_len : room);
    }
    sys_iov_wrote(c, before->iov, before->iov_len, bytes);
    if (before->control) {
        sys_wrote(c, before->control, now.control_len);
        received_fds(c, &now);
    }
}

void sys_sendmsg(SysCall *c)
{
    if ((c->result = message_out_pre(c, "msg", c->arg[1])) == 0)
        sys_do(c);
}

void sys_recvmsg(SysCall *c)
{
    KernelMsghdr h;
    if ((c->result = message_in_pre(c, "msg", c->arg[1], &h)) == 0 && sys_do(c) >= 0)
        message_in_post(c, c->arg[1], &h, (uint64_t)c->result);
}

/* Elements of struct mmsghdr: a msghdr and the bytes transferred. */
static uint32_t mmsg_count(const SysCall *c)
{
    uint32_t n = (uint32_t)c->arg[2];
    return n < MMSG_LIMIT ? n : MMSG_LIMIT;
}

void sys_sendmmsg(SysCall *c)
{
    uint32_t n = mmsg_count(c);
    for (uint32_t i = 0; i < n; i++) {
        GuestAddr a = c->arg[1] + (uint64_t)i * KSIZE_MMSGHDR;
        int64_t r = message_out_pre(c, sys_textf(c, "sendmsg(mmsg[%u].msg_hdr)", i), a);
        if (!sys_will_write(c, sys_textf(c, "sendmmsg(mmsg[%u].msg_len)", i), a + KSIZE_MSGHDR, 4))
            r = -EFAULT;
        if (r < 0 && i > 0) { /* what stands before it is sent */
            c->arg[2] = i;
            break;
        }
        if (r < 0) {
            c->result = r;
            return;
        }
    }
    sys_do(c);
    for (int64_t i = 0; i < c->result; i++)
        sys_wrote(c, c->arg[1] + (uint64_t)i * KSIZE_MMSGHDR + KSIZE_MSGHDR, 4);
}

void sys_recvmmsg(SysCall *c)
{
    enum { AT_ONCE = 64 };
    KernelMsghdr before[AT_ONCE];
    if ((uint32_t)c->arg[2] > AT_ONCE)
        c->arg[2] = AT_ONCE; /* fewer than asked for is always allowed */
    uint32_t n = mmsg_count(c);
    GuestAddr timeout = c->arg[4];
    int64_t error = 0;
    for (uint32_t i = 0; i < n; i++) {
        GuestAddr a = c->arg[1] + (uint64_t)i * KSIZE_MMSGHDR;
        int64_t r = message_in_pre(c, sys_textf(c, "recvmsg(mmsg[%u].msg_hdr)", i), a, &before[i]);
        if (!sys_will_write(c, sys_textf(c, "recvmmsg(mmsg[%u].msg_len)", i), a + KSIZE_MSGHDR, 4))
            r = -EFAULT;
        if (r < 0) {
            error = i ? 0 : r;
            c->arg[2] = i;
            break;
        }
    }
    if (timeout && (!sys_reads(c, "timeout", timeout, KSIZE_TIMESPEC) ||
                    !sys_prepare_write(timeout, KSIZE_TIMESPEC)))
        error = -EFAULT;
    c->result = error;
    if (error)
        return;
    if (sys_do(c) >= 0 && timeout)
        sys_wrote(c, timeout, KSIZE_TIMESPEC);
    for (int64_t i = 0; i < c->result; i++) {
        GuestAddr a = c->arg[1] + (uint64_t)i * KSIZE_MMSGHDR;
        uint32_t bytes = 0;
        gimle_read_guest(&bytes, a + KSIZE_MSGHDR, sizeof bytes);
        message_in_post(c, a, &before[i], bytes);
        sys_wrote(c, a + KSIZE_MSGHDR, 4);
    }
}

void sys_setsockopt(SysCall *c)
{
    enum { ATTACH_FILTER = 26, ATTACH_REUSEPORT_CBPF = 51 };
    int option = (int)c->arg[2];
    if ((int)c->arg[1] == SOL_SOCKET &&
        (option == ATTACH_FILTER || option == ATTACH_REUSEPORT_CBPF)) {
        struct { uint16_t len; uint64_t filter; } prog;
        if (!sys_fetch(c, &prog, c->arg[3], sizeof prog))
            return;
        if (!sys_reads(c, "optval->filter", prog.filter, prog.len * 8u)) {
            c->result = -EFAULT;
            return;
        }
    }
    sys_do(c);
}

void sys_getsockopt(SysCall *c)
{
    uint32_t room = 0;
    GuestAddr value = c->arg[3], len = c->arg[4];
    if (len == 0) { /* no report: the kernel knows what comes first */
        sys_do(c);
        return;
    }
    if (!sys_reads(c, "optlen", len, 4) || !sys_prepare_write(len, 4) ||
        !sys_fetch(c, &room, len, 4) || (value && !sys_will_write(c, "optval", value, room))) {
        c->result = -EFAULT;
        return;
    }
    if (sys_do(c) < 0)
        return;
    uint32_t now = room;
    gimle_read_guest(&now, len, 4);
    sys_wrote(c, len, 4);
    if (value)
        sys_wrote(c, value, now < room ? now : room);
}
