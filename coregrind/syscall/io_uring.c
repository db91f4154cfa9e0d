/* SPDX-License-Identifier: MIT */
/*
 * io_uring.  The rings are memory that the client maps and the kernel writes; being mapped from a
 * file they are defined for tools.  What a submitted entry reads is reported, and what it will write
 * counts as written, when it is submitted: a completion is no system call, and nobody may look at the
 * buffer before it.  Entries are looked at between the ring's head and tail before the kernel is.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ranked_lock.h"
#include "base/vec.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/os/kernel_abi.h"
#include "coregrind/report/report.h"
#include "coregrind/signal/signal.h"
#include "special.h"

/* Newer than the headers of Debian 12. */
enum { SETUP_NO_MMAP = 1 << 14, SETUP_NO_SQARRAY = 1 << 16, ENTER_EXT_ARG = 1 << 3,
       ENTER_EXT_ARG_REG = 1 << 6, BIG_SQE = 128 };

typedef struct Ring {
    int fd;
    struct io_uring_params params; /* as the kernel answered */
    GuestAddr sq, sqes;            /* 0: not mapped */
} Ring;

/* A registered ring of provided buffers. */
typedef struct BufferRing {
    GuestAddr ring;
    uint32_t entries;
    int fd;          /* of the io_uring */
    uint16_t group;
    uint16_t seen;   /* the ring's tail as it was looked at last */
} BufferRing;

static VEC(Ring) rings;               /* LOCK_fds */
static VEC(BufferRing) buffer_rings;  /* LOCK_fds */

static Ring *find_ring(int fd)
{
    for (size_t i = 0; i < rings.n; i++)
        if (rings.data[i].fd == fd)
            return &rings.data[i];
    return NULL;
}

/* A copy of the ring of @p fd; false if it is none. */
static bool get_ring(int fd, Ring *out)
{
    lock_take(LOCK_fds);
    Ring *r = find_ring(fd);
    if (r)
        *out = *r;
    lock_release(LOCK_fds);
    return r != NULL;
}

static bool is_core_addr(uint64_t a) { return a >= GIMLE_CLIENT_END && a < 1ULL << 47; }

void sys_io_uring_setup(SysCall *c)
{
    Ring r = { 0 };
    if (!sys_fetch(c, &r.params, c->arg[1], sizeof r.params)) {
        sys_do(c);
        return;
    }
    if (r.params.flags & SETUP_NO_MMAP &&
        (is_core_addr(r.params.sq_off.resv2) || is_core_addr(r.params.cq_off.resv2))) {
        c->result = -EFAULT;
        return;
    }
    if (r.params.flags & IORING_SETUP_SQPOLL && core_events.sys_post_write) {
        static bool said;
        if (!said)
            gimle_umsg("io_uring: IORING_SETUP_SQPOLL is refused: submissions without a system call "
                       "cannot be checked\n");
        said = true;
        c->result = -EPERM;
        return;
    }
    if (sys_do(c) < 0 || !sys_fetch(c, &r.params, c->arg[1], sizeof r.params))
        return;
    r.fd = (int)c->result;
    if (r.params.flags & SETUP_NO_MMAP) {
        r.sqes = r.params.sq_off.resv2;
        r.sq = r.params.cq_off.resv2;
    }
    lock_take(LOCK_fds);
    Ring *old = find_ring(r.fd);
    if (old)
        *old = r;
    else
        vec_push(&rings, r);
    lock_release(LOCK_fds);
}

void io_uring_mapped(int fd, uint64_t offset, GuestAddr at)
{
    lock_take(LOCK_fds);
    Ring *r = find_ring(fd);
    if (r && offset == IORING_OFF_SQ_RING)
        r->sq = at;
    else if (r && offset == IORING_OFF_SQES)
        r->sqes = at;
    lock_release(LOCK_fds);
}

/* ---- submission ------------------------------------------------------------------------------ */

typedef enum UringKind {
    UK_BYTES, UK_IOVEC, UK_MSG, UK_STRING, UK_TIME, UK_SOCKADDR, UK_PROVIDED, UK_FIXED
} UringKind;

enum { FIELD_OFF = 8, FIELD_ADDR = 16 }; /* in struct io_uring_sqe */

typedef struct UringRow {
    uint8_t opcode, field, kind, dir;
    uint16_t bytes;
    const char *text;
} UringRow;

#define BYTES UK_BYTES, 0
#define IOVEC UK_IOVEC, 0
#define MSG UK_MSG, 0
#define STRING UK_STRING, 0
#define TIME UK_TIME, KSIZE_TIMESPEC
#define SOCKADDR UK_SOCKADDR, 0
#define PROVIDED UK_PROVIDED, 0
#define FIXED(n) UK_FIXED, n
#define URING(opcode, name, field, kind, dir) URING_ROW(opcode, name, field, dir, kind)
#define URING_ROW(opcode, name, field, dir, kind, bytes) \
    { opcode, FIELD_##field, kind, SYS_##dir, bytes, "io_uring(" #name ")" },
static const UringRow rows[] = {
#include "io_uring_ops.def"
};

/*
 * The kernel may write to any buffer that the client has put into a ring: what has been added since
 * the ring was looked at last counts as written.  In the long run that is as much as completes.
 */
static void provided_buffers_written(SysCall *c)
{
    for (size_t i = 0;; i++) {
        uint16_t tail = 0;
        lock_take(LOCK_fds);
        bool any = i < buffer_rings.n;
        BufferRing b = any ? buffer_rings.data[i] : (BufferRing){ 0 };
        if (any && gimle_read_guest(&tail, b.ring + offsetof(struct io_uring_buf_ring, tail), 2) == 2)
            buffer_rings.data[i].seen = tail;
        else
            tail = b.seen;
        lock_release(LOCK_fds);
        if (!any)
            return;
        if ((uint16_t)(tail - b.seen) > b.entries)
            b.seen = (uint16_t)(tail - b.entries);
        for (uint16_t k = b.seen; k != tail; k++) {
            struct io_uring_buf e;
            GuestAddr at = b.ring + (k & (b.entries - 1)) * sizeof e;
            if (gimle_read_guest(&e, at, sizeof e) == sizeof e && e.addr)
                sys_wrote(c, e.addr, e.len);
        }
    }
}

static void message_effects(SysCall *c, const UringRow *row, GuestAddr a)
{
    KernelMsghdr h;
    if (!sys_reads(c, row->text, a, KSIZE_MSGHDR) || gimle_read_guest(&h, a, sizeof h) != sizeof h ||
        sys_iov_pre(c, row->text, h.iov, h.iov_len, row->dir) < 0)
        return;
    if (row->dir == SYS_OUT) {
        sys_iov_wrote(c, h.iov, h.iov_len, UINT64_MAX);
        sys_wrote(c, a, KSIZE_MSGHDR);
        sys_wrote(c, h.name, h.name_len);
        sys_wrote(c, h.control, h.control_len);
    }
}

/* One memory operand of @p sqe, which is the client's at @p at. */
static void operand_effects(SysCall *c, const UringRow *row, const struct io_uring_sqe *sqe,
                            GuestAddr at)
{
    uint64_t a, len = row->bytes;
    memcpy(&a, (const char *)sqe + row->field, sizeof a);
    if (a == 0)
        return;
    if (is_core_addr(a)) { /* the kernel will find nothing there */
        const uint64_t nowhere = 8;
        gimle_write_guest(at + row->field, &nowhere, sizeof nowhere);
        return;
    }
    switch ((UringKind)row->kind) {
    case UK_STRING:
        sys_reads_string(c, row->text, a);
        return;
    case UK_MSG:
        message_effects(c, row, a);
        return;
    case UK_IOVEC:
        if (sys_iov_pre(c, row->text, a, sqe->len, row->dir) == 0 && row->dir == SYS_OUT)
            sys_iov_wrote(c, a, sqe->len, UINT64_MAX);
        return;
    case UK_BYTES: len = sqe->len; break;
    case UK_SOCKADDR: len = sqe->off; break;
    case UK_PROVIDED: len = (uint64_t)sqe->len * (uint32_t)sqe->fd; break;
    case UK_TIME:
    case UK_FIXED: break;
    }
    if (row->dir == SYS_IN)
        sys_reads(c, row->text, a, len);
    else if (sys_will_write(c, row->text, a, len))
        sys_wrote(c, a, len);
}

static void entry_effects(SysCall *c, GuestAddr at)
{
    struct io_uring_sqe sqe;
    if (gimle_read_guest(&sqe, at, sizeof sqe) != sizeof sqe)
        return;
    if (!(sqe.flags & IOSQE_FIXED_FILE) && host_fd_is_core(sqe.fd)) {
        const int32_t none = -1;
        gimle_write_guest(at + offsetof(struct io_uring_sqe, fd), &none, sizeof none);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].opcode == sqe.opcode)
            operand_effects(c, &rows[i], &sqe, at);
}

/* The entries that the kernel is about to take. */
static void submission_effects(SysCall *c, const Ring *r, uint32_t n)
{
    const struct io_sqring_offsets *o = &r->params.sq_off;
    uint32_t head, tail, entries = r->params.sq_entries;
    size_t size = r->params.flags & IORING_SETUP_SQE128 ? BIG_SQE : sizeof(struct io_uring_sqe);
    if (!r->sq || !r->sqes || entries == 0 || gimle_read_guest(&head, r->sq + o->head, 4) != 4 ||
        gimle_read_guest(&tail, r->sq + o->tail, 4) != 4)
        return;
    if (n > tail - head)
        n = tail - head;
    for (uint32_t i = 0; i < n && i < entries; i++) {
        uint32_t slot = (head + i) % entries;
        if (!(r->params.flags & SETUP_NO_SQARRAY) &&
            (gimle_read_guest(&slot, r->sq + o->array + slot * 4ull, 4) != 4 || slot >= entries))
            continue;
        entry_effects(c, r->sqes + slot * size);
    }
}

void sys_io_uring_enter(SysCall *c)
{
    struct { uint64_t mask; uint32_t size, wait; uint64_t time; } ext = { 0 };
    Ring r;
    uint32_t flags = (uint32_t)c->arg[3];
    if (get_ring((int)c->arg[0], &r))
        submission_effects(c, &r, (uint32_t)c->arg[1]);
    if (buffer_rings.n)
        provided_buffers_written(c);
    uint64_t mask = c->arg[4], size = c->arg[5];
    if (flags & ENTER_EXT_ARG && !(flags & ENTER_EXT_ARG_REG)) {
        if (c->arg[5] == sizeof ext && c->arg[4]) {
            if (!sys_take(c, "argp", &ext, c->arg[4], sizeof ext) || is_core_addr(ext.time)) {
                c->result = -EFAULT;
                return;
            }
            if (ext.time)
                sys_reads(c, "argp->ts", ext.time, KSIZE_TIMESPEC);
            mask = ext.mask;
            size = ext.size;
            ext.mask = 0;
            c->arg[4] = (uintptr_t)&ext;
        } else {
            mask = 0; /* the kernel refuses it */
        }
    } else if (mask && size == sizeof(KernelSigset) && flags & IORING_ENTER_GETEVENTS &&
               gimle_read_guest(&(KernelSigset){ 0 }, mask, size) == size) {
        c->arg[4] = 0;
    } else {
        mask = 0;
    }
    sys_do_with_mask(c, mask, size);
}

/* ---- registration ---------------------------------------------------------------------------- */

/* Bytes at arg: base + each for nr_args; what is written is also read. */
static const struct {
    uint8_t opcode, base, each;
    bool out;
} registrations[] = {
    { IORING_REGISTER_BUFFERS, 0, KSIZE_IOVEC, false },
    { IORING_REGISTER_FILES, 0, 4, false },
    { IORING_REGISTER_EVENTFD, 4, 0, false },
    { IORING_REGISTER_FILES_UPDATE, 16, 0, false },
    { IORING_REGISTER_EVENTFD_ASYNC, 4, 0, false },
    { IORING_REGISTER_PROBE, 16, 8, true },
    { IORING_REGISTER_RESTRICTIONS, 0, 16, false },
    { IORING_REGISTER_FILES2, 32, 0, false },
    { IORING_REGISTER_FILES_UPDATE2, 32, 0, false },
    { IORING_REGISTER_BUFFERS2, 32, 0, false },
    { IORING_REGISTER_BUFFERS_UPDATE, 32, 0, false },
    { IORING_REGISTER_IOWQ_AFF, 0, 1, false },
    { IORING_REGISTER_IOWQ_MAX_WORKERS, 8, 0, true },
    { IORING_REGISTER_PBUF_RING, 40, 0, false },
    { IORING_UNREGISTER_PBUF_RING, 40, 0, false },
    { IORING_REGISTER_SYNC_CANCEL, 64, 0, false },
    { IORING_REGISTER_FILE_ALLOC_RANGE, 16, 0, false },
};

/* Registered buffers must be the client's. */
static bool buffers_ok(GuestAddr a, uint64_t n)
{
    KernelIovec v;
    for (uint64_t i = 0; i < n && gimle_read_guest(&v, a + i * sizeof v, sizeof v) == sizeof v; i++)
        if (is_core_addr(v.base))
            return false;
    return true;
}

static void forget_buffer_ring(int fd, GuestAddr a)
{
    struct io_uring_buf_reg reg;
    if (gimle_read_guest(&reg, a, sizeof reg) != sizeof reg)
        return;
    lock_take(LOCK_fds);
    for (size_t i = buffer_rings.n; i-- > 0;)
        if (buffer_rings.data[i].fd == fd && buffer_rings.data[i].group == reg.bgid)
            buffer_rings.data[i] = buffer_rings.data[--buffer_rings.n];
    lock_release(LOCK_fds);
}

static void remember_buffer_ring(int fd, GuestAddr a)
{
    struct io_uring_buf_reg reg;
    forget_buffer_ring(fd, a);
    if (gimle_read_guest(&reg, a, sizeof reg) != sizeof reg || reg.ring_addr == 0 || !reg.ring_entries)
        return;
    lock_take(LOCK_fds);
    vec_push(&buffer_rings, ((BufferRing){ reg.ring_addr, reg.ring_entries, fd, reg.bgid, 0 }));
    lock_release(LOCK_fds);
}

void sys_io_uring_register(SysCall *c)
{
    uint32_t opcode = (uint32_t)c->arg[1];
    GuestAddr a = c->arg[2];
    if (opcode == IORING_REGISTER_RING_FDS) { /* a speed-up by which we could not tell the ring */
        c->result = -EINVAL;
        return;
    }
    if (is_core_addr(a) ||
        (opcode == IORING_REGISTER_BUFFERS && !buffers_ok(a, (uint32_t)c->arg[3]))) {
        c->result = -EFAULT;
        return;
    }
    size_t bytes = 0;
    bool out = false;
    for (size_t i = 0; i < sizeof registrations / sizeof registrations[0]; i++)
        if (registrations[i].opcode == opcode) {
            bytes = registrations[i].base + (size_t)registrations[i].each * (uint32_t)c->arg[3];
            out = registrations[i].out;
        }
    if (a && bytes) {
        sys_reads(c, "arg", a, bytes);
        if (out)
            sys_will_write(c, "arg", a, bytes);
    }
    if (sys_do(c) < 0)
        return;
    if (a && bytes && out)
        sys_wrote(c, a, bytes);
    if (opcode == IORING_REGISTER_PBUF_RING)
        remember_buffer_ring((int)c->arg[0], a);
    else if (opcode == IORING_UNREGISTER_PBUF_RING)
        forget_buffer_ring((int)c->arg[0], a);
}
