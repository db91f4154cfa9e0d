/* SPDX-License-Identifier: MIT */
/* Rarer calls whose memory depends on a command, and those that reach other processes. */
#include <ctype.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "coregrind/aspace/aspace.h"
#include "coregrind/os/kernel_abi.h"
#include "coregrind/os/raw_syscall.h"
#include "fd_table.h"
#include "special.h"

/* ---- structures that are only known by size -------------------------------------------------- */

/* Could @p v be a pointer to something of the core's? */
static bool points_to_core(uint64_t v) { return v >= GIMLE_CLIENT_END && v < 1ULL << 47; }

/* No word of the structure may point outside the client. */
static bool words_ok(SysCall *c, GuestAddr a, size_t len)
{
    uint64_t w;
    for (size_t at = 0; at + sizeof w <= len; at += sizeof w) {
        if (!sys_fetch(c, &w, a + at, sizeof w))
            return false;
        if (points_to_core(w)) {
            c->result = -EFAULT;
            return false;
        }
    }
    return true;
}

/* A command and words of which some may be pointers; what is written is not known. */
static void pass_words(SysCall *c, unsigned first)
{
    for (unsigned i = first; i < c->row->n_args; i++)
        if (points_to_core(c->arg[i])) {
            c->result = -EFAULT;
            return;
        }
    sys_do(c);
}

void sys_sysfs(SysCall *c) { pass_words(c, 1); }
void sys_fsconfig(SysCall *c) { pass_words(c, 3); }

/* Registers after the command, and what pointers among them are for: [in], <out>, "string. */
static const struct {
    const char *name, *arg[4];
} keyctl_rows[] = {
    { "KEYCTL_GET_KEYRING_ID", { "id", "create" } },
    { "KEYCTL_JOIN_SESSION_KEYRING", { "\"name" } },
    { "KEYCTL_UPDATE", { "key", "[payload", "plen" } },
    { "KEYCTL_REVOKE", { "id" } },
    { "KEYCTL_CHOWN", { "id", "uid", "gid" } },
    { "KEYCTL_SETPERM", { "id", "perm" } },
    { "KEYCTL_DESCRIBE", { "id", "<buffer", "buflen" } },
    { "KEYCTL_CLEAR", { "keyring" } },
    { "KEYCTL_LINK", { "keyring", "key" } },
    { "KEYCTL_UNLINK", { "keyring", "key" } },
    { "KEYCTL_SEARCH", { "keyring", "\"type", "\"description", "destring" } },
    { "KEYCTL_READ", { "keyring", "<buffer", "buflen" } },
    { "KEYCTL_INSTANTIATE", { "key", "[payload", "plen", "keyring" } },
    { "KEYCTL_NEGATE", { "key", "timeout", "keyring" } },
    { "KEYCTL_SET_REQKEY_KEYRING", { "reqkey_defl" } },
    { "KEYCTL_SET_TIMEOUT", { "key", "timeout" } },
    { "KEYCTL_ASSUME_AUTHORITY", { "key" } },
    { "KEYCTL_GET_SECURITY", { "id", "<buffer", "buflen" } },
};

/* Argument @p i, of which @p what says by its first character what it points to; 0: EFAULT. */
static bool keyctl_arg(SysCall *c, const char *command, unsigned i, const char *what)
{
    bool pointer = !isalpha((unsigned char)what[0]);
    sys_reg(c, i, sys_textf(c, "keyctl(%s)(%s)", command, what + pointer), pointer ? 8 : 4);
    if (!pointer || (c->arg[i] == 0 && what[0] != '<'))
        return true;
    const char *memory = what[0] == '"' && command[7] == 'S'
                             ? sys_textf(c, "sys_keyctl(%s, %s)", command, what + 1)
                             : sys_textf(c, "keyctl(%s, %s)", command, what + 1);
    if (what[0] == '"')
        return sys_reads_string(c, memory, c->arg[i]);
    return what[0] == '[' ? sys_reads(c, memory, c->arg[i], c->arg[i + 1])
                          : sys_will_write(c, memory, c->arg[i], c->arg[i + 1]);
}

void sys_keyctl(SysCall *c)
{
    uint32_t command = (uint32_t)c->arg[0];
    bool ok = true, out = false;
    if (command >= sizeof keyctl_rows / sizeof keyctl_rows[0]) {
        sys_reg(c, 0, "option", 4);
        pass_words(c, 1);
        return;
    }
    const char *name = keyctl_rows[command].name;
    sys_reg(c, 0, sys_textf(c, "keyctl(%s)(option)", name), 4);
    for (unsigned i = 0; i < 4; i++) {
        const char *what = keyctl_rows[command].arg[i];
        ok &= !what || keyctl_arg(c, name, i + 1, what);
        out |= what && what[0] == '<';
    }
    if (!ok)
        c->result = -EFAULT;
    else if (sys_do(c) > 0 && out && c->arg[2])
        sys_wrote(c, c->arg[2], (uint64_t)c->result < c->arg[3] ? (uint64_t)c->result : c->arg[3]);
}

void sys_quotactl(SysCall *c)
{
    static const struct { uint32_t cmd; uint16_t bytes; } out[] = {
        { 0x800004, 4 }, { 0x800005, 24 }, { 0x800007, 72 }, { 0x800009, 72 },
    };
    uint32_t cmd = (uint32_t)c->arg[c->no == SYS_quotactl ? 0 : 1] >> 8;
    size_t bytes = 0;
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++)
        if (out[i].cmd == cmd)
            bytes = out[i].bytes;
    if (bytes && !sys_will_write(c, "addr", c->arg[3], bytes)) {
        c->result = -EFAULT;
        return;
    }
    pass_words(c, 3);
    if (c->result == 0 && bytes)
        sys_wrote(c, c->arg[3], bytes);
}

void sys_bpf(SysCall *c)
{
    static const uint8_t fd_makers[] = {
        BPF_MAP_CREATE, BPF_PROG_LOAD, BPF_OBJ_GET, BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID,
        BPF_RAW_TRACEPOINT_OPEN, BPF_BTF_LOAD, BPF_BTF_GET_FD_BY_ID, BPF_LINK_CREATE,
        BPF_LINK_GET_FD_BY_ID, BPF_ENABLE_STATS, BPF_ITER_CREATE,
    };
    size_t size = (uint32_t)c->arg[2];
    if (size > 4096 || !sys_reads(c, "attr", c->arg[1], size) ||
        !sys_will_write(c, "attr", c->arg[1], size)) {
        c->result = size > 4096 ? -E2BIG : -EFAULT;
        return;
    }
    if (!words_ok(c, c->arg[1], size) || sys_do(c) < 0)
        return;
    sys_wrote(c, c->arg[1], size);
    if (memchr(fd_makers, (int)c->arg[0], sizeof fd_makers))
        c->result = fd_table_opened(c->t, c->result);
}

/* struct perf_event_attr and sched_attr carry their own size. */
void sys_perf_event_open(SysCall *c)
{
    uint32_t size;
    if (!sys_take(c, "attr->size", &size, c->arg[0] + 4, 4) ||
        (size > 8 && size <= 4096 && !sys_reads(c, "attr", c->arg[0], size)))
        c->result = -EFAULT;
    else
        sys_do(c);
}

void sys_sched_setattr(SysCall *c)
{
    enum { FIRST_SIZE = 48 };
    uint32_t size;
    if (c->arg[1] == 0)
        sys_do(c); /* EINVAL, and not EFAULT */
    else if (!sys_take(c, "attr->size", &size, c->arg[1], 4) ||
        !sys_reads(c, "attr", c->arg[1], size ? (size < 4096 ? size : 4096) : FIRST_SIZE))
        c->result = -EFAULT;
    else
        sys_do(c);
}

void sys_landlock_add_rule(SysCall *c)
{
    enum { PATH_BENEATH = 1, PATH_BENEATH_BYTES = 12, NET_PORT_BYTES = 16 };
    sys_reg(c, 2, "rule_attr", 8);
    if (!sys_reads(c, "rule_attr", c->arg[2],
                   (int)c->arg[1] == PATH_BENEATH ? PATH_BENEATH_BYTES : NET_PORT_BYTES))
        c->result = -EFAULT;
    else
        sys_do(c);
}

/* A buffer whose room is in a word, which the kernel replaces by what there was to write. */
static void sized_out(SysCall *c, unsigned buf, unsigned size_ptr)
{
    uint32_t room, now;
    sys_reg(c, buf, NULL, 8);
    if (c->arg[size_ptr] == 0) {
        sys_do(c); /* it knows what to say */
        return;
    }
    if (!sys_fetch(c, &room, c->arg[size_ptr], sizeof room))
        return;
    if (c->arg[buf] && !sys_will_write(c, c->row->arg[buf].name, c->arg[buf], room)) {
        c->result = -EFAULT;
        return;
    }
    if (sys_do(c) >= 0 && c->arg[buf] && sys_fetch(c, &now, c->arg[size_ptr], sizeof now))
        sys_wrote(c, c->arg[buf], now < room ? now : room);
}

void sys_lsm_get_self_attr(SysCall *c) { sized_out(c, 1, 2); }
void sys_lsm_list_modules(SysCall *c) { sized_out(c, 0, 1); }

/* ---- NUMA policy ----------------------------------------------------------------------------- */

/** The kernel uses one bit less than it is told. */
static size_t nodemask_bytes(uint64_t max_node)
{
    return max_node > 1 << 20 ? (1 << 17) : (max_node + 62) / 64 * 8;
}

static bool nodemask_reads(SysCall *c, unsigned i, uint64_t max_node)
{
    if (c->row->arg[i].kind == SK_HANDLER)
        sys_reg(c, i, NULL, 8);
    size_t bytes = nodemask_bytes(max_node);
    if (bytes == 0 || sys_reads(c, c->row->arg[i].name, c->arg[i], bytes))
        return true;
    c->result = -EFAULT;
    return false;
}

void sys_set_mempolicy(SysCall *c)
{
    if (nodemask_reads(c, 1, c->arg[2]))
        sys_do(c);
}

void sys_mbind(SysCall *c)
{
    if (nodemask_reads(c, 3, c->arg[4]))
        sys_do(c);
}

void sys_migrate_pages(SysCall *c)
{
    if (nodemask_reads(c, 2, c->arg[1]) && nodemask_reads(c, 3, c->arg[1]))
        sys_do(c);
}

void sys_get_mempolicy(SysCall *c)
{
    size_t bytes = nodemask_bytes(c->arg[2]);
    if (c->arg[1] && !sys_will_write(c, "nodemask", c->arg[1], bytes)) {
        c->result = -EFAULT;
        return;
    }
    if (points_to_core(c->arg[3]))
        c->result = -EFAULT;
    else if (sys_do(c) == 0 && c->arg[1])
        sys_wrote(c, c->arg[1], bytes);
}

/* Addresses of pages: those of ours must be the client's. */
void sys_move_pages(SysCall *c)
{
    if (((pid_t)c->arg[0] == 0 || (pid_t)c->arg[0] == getpid()) &&
        !words_ok(c, c->arg[2], c->arg[1] * 8 < 1 << 20 ? c->arg[1] * 8 : 1 << 20))
        return;
    sys_do(c);
}

/* ---- memory of other processes, and of ourselves by another name ----------------------------- */

static void process_vm_common(SysCall *c, int remote_dir)
{
    if ((pid_t)c->arg[0] != getpid()) {
        sys_do(c);
        return;
    }
    int64_t r = sys_iov_pre(c, "rvec", c->arg[3], c->arg[4], remote_dir);
    if (r < 0)
        c->result = r;
    else if (sys_do(c) > 0 && remote_dir == SYS_OUT)
        sys_iov_wrote(c, c->arg[3], c->arg[4], (uint64_t)c->result);
}

void sys_process_vm_readv(SysCall *c) { process_vm_common(c, SYS_IN); }
void sys_process_vm_writev(SysCall *c) { process_vm_common(c, SYS_OUT); }

/* Into a pipe the buffers are read, out of it they are written. */
void sys_vmsplice(SysCall *c)
{
    int64_t mode = raw_syscall2(SYS_fcntl, c->arg[0], F_GETFL);
    int dir = mode >= 0 && (mode & O_ACCMODE) == O_RDONLY ? SYS_OUT : SYS_IN;
    int64_t r = sys_iov_pre(c, "iov|iov[...]", c->arg[1], c->arg[2], dir);
    if (r < 0)
        c->result = r;
    else if (sys_do(c) > 0 && dir == SYS_OUT)
        sys_iov_wrote(c, c->arg[1], c->arg[2], (uint64_t)c->result);
}

/* ---- asynchronous I/O ------------------------------------------------------------------------ */

/* Bytes mapped at @p a, from /proc/self/maps; 0 if nothing is. */
static size_t host_mapping_size(GuestAddr a)
{
    char line[512];
    unsigned long lo, hi;
    size_t size = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && !size && fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx", &lo, &hi) == 2 && lo == a)
            size = hi - lo;
    if (maps)
        fclose(maps);
    return size;
}

/*
 * The kernel maps the ring where it likes, which is among the core's mappings; it is moved to the
 * client's range, and the context's id, which is its address, follows.
 */
void sys_io_setup(SysCall *c)
{
    uint64_t id;
    if (sys_do(c) < 0 || !sys_fetch(c, &id, c->arg[1], sizeof id))
        return;
    size_t size = host_mapping_size(id);
    int64_t at =
        size ? aspace_mmap(0, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_SHARED, -1, 0)
             : -ENOMEM;
    if (at >= 0) {
        int64_t r = (int64_t)syscall(SYS_mremap, id, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, at);
        if (r == at && gimle_write_guest(c->arg[1], &at, sizeof at) == sizeof at) {
            EVENT(mem_map, MEM_MMAP, (GuestAddr)at, size, PROT_READ | PROT_WRITE);
            return;
        }
        aspace_munmap((GuestAddr)at, size);
    }
    raw_syscall1(SYS_io_destroy, id);
    c->result = -ENOMEM;
}

/* struct iocb */
enum { IOCB_OPCODE = 16, IOCB_BUF = 24, IOCB_BYTES = 32, OP_PREAD = 0, OP_PWRITE = 1, OP_PREADV = 7,
       OP_PWRITEV = 8 };

void sys_io_submit(SysCall *c)
{
    for (int64_t i = 0; i < (int64_t)c->arg[1] && i < 1024; i++) {
        uint64_t cb = 0, buf, bytes;
        uint16_t op;
        if (!sys_take(c, "iocbpp", &cb, c->arg[2] + (uint64_t)i * 8, 8) ||
            !sys_reads(c, "iocb", cb, KSIZE_IOCB) || !sys_fetch(c, &op, cb + IOCB_OPCODE, 2) ||
            !sys_fetch(c, &buf, cb + IOCB_BUF, 8) || !sys_fetch(c, &bytes, cb + IOCB_BYTES, 8)) {
            if (!points_to_core(c->arg[2]) && !points_to_core(cb))
                break; /* the kernel stops there as well */
            c->result = -EFAULT;
            return;
        }
        bool ok = true;
        if (op == OP_PREAD)
            ok = sys_will_write(c, "iocb->buf", buf, bytes);
        else if (op == OP_PWRITE)
            ok = sys_reads(c, "iocb->buf", buf, bytes);
        else if (op == OP_PREADV || op == OP_PWRITEV)
            ok = sys_iov_pre(c, "iocb->iov", buf, bytes, op == OP_PREADV ? SYS_OUT : SYS_IN) == 0;
        if (!ok) {
            c->result = -EFAULT;
            return;
        }
    }
    sys_do(c);
}

/* struct io_event: data, iocb, result, result2. What has been read is defined from now on. */
void sys_io_getevents(SysCall *c)
{
    if (sys_do(c) <= 0)
        return;
    for (int64_t i = 0; i < c->result; i++) {
        uint64_t e[4], buf = 0, bytes = 0;
        uint16_t op = OP_PWRITE;
        if (gimle_read_guest(e, c->arg[3] + (uint64_t)i * KSIZE_IO_EVENT, sizeof e) != sizeof e)
            return;
        gimle_read_guest(&op, e[1] + IOCB_OPCODE, 2);
        gimle_read_guest(&buf, e[1] + IOCB_BUF, 8);
        gimle_read_guest(&bytes, e[1] + IOCB_BYTES, 8);
        if ((int64_t)e[2] <= 0)
            continue;
        if (op == OP_PREAD)
            sys_wrote(c, buf, e[2] < bytes ? e[2] : bytes);
        else if (op == OP_PREADV)
            sys_iov_wrote(c, buf, bytes, e[2]);
    }
}
