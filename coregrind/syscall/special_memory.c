/* SPDX-License-Identifier: MIT */
/*
 * Calls that change the client's address space.  Order matters to other threads: a tool hears of
 * memory that goes away before it goes, and of new memory once it is there.
 */
#include <cpuid.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/ranked_lock.h"
#include "base/vec.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/aspace/layout.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/debuginfo/debuginfo.h"
#include "coregrind/os/raw_syscall.h"
#include "limits.h"
#include "special.h"

/* ---- what others have to know ---------------------------------------------------------------- */

/* Does [a, a+len) hold code or a file, so that others than the tool have to hear of its end? */
static bool is_interesting(GuestAddr a, size_t len)
{
    GuestMapping m;
    for (GuestAddr at = a; gimle_mapping_next(at, &m) && m.start < a + len; at = m.end)
        if (m.prot & PROT_EXEC || m.is_file)
            return true;
    return false;
}

/* [a, a+len) is no longer the code or file it was. */
static void mapping_gone(GuestAddr a, size_t len)
{
    gimle_discard_translations(a, len);
    debuginfo_unmap(a, len);
}

/* The mapping of a file (or part of one) at [a, a+len) is new, or became executable. */
static void mapping_changed(GuestAddr a, size_t len)
{
    GuestMapping m;
    for (GuestAddr at = a; gimle_mapping_next(at, &m) && m.start < a + len; at = m.end) {
        struct stat st;
        GuestAddr lo = m.start > a ? m.start : a, hi = m.end < a + len ? m.end : a + len;
        if (m.is_file && m.path && stat(m.path, &st) == 0)
            debuginfo_map(lo, hi - lo, m.prot, m.file_offset + (lo - m.start), m.path, st.st_dev,
                          st.st_ino);
    }
}

/* ---- mmap & co ------------------------------------------------------------------------------- */

void sys_mmap(SysCall *c)
{
    uint64_t *a = c->arg;
    size_t len = PAGE_UP(a[1]);
    int flags = (int)a[3], fd = (int)a[4];
    bool file = !(flags & MAP_ANONYMOUS);
    if (file && host_fd_is_core(fd)) {
        c->result = -EBADF;
        return;
    }
    if (!aspace_allows(len)) {
        c->result = -ENOMEM;
        return;
    }
    bool over_old = flags & MAP_FIXED && aspace_is_client_range(a[0], len) &&
                    is_interesting(a[0], len);
    c->result = aspace_mmap(a[0], a[1], (int)a[2], flags, fd, a[5]);
    if (c->result < 0)
        return;
    GuestAddr at = (GuestAddr)c->result;
    if (over_old)
        mapping_gone(at, len);
    EVENT(mem_map, MEM_MMAP, at, len, (int)a[2]);
    if (file) {
        io_uring_mapped(fd, a[5], at);
        mapping_changed(at, len);
    }
}

void sys_munmap(SysCall *c)
{
    const GuestAddr task_end = (1ULL << 47) - PAGE_SIZE_; /* by the kernel */
    GuestAddr a = c->arg[0];
    size_t len = PAGE_UP(c->arg[1]);
    bool within = len <= task_end && a <= task_end - len;
    if (within && a < GIMLE_CLIENT_END && len > GIMLE_CLIENT_END - a)
        len = GIMLE_CLIENT_END - a; /* nothing of the client's is beyond */
    bool beyond = within && a >= GIMLE_CLIENT_END && a % PAGE_SIZE_ == 0;
    if (a % PAGE_SIZE_ || len == 0 || beyond || !aspace_is_client_range(a, len)) {
        c->result = beyond && len ? 0 : -EINVAL;
        return;
    }
    bool gone = is_interesting(a, len);
    EVENT(mem_unmap, MEM_MMAP, a, len);
    c->result = aspace_munmap(a, len);
    if (c->result == 0 && gone)
        mapping_gone(a, len);
}

void sys_mprotect(SysCall *c)
{
    GuestAddr a = c->arg[0];
    size_t len = PAGE_UP(c->arg[1]);
    int prot = (int)c->arg[2];
    bool code = aspace_is_client_range(a, len) && is_interesting(a, len);
    if (c->no == SYS_pkey_mprotect && (int)c->arg[3] != -1 && (int)c->arg[3] != 0) {
        c->result = -EINVAL;
        return;
    }
    c->result = aspace_mprotect(a, c->arg[1], prot);
    if (c->result < 0 || len == 0)
        return;
    if (code) {
        gimle_discard_translations(a, len);
        if (prot & PROT_EXEC)
            mapping_changed(a, len);
    }
    EVENT(mem_protect, a, len, prot & ~(PROT_GROWSDOWN | PROT_GROWSUP));
}

/* Keys are not for the client (CPUID hides them); where the processor has none the kernel knows the error. */
void sys_pkey_alloc(SysCall *c)
{
    enum { LEAF = 7, OSPKE = 1 << 4, RIGHTS = 3 };
    unsigned a, b, features = 0, d;
    bool has = __get_cpuid_count(LEAF, 0, &a, &b, &features, &d) && features & OSPKE;
    if (!has)
        sys_do(c);
    else
        c->result = c->arg[0] || c->arg[1] & ~(uint64_t)RIGHTS ? -EINVAL : -ENOSPC;
}

void sys_mremap(SysCall *c)
{
    GuestAddr old = c->arg[0], target = c->arg[4];
    size_t old_len = PAGE_UP(c->arg[1]), new_len = PAGE_UP(c->arg[2]);
    int flags = (int)c->arg[3];
    GuestMapping m = { 0 };
    if (flags & MREMAP_FIXED)
        sys_reg(c, 4, "new_addr", 8);
    bool code = aspace_is_client_range(old, old_len) && is_interesting(old, old_len);
    bool over_code = flags & MREMAP_FIXED && aspace_is_client_range(target, new_len) &&
                     is_interesting(target, new_len);
    gimle_mapping_at(old, &m);
    if (new_len > old_len && !aspace_allows(new_len - old_len)) {
        c->result = -ENOMEM;
        return;
    }
    c->result = aspace_mremap(old, c->arg[1], c->arg[2], flags, target);
    if (c->result < 0)
        return;
    GuestAddr now = (GuestAddr)c->result;
    if (over_code)
        mapping_gone(now, new_len);
    if (now == old) {
        if (new_len > old_len)
            EVENT(mem_map, MEM_MMAP, old + old_len, new_len - old_len, m.prot);
        else if (new_len < old_len) {
            EVENT(mem_unmap, MEM_MMAP, old + new_len, old_len - new_len);
            if (code)
                mapping_gone(old + new_len, old_len - new_len);
        }
        return;
    }
    EVENT(mem_map, MEM_MMAP, now, new_len, m.prot);
    if (old_len)
        EVENT(mem_move, old, now, old_len < new_len ? old_len : new_len);
    if (old_len && !(flags & MREMAP_DONTUNMAP)) {
        EVENT(mem_unmap, MEM_MMAP, old, old_len);
        if (code)
            mapping_gone(old, old_len);
    } else if (code && old_len) {
        gimle_discard_translations(old, old_len);
    }
    if (code)
        mapping_changed(now, new_len);
}

void sys_brk(SysCall *c)
{
    GuestAddr old = aspace_brk(0);
    if (c->arg[0] < old && c->arg[0] >= aspace_brk_base())
        EVENT(mem_unmap, MEM_BRK, c->arg[0], old - c->arg[0]);
    bool allowed = c->arg[0] <= old || aspace_allows(c->arg[0] - old);
    GuestAddr now = allowed ? aspace_brk(c->arg[0]) : old;
    if (now > old)
        EVENT(mem_map, MEM_BRK, old, now - old, PROT_READ | PROT_WRITE);
    c->result = (int64_t)now;
}

void sys_madvise(SysCall *c)
{
    GuestAddr a = c->arg[0];
    size_t len = PAGE_UP(c->arg[1]);
    int advice = (int)c->arg[2];
    bool refused = a % PAGE_SIZE_ || (len == 0 && c->arg[1]); /* by the kernel, before it looks */
    if (!refused && !aspace_is_client_range(a, len)) {
        c->result = -ENOMEM;
        return;
    }
    if (sys_do(c) == 0 && len && (advice == MADV_DONTNEED || advice == MADV_FREE ||
                                  advice == MADV_REMOVE) && is_interesting(a, len))
        gimle_discard_translations(a, len);
}

void sys_process_madvise(SysCall *c)
{
    /* On ourselves the ranges would have to be checked; advice on other processes is theirs. */
    int64_t r = sys_iov_pre(c, "vec", c->arg[1], c->arg[2], 0);
    if (r < 0)
        c->result = r;
    else
        sys_do(c);
}

void sys_mincore(SysCall *c)
{
    size_t pages = PAGE_UP(c->arg[1]) / PAGE_SIZE_;
    if (!sys_will_write(c, "vec", c->arg[2], pages))
        c->result = -EFAULT;
    else if (sys_do(c) == 0)
        sys_wrote(c, c->arg[2], pages);
}

void sys_remap_file_pages(SysCall *c)
{
    GuestAddr a = PAGE_DOWN(c->arg[0]);
    size_t len = PAGE_DOWN(c->arg[1]);
    GuestMapping m = { 0 };
    c->result = aspace_remap_pages(a, len, (int)c->arg[2], c->arg[3], (int)c->arg[4]);
    if (c->result < 0)
        return;
    if (is_interesting(a, len)) {
        mapping_gone(a, len);
        mapping_changed(a, len);
    }
    gimle_mapping_at(a, &m);
    EVENT(mem_map, MEM_MMAP, a, len, m.prot);
}

/* ---- locking: the client's memory only, never the shadow ------------------------------------- */

static int64_t for_each_mapping(uint64_t number)
{
    GuestMapping m;
    for (GuestAddr at = 0; gimle_mapping_next(at, &m); at = m.end) {
        int64_t r = raw_syscall2(number, m.start, m.end - m.start);
        if (r < 0 && number == SYS_mlock && m.prot != PROT_NONE)
            return r;
    }
    return 0;
}

void sys_mlockall(SysCall *c)
{
    int flags = (int)c->arg[0];
    if (flags == 0 || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
        c->result = -EINVAL;
    else
        c->result = flags & MCL_CURRENT ? for_each_mapping(SYS_mlock) : 0;
}

void sys_munlockall(SysCall *c) { c->result = for_each_mapping(SYS_munlock); }

/* ---- System V shared memory ------------------------------------------------------------------ */

typedef struct Attachment {
    GuestAddr addr;
    size_t len;
} Attachment;

static VEC(Attachment) attachments; /* LOCK_fds */

static size_t attachment_take(GuestAddr a)
{
    size_t len = 0;
    lock_take(LOCK_fds);
    for (size_t i = 0; i < attachments.n && !len; i++)
        if (attachments.data[i].addr == a) {
            len = attachments.data[i].len;
            vec_remove(&attachments, i);
        }
    lock_release(LOCK_fds);
    return len;
}

void sys_shmat(SysCall *c)
{
    struct shmid_ds ds;
    GuestAddr want = c->arg[1];
    int flags = (int)c->arg[2];
    if (flags & SHM_RND)
        want = PAGE_DOWN(want);
    if (flags & SHM_REMAP && !want) {
        c->result = -EINVAL;
        return;
    }
    c->result = raw_syscall3(SYS_shmctl, c->arg[0], IPC_STAT, (uintptr_t)&ds);
    if (c->result < 0)
        return;
    size_t len = PAGE_UP(ds.shm_segsz);
    int prot = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) |
               (flags & SHM_EXEC ? PROT_EXEC : 0);
    int how = MAP_ANONYMOUS | MAP_SHARED;
    if (want)
        how |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    int64_t at = aspace_mmap(want, len, prot, how, -1, 0);
    if (at < 0) {
        c->result = at == -EEXIST ? -EINVAL : at;
        return;
    }
    c->result = raw_syscall3(SYS_shmat, c->arg[0], (uint64_t)at,
                             (uint64_t)((flags & ~SHM_EXEC) | SHM_REMAP));
    if (c->result < 0) {
        aspace_munmap((GuestAddr)at, len);
        return;
    }
    lock_take(LOCK_fds);
    vec_push(&attachments, ((Attachment){ (GuestAddr)at, len }));
    lock_release(LOCK_fds);
    EVENT(mem_map, MEM_SHMAT, (GuestAddr)at, len, prot);
}

void sys_shmdt(SysCall *c)
{
    size_t len = attachment_take(c->arg[0]);
    if (!len) {
        c->result = -EINVAL;
        return;
    }
    bool gone = is_interesting(c->arg[0], len);
    EVENT(mem_unmap, MEM_SHMAT, c->arg[0], len);
    sys_do(c);
    aspace_munmap(c->arg[0], len);
    if (gone)
        mapping_gone(c->arg[0], len);
}
