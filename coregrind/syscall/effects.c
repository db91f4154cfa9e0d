/* SPDX-License-Identifier: MIT */
/*
 * What a row of the table means: the tool's events for registers and memory before and after the
 * call, and the check that the kernel is given no pointer outside the client's range.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/check.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/aspace/layout.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/os/kernel_abi.h"
#include "coregrind/os/safe_copy.h"
#include "base/hashmap.h"
#include "fd_table.h"
#include "table.h"

enum { NAME_MAX_LEN = 160, IOV_LIMIT = 1024, TEXT_SLOTS = 4096 };

/* ---- texts ----------------------------------------------------------------------------------- */

/* Texts once made stay: reports keep pointers to them.  Lock-free: a slot is only ever filled. */
static _Atomic(char *) texts[TEXT_SLOTS];

static const char *intern(const char *s)
{
    uint64_t h = 14695981039346656037ULL;
    for (const char *p = s; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ULL;
    h = hash_mix64(h);
    for (unsigned i = 0; i < TEXT_SLOTS; i++) {
        _Atomic(char *) *slot = &texts[(h + i) % TEXT_SLOTS];
        char *have = atomic_load(slot);
        if (!have) {
            char *copy = strdup(s);
            CHECK(copy, "out of memory");
            if (atomic_compare_exchange_strong(slot, &have, copy))
                return copy;
            free(copy);
        }
        if (strcmp(have, s) == 0)
            return have;
    }
    return "syscall(argument)"; /* 4096 different texts: some long iovec array's elements */
}

static const char *text_of(const SysCall *c, const char *prefix, const char *what, size_t n)
{
    char full[NAME_MAX_LEN];
    if (memchr(what, '(', n))
        snprintf(full, sizeof full, "%.*s", (int)n, what);
    else
        snprintf(full, sizeof full, "%s(%.*s)", prefix ? prefix : c->row->name, (int)n, what);
    return intern(full);
}

const char *sys_text(const SysCall *c, const char *what)
{
    return text_of(c, c->row->text, what, strlen(what));
}

const char *sys_textf(const SysCall *c, const char *fmt, ...)
{
    char what[NAME_MAX_LEN];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return sys_text(c, what);
}

/* Texts of the table's own names, made once for each row; [0] for the register, [1] for memory. */
static const char *row_text(const SysCall *c, unsigned i, bool memory)
{
    static _Atomic(const char *) cache[512][SYS_MAX_ARGS][2];
    _Atomic(const char *) *slot = &cache[c->no & 511][i][memory];
    const char *text = atomic_load_explicit(slot, memory_order_acquire);
    if (text)
        return text;
    const char *name = c->row->arg[i].name, *bar = strchr(name, '|');
    if (memory)
        text = sys_text(c, bar ? bar + 1 : name);
    else
        text = text_of(c, NULL, name, bar ? (size_t)(bar - name) : strlen(name));
    atomic_store_explicit(slot, text, memory_order_release);
    return text;
}

/* ---- single effects -------------------------------------------------------------------------- */

static RegId arg_register(unsigned i)
{
    /* rdi rsi rdx r10 r8 r9 in the order of guest_amd64.def */
    static const uint8_t reg[SYS_MAX_ARGS] = { 7, 6, 2, 10, 8, 9 };
    return reg[i];
}

void sys_reg(SysCall *c, unsigned i, const char *what, unsigned bytes)
{
    if (core_events.sys_pre_reg)
        core_events.sys_pre_reg(c->t, what ? text_of(c, NULL, what, strlen(what))
                                           : row_text(c, i, false),
                                arg_register(i), bytes);
}

/*
 * Is @p a where user space ends for the kernel, but not for the client?  Nothing there may reach the
 * kernel.  It is enough to look where a buffer begins: the kernel stops at the first page that is
 * not mapped, and the last one of the client's range never is.  Addresses above user space are
 * no danger, and the kernel knows best when it is to complain about them.
 */
static bool is_core_addr(GuestAddr a) { return a >= GIMLE_CLIENT_END && a < 1ULL << 47; }

/* The part of @p len that tools need to hear of. */
static size_t clipped(GuestAddr a, size_t len)
{
    return a < GIMLE_CLIENT_END && len > GIMLE_CLIENT_END - a ? GIMLE_CLIENT_END - a : len;
}

/* As the public functions, with the text ready. */
static bool reads(SysCall *c, const char *text, GuestAddr a, size_t len)
{
    if (len)
        EVENT(sys_pre_read, c->t, text, a, clipped(a, len));
    return !is_core_addr(a);
}

bool sys_prepare_write(GuestAddr a, size_t len)
{
    len = clipped(a, len);
    if (aspace_prepare_write(a, len))
        gimle_discard_translations(a, len);
    return !is_core_addr(a);
}

static bool will_write(SysCall *c, const char *text, GuestAddr a, size_t len)
{
    if (len)
        EVENT(sys_pre_write, c->t, text, a, clipped(a, len));
    return sys_prepare_write(a, len);
}

bool sys_reads(SysCall *c, const char *what, GuestAddr a, size_t len)
{
    return reads(c, core_events.sys_pre_read ? sys_text(c, what) : NULL, a, len);
}

bool sys_reads_string(SysCall *c, const char *what, GuestAddr a)
{
    if (core_events.sys_pre_read_string)
        core_events.sys_pre_read_string(c->t, sys_text(c, what), a);
    return !is_core_addr(a);
}

bool sys_will_write(SysCall *c, const char *what, GuestAddr a, size_t len)
{
    return will_write(c, core_events.sys_pre_write ? sys_text(c, what) : NULL, a, len);
}

void sys_wrote(SysCall *c, GuestAddr a, size_t len)
{
    if (len && aspace_is_client_range(a, len))
        EVENT(sys_post_write, c->t, a, len);
}

bool sys_fetch(SysCall *c, void *to, GuestAddr from, size_t len)
{
    if (gimle_read_guest(to, from, len) == len)
        return true;
    c->result = -EFAULT;
    return false;
}

bool sys_take(SysCall *c, const char *what, void *to, GuestAddr from, size_t len)
{
    c->result = -EFAULT;
    return sys_reads(c, what, from, len) && sys_fetch(c, to, from, len);
}

bool sys_store(SysCall *c, const char *what, GuestAddr to, const void *from, size_t len)
{
    if (!sys_will_write(c, what, to, len) || gimle_write_guest(to, from, len) != len) {
        c->result = -EFAULT;
        return false;
    }
    sys_wrote(c, to, len);
    return true;
}

/* ---- iovecs ---------------------------------------------------------------------------------- */

/* @p what: the array's name; "a|b": elements are all called b, else a[0], a[1] ... */
int64_t sys_iov_pre(SysCall *c, const char *what, GuestAddr a, uint64_t n, int dir)
{
    if (n == 0 || n > IOV_LIMIT)
        return 0; /* the kernel answers */
    const char *bar = strchr(what, '|');
    int name_len = bar ? (int)(bar - what) : (int)strlen(what);
    bool listen = dir == SYS_IN ? core_events.sys_pre_read != NULL
                                : core_events.sys_pre_write != NULL;
    if (!reads(c, core_events.sys_pre_read ? sys_textf(c, "%.*s", name_len, what) : NULL, a,
               n * sizeof(KernelIovec)))
        return -EFAULT;
    for (uint64_t i = 0; i < n; i++) {
        KernelIovec v;
        const char *text = NULL;
        if (gimle_read_guest(&v, a + i * sizeof v, sizeof v) != sizeof v)
            return 0; /* the kernel cannot read it either */
        if (listen)
            text = bar ? sys_text(c, bar + 1)
                   : what[name_len - 1] == ')' ? sys_textf(c, "%.*s[%u])", name_len - 1, what, (unsigned)i)
                                               : sys_textf(c, "%s[%u]", what, (unsigned)i);
        if (v.len > INT64_MAX)
            return 0;
        if (!(dir == SYS_OUT ? will_write(c, text, v.base, v.len) : reads(c, text, v.base, v.len)))
            return -EFAULT;
    }
    return 0;
}

void sys_iov_wrote(SysCall *c, GuestAddr a, uint64_t n, uint64_t bytes)
{
    for (uint64_t i = 0; i < n && bytes > 0; i++) {
        KernelIovec v;
        if (gimle_read_guest(&v, a + i * sizeof v, sizeof v) != sizeof v)
            return;
        uint64_t part = v.len < bytes ? v.len : bytes;
        sys_wrote(c, v.base, part);
        bytes -= part;
    }
}

/* ---- socket addresses ------------------------------------------------------------------------ */

/* Fields of the families whose addresses have padding that nobody initialises. */
static const struct {
    uint16_t family, offset, size;
    const char *field;
} sockaddr_fields[] = {
    { AF_INET, 2, 2, "sin_port" },       { AF_INET, 4, 4, "sin_addr" },
    { AF_INET6, 2, 2, "sin6_port" },     { AF_INET6, 4, 4, "sin6_flowinfo" },
    { AF_INET6, 8, 16, "sin6_addr" },    { AF_INET6, 24, 4, "sin6_scope_id" },
    { AF_NETLINK, 4, 4, "nl_pid" },      { AF_NETLINK, 8, 4, "nl_groups" },
};

bool sys_sockaddr_reads(SysCall *c, const char *what, GuestAddr a, uint32_t len)
{
    uint16_t family;
    if (len < sizeof family || len > INT32_MAX)
        return !is_core_addr(a);
    bool listen = core_events.sys_pre_read != NULL;
    if (listen)
        EVENT(sys_pre_read, c->t, sys_textf(c, "%s.sa_family", what), a, sizeof family);
    if (is_core_addr(a))
        return false;
    if (!listen || gimle_read_guest(&family, a, sizeof family) != sizeof family)
        return true;
    if (family == AF_UNIX) {
        long n = gimle_guest_strlen(a + 2, len - 2);
        EVENT(sys_pre_read, c->t, sys_textf(c, "%s.sun_path", what), a + 2,
              n > 0 && n + 1 < (long)len - 2 ? (size_t)n + 1 : len - 2);
        return true;
    }
    bool known = false;
    for (size_t i = 0; i < sizeof sockaddr_fields / sizeof sockaddr_fields[0]; i++) {
        if (sockaddr_fields[i].family != family)
            continue;
        known = true;
        if (sockaddr_fields[i].offset + sockaddr_fields[i].size <= len)
            EVENT(sys_pre_read, c->t, sys_textf(c, "%s.%s", what, sockaddr_fields[i].field),
                  a + sockaddr_fields[i].offset, sockaddr_fields[i].size);
    }
    if (!known && family != AF_UNSPEC)
        EVENT(sys_pre_read, c->t, sys_textf(c, "%s.sa_data", what), a + 2, len - 2);
    return true;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Length in bytes of MEM argument @p i. */
static size_t mem_length(const SysCall *c, unsigned i)
{
    const SysArg *d = &c->row->arg[i];
    if (d->len_arg < 0)
        return d->unit;
    unsigned k = (unsigned)d->len_arg;
    uint64_t n = c->arg[k];
    if (c->row->arg[k].bytes == 4)
        n = (int32_t)n > 0 ? (uint32_t)n : 0;
    if (n > UINT64_MAX / 2 / d->unit)
        n = UINT64_MAX / 2 / d->unit;
    return n * d->unit;
}

static int64_t pollfds_pre(SysCall *c, unsigned i)
{
    GuestAddr a = c->arg[i];
    uint64_t n = (uint32_t)c->arg[c->row->arg[i].len_arg];
    if (n > fd_table_limit())
        return -EINVAL;
    if (!sys_prepare_write(a, n * KSIZE_POLLFD))
        return -EFAULT;
    for (uint64_t k = 0; k < n && core_events.sys_pre_read; k++, a += KSIZE_POLLFD) {
        EVENT(sys_pre_read, c->t, sys_text(c, "ufds.fd"), a, 4);
        EVENT(sys_pre_read, c->t, sys_text(c, "ufds.events"), a + 4, 2);
        EVENT(sys_pre_write, c->t, sys_text(c, "ufds.revents"), a + 6, 2);
    }
    return 0;
}

static int64_t fdset_pre(SysCall *c, unsigned i)
{
    int32_t n = (int32_t)c->arg[0];
    if (n <= 0)
        return 0;
    /* Only whole bytes are checked, as Valgrind does; the kernel reads and writes whole words. */
    size_t bytes = (size_t)n / 8, words = ((size_t)n + 63) / 64 * 8;
    return reads(c, row_text(c, i, true), c->arg[i], bytes) &&
           sys_prepare_write(c->arg[i], words) ? 0 : -EFAULT;
}

/* An address whose room is told by the socklen_t that argument len_arg points to. */
static int64_t sock_out_pre(SysCall *c, unsigned i)
{
    uint32_t room;
    GuestAddr len_ptr = c->arg[c->row->arg[i].len_arg];
    if (gimle_read_guest(&room, len_ptr, sizeof room) != sizeof room)
        return is_core_addr(c->arg[i]) ? -EFAULT : 0; /* the LEN argument reports it */
    /* The kernel writes no more than sizeof(struct sockaddr_storage). */
    if (room > 128)
        room = 128;
    return will_write(c, row_text(c, i, true), c->arg[i], room) ? 0 : -EFAULT;
}

static int64_t mem_pre(SysCall *c, unsigned i)
{
    const SysArg *d = &c->row->arg[i];
    size_t len = mem_length(c, i);
    bool ok;
    if (!(d->dir & SYS_IN))
        ok = will_write(c, core_events.sys_pre_write ? row_text(c, i, true) : NULL, c->arg[i], len);
    else /* if it is written too, a bad address has been reported already */
        ok = reads(c, core_events.sys_pre_read ? row_text(c, i, true) : NULL, c->arg[i], len) &&
             (!(d->dir & SYS_OUT) || sys_prepare_write(c->arg[i], len));
    return ok ? 0 : -EFAULT;
}

static int64_t string_pre(SysCall *c, unsigned i)
{
    if (core_events.sys_pre_read_string)
        core_events.sys_pre_read_string(c->t, row_text(c, i, true), c->arg[i]);
    return is_core_addr(c->arg[i]) ? -EFAULT : 0;
}

/* Pages that the kernel would walk through, holes or not: none of them may be the core's. */
static int64_t addr_pre(SysCall *c, unsigned i)
{
    unsigned k = (unsigned)c->row->arg[i].len_arg;
    GuestAddr a = c->arg[i];
    uint64_t len = c->arg[k], pages = PAGE_UP(len);
    if (a % PAGE_SIZE_ || pages == 0 || a + pages < a)
        return 0; /* refused or ignored as it is (mlock rounds down, and does no harm) */
    return aspace_is_client_range(a, pages) ? 0 : -ENOMEM;
}

static int64_t arg_pre(SysCall *c, unsigned i)
{
    const SysArg *d = &c->row->arg[i];
    if (d->nullable && c->arg[i] == 0)
        return 0;
    switch ((SysKind)d->kind) {
    case SK_NONE:
    case SK_INT:
    case SK_MODE:
        return 0;
    case SK_HANDLER: /* if nobody looks at it, it must at least not point to us */
        return !c->row->handler && is_core_addr(c->arg[i]) ? -EFAULT : 0;
    case SK_FD:
    case SK_FD_AT:
        return host_fd_is_core((int)c->arg[i]) ? -EBADF : 0;
    case SK_STRING:
    case SK_PATH:
        return string_pre(c, i);
    case SK_ADDR:
        return addr_pre(c, i);
    case SK_MEM:
        return mem_pre(c, i);
    case SK_IOV:
        return sys_iov_pre(c, d->name, c->arg[i], c->arg[d->len_arg], d->dir);
    case SK_SOCK_IN:
        return sys_sockaddr_reads(c, d->name, c->arg[i], (uint32_t)c->arg[d->len_arg]) ? 0
                                                                                       : -EFAULT;
    case SK_SOCK_OUT:
        return sock_out_pre(c, i);
    case SK_LEN:
        return reads(c, row_text(c, i, true), c->arg[i], 4) &&
               sys_prepare_write(c->arg[i], 4) ? 0 : -EFAULT;
    case SK_POLLFDS:
        return pollfds_pre(c, i);
    case SK_FDSET:
        return fdset_pre(c, i);
    }
    return 0;
}

/* Bytes of MODE argument @p i that count. */
static unsigned mode_bytes(const SysCall *c, unsigned i)
{
    const uint64_t makes_file = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);
    return c->arg[c->row->arg[i].len_arg] & makes_file ? 4 : 0;
}

/* Does descriptor argument @p i of a row with W say nothing this time? */
static bool fd_unused(const SysCall *c, unsigned i)
{
    char first;
    if (c->row->arg[i].kind != SK_FD_AT)
        return c->row->arg[i].kind != SK_FD;
    if (c->row->arg[i + 1].kind != SK_PATH)
        return (int)c->arg[i] == -1;
    return (int)c->arg[i] == AT_FDCWD || !safe_read(c->arg[i + 1], &first, 1) || first == '/';
}

/* Descriptor argument @p i of a row with W: its name only where there could be two. */
static bool fd_plausible(const SysCall *c, unsigned i)
{
    const SysArg *d = &c->row->arg[i];
    char which[NAME_MAX_LEN] = "";
    if (fd_unused(c, i))
        return true;
    const char *open = strchr(d->name, '(');
    if (strncmp(d->name, "fd_", 3) == 0)
        snprintf(which, sizeof which, "(%s)", d->name);
    else if (open && strncmp(open, "(\"fd_", 5) == 0)
        snprintf(which, sizeof which, "(%.*s)", (int)strcspn(open + 2, "\""), open + 2);
    else if (open && strcmp(open, "(fd)") == 0 && c->row->arg[1].kind == SK_INT)
        snprintf(which, sizeof which, "%s", open);
    return fd_table_allowed((int)c->arg[i], "%s%s",
                            strcmp(c->row->name, "signalfd4") ? c->row->name : "signalfd", which);
}

int64_t sys_effects_pre(SysCall *c)
{
    const SysRow *row = c->row;
    if (core_events.sys_pre_reg)
        for (unsigned i = 0; i < row->n_args; i++) {
            unsigned bytes = row->arg[i].kind == SK_MODE ? mode_bytes(c, i) : row->arg[i].bytes;
            if (bytes)
                core_events.sys_pre_reg(c->t, row_text(c, i, false), arg_register(i), bytes);
        }
    bool plausible = true;
    for (unsigned i = 0; row->flags & SF_FD_WARN && plausible && i < row->n_args; i++)
        plausible = fd_plausible(c, i);
    if (!plausible || (row->flags & SF_FD_FIRST && (int)c->arg[0] < 0))
        return -EBADF;
    /*
     * What must not reach the kernel is replaced by what it refuses likewise, so that of several
     * mistakes it finds the one that it would find first.
     */
    enum { NOWHERE = 0x1000 }; /* never mapped for the client: LAYOUT_CLIENT_MIN */
    int64_t error = 0;
    for (unsigned i = 0; i < row->n_args; i++) {
        int64_t r = arg_pre(c, i);
        if (r == -EFAULT && is_core_addr(c->arg[i]))
            c->arg[i] = NOWHERE + c->arg[i] % PAGE_SIZE_;
        else if (r == -EBADF)
            c->arg[i] = (uint64_t)-1;
        else if (r < 0 && error == 0)
            error = r;
    }
    return error;
}

/* Bytes of MEM argument @p i that are defined now. */
static size_t mem_written(SysCall *c, unsigned i)
{
    size_t room = mem_length(c, i);
    if (!c->row->arg[i].by_result)
        return room;
    uint64_t n = (uint64_t)c->result;
    return n > room / c->row->arg[i].unit ? room : n * c->row->arg[i].unit;
}

void sys_effects_post(SysCall *c)
{
    if (!core_events.sys_post_write)
        return;
    for (unsigned i = 0; i < c->row->n_args; i++) {
        const SysArg *d = &c->row->arg[i];
        if (!(d->dir & SYS_OUT) || c->arg[i] == 0)
            continue;
        uint32_t len;
        switch ((SysKind)d->kind) {
        case SK_MEM:
            sys_wrote(c, c->arg[i], mem_written(c, i));
            break;
        case SK_IOV:
            sys_iov_wrote(c, c->arg[i], c->arg[d->len_arg], (uint64_t)c->result);
            break;
        case SK_SOCK_OUT:
            if (gimle_read_guest(&len, c->arg[d->len_arg], sizeof len) == sizeof len)
                sys_wrote(c, c->arg[i], len < 128 ? len : 128);
            break;
        case SK_LEN:
            sys_wrote(c, c->arg[i], 4);
            break;
        case SK_POLLFDS:
            for (uint64_t k = 0; k < (uint32_t)c->arg[d->len_arg]; k++)
                sys_wrote(c, c->arg[i] + k * KSIZE_POLLFD + 6, 2);
            break;
        case SK_FDSET:
            if ((int32_t)c->arg[0] > 0)
                sys_wrote(c, c->arg[i], ((size_t)(int32_t)c->arg[0] + 7) / 8);
            break;
        default:
            break;
        }
    }
}
