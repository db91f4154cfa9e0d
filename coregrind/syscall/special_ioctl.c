/* SPDX-License-Identifier: MIT */
/*
 * ioctl: what is read and written is told by ioctls.def or by the request's number.  A few requests
 * point on to further memory; those are here by hand.
 */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/blkpg.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <linux/if_tun.h>
#include <linux/input.h>
#include <linux/kd.h>
#include <linux/loop.h>
#include <linux/nsfs.h>
#include <linux/perf_event.h>
#include <linux/rtc.h>
#include <linux/sockios.h>
#include <linux/uinput.h>
#include <linux/vt.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "coregrind/aspace/aspace.h"
#include "coregrind/core/host_fd.h"
#include "fd_table.h"
#include "special.h"

typedef struct IoctlRow {
    uint32_t request;
    bool integer, ignored;
    const char *text;
    uint16_t in, out;
} IoctlRow;

#define IOCTL(request, text, in, out) { (uint32_t)(request), 0, 0, "ioctl(" text ")", in, out },
#define IOCTL_INT(request) { (uint32_t)(request), true, false, "ioctl(arg)", 0, 0 },
#define IOCTL_NONE(request) { (uint32_t)(request), true, true, "ioctl(arg)", 0, 0 },
static const IoctlRow rows[] = {
#include "ioctls.def"
};
#undef IOCTL
#undef IOCTL_INT
#undef IOCTL_NONE

static const IoctlRow *find_row(uint32_t request)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].request == request)
            return &rows[i];
    return NULL;
}

/* struct ifconf: a length and where the list goes; a null pointer asks for the length. */
static void ioctl_ifconf(SysCall *c)
{
    struct { int32_t len, pad; uint64_t buf; } k;
    sys_reg(c, 2, "arg", 8);
    if (!sys_reads(c, "ioctl(SIOCGIFCONF)", c->arg[2], sizeof k.len) || /* padding follows */
        !sys_reads(c, "ioctl(SIOCGIFCONF)", c->arg[2] + 8, sizeof k.buf) ||
        !sys_fetch(c, &k, c->arg[2], sizeof k) ||
        (k.buf && k.len > 0 &&
         !sys_will_write(c, "ioctl(SIOCGIFCONF).ifc_buf", k.buf, (size_t)k.len))) {
        c->result = -EFAULT;
        return;
    }
    if (sys_do(c) < 0 || !sys_fetch(c, &k, c->arg[2], sizeof k))
        return;
    c->result = 0;
    sys_wrote(c, c->arg[2], 4);
    if (k.buf && k.len > 0)
        sys_wrote(c, k.buf, (size_t)k.len);
}

/* Requests with a struct ifreq that has a pointer at 16: looked at by the driver. */
static void ioctl_ifreq_data(SysCall *c)
{
    uint64_t data;
    if (!sys_reads(c, "ioctl(ifreq)", c->arg[2], 24) || !sys_fetch(c, &data, c->arg[2] + 16, 8) ||
        !sys_will_write(c, "ioctl(ifreq.ifr_data)", data, 4)) {
        c->result = -EFAULT;
        return;
    }
    sys_do(c);
}

/* fiemap: a header and as many extents as the client has room for. */
static void ioctl_fiemap(SysCall *c)
{
    enum { HEADER = 32, EXTENT = 56, MAPPED_AT = 20, COUNT_AT = 24, MAX_EXTENTS = 1 << 20 };
    uint32_t count;
    GuestAddr a = c->arg[2];
    if (!sys_reads(c, "ioctl(FS_IOC_FIEMAP)", a, HEADER) ||
        !sys_fetch(c, &count, a + COUNT_AT, 4) || count > MAX_EXTENTS ||
        !sys_will_write(c, "ioctl(FS_IOC_FIEMAP)", a + HEADER, (size_t)count * EXTENT)) {
        c->result = -EFAULT;
        return;
    }
    if (sys_do(c) < 0)
        return;
    sys_wrote(c, a, HEADER);
    uint32_t mapped = 0;
    if (count && gimle_read_guest(&mapped, a + MAPPED_AT, 4) == 4)
        sys_wrote(c, a + HEADER, (size_t)(mapped < count ? mapped : count) * EXTENT);
}

/* Requests whose number has a pointer's size, though the argument is the pointer to a string. */
static void ioctl_string(SysCall *c)
{
    if (!sys_reads_string(c, "ioctl(string)", c->arg[2]))
        c->result = -EFAULT;
    else
        sys_do(c);
}

/* Descriptor-making requests. */
static void ioctl_new_fd(SysCall *c)
{
    if (sys_do(c) >= 0)
        c->result = fd_table_opened(c->t, c->result);
}

static const struct {
    uint32_t request;
    SysHandler *handler;
} special[] = {
    { SIOCGIFCONF, ioctl_ifconf }, { SIOCETHTOOL, ioctl_ifreq_data },
    { SIOCSHWTSTAMP, ioctl_ifreq_data }, { SIOCGHWTSTAMP, ioctl_ifreq_data },
    { SIOCGSKNS, ioctl_new_fd }, { TUNGETDEVNETNS, ioctl_new_fd }, { UI_SET_PHYS, ioctl_string },
    { PERF_EVENT_IOC_SET_FILTER, ioctl_string },
    { FS_IOC_FIEMAP, ioctl_fiemap }, { TIOCGPTPEER, ioctl_new_fd },
    { NS_GET_USERNS, ioctl_new_fd }, { NS_GET_PARENT, ioctl_new_fd },
};

static void ioctl_memory(SysCall *c, const char *text, size_t in, size_t out)
{
    GuestAddr a = c->arg[2];
    if ((in && !sys_reads(c, text, a, in)) || (out && !sys_will_write(c, text, a, out)))
        c->result = -EFAULT;
    else if (sys_do(c) >= 0 && out)
        sys_wrote(c, a, out);
}

void sys_ioctl(SysCall *c)
{
    uint32_t request = (uint32_t)c->arg[1];
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (special[i].request == request) {
            special[i].handler(c);
            return;
        }
    const IoctlRow *row = find_row(request);
    if (!row || !row->ignored)
        sys_reg(c, 2, "arg", 8);
    if (row && row->integer) {
        sys_do(c);
        return;
    }
    if (row) {
        ioctl_memory(c, row->text, row->in, row->out);
        return;
    }
    size_t size = _IOC_SIZE(request);
    unsigned dir = _IOC_DIR(request);
    const unsigned first_of_any_size = 6; /* EVIOCGNAME(len) */
    bool evdev = _IOC_TYPE(request) == 'E' && dir == _IOC_READ &&
                 _IOC_NR(request) >= first_of_any_size;
    if (dir != _IOC_NONE && size) {
        ioctl_memory(c, evdev ? "ioctl(EVIO*)" : "ioctl(generic)", dir & _IOC_WRITE ? size : 0,
                     dir & _IOC_READ ? size : 0);
    } else if (c->arg[2] >= GIMLE_CLIENT_END && (int64_t)c->arg[2] > 0) {
        c->result = -EFAULT; /* nothing is known but that it could be a pointer */
    } else {
        sys_do(c);
    }
}
