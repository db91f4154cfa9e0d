/* SPDX-License-Identifier: MIT */
/* See code_arena.h. */
#include "code_arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "coregrind/core/host_fd.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U /* Linux 6.3; older kernels refuse it and need it not */
#endif

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

enum { SETTLE_BYTES = 128 << 10, AHEAD_BYTES = 64 * 1024, PAGE_BYTES = 4096 };
#define PAGE_MASK ((size_t)PAGE_BYTES - 1)

/** A memfd of @p size bytes, which shows what it is in /proc; -1: use memory without a file. */
static int code_arena_memfd(size_t size)
{
    if (!host_fd_files_may_grow())
        return -1;
    int fd = (int)syscall(SYS_memfd_create, "gimle-code", MFD_CLOEXEC | MFD_EXEC);
    if (fd < 0)
        fd = (int)syscall(SYS_memfd_create, "gimle-code", MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/** Map new memory, that of @p fd unless it is -1, twice; 0 or negative errno. */
static int code_arena_map(int fd, size_t size, uint8_t **rw, uint8_t **rx)
{
    int flags = MAP_SHARED | MAP_NORESERVE;
    void *w = mmap(NULL, size, PROT_READ | PROT_WRITE, fd < 0 ? flags | MAP_ANONYMOUS : flags, fd, 0);
    void *x = MAP_FAILED;
    if (w != MAP_FAILED && fd >= 0)
        x = mmap(NULL, size, PROT_READ | PROT_EXEC, flags, fd, 0);
    else if (w != MAP_FAILED) /* of no bytes of a shared mapping: all of it once more */
        x = mremap(w, 0, size, MREMAP_MAYMOVE);
    if (x != MAP_FAILED && fd < 0 && mprotect(x, size, PROT_READ | PROT_EXEC) != 0) {
        munmap(x, size);
        x = MAP_FAILED;
    }
    int err = x == MAP_FAILED ? -errno : 0;
    if (err && w != MAP_FAILED)
        munmap(w, size);
    *rw = w;
    *rx = x;
    return err;
}

int code_arena_init(CodeArena *a, size_t size)
{
    uint8_t *rw, *rx;
    int fd = code_arena_memfd(size), err = code_arena_map(fd, size, &rw, &rx);
    if (fd >= 0)
        close(fd);
    if (err == 0)
        *a = (CodeArena){ .rw = rw, .rx = rx, .size = size, .limit = size, .cold = size,
                          .cold_ready = size };
    return err;
}

void code_arena_clear(CodeArena *a, size_t limit)
{
    a->used = a->settled = a->ready = 0;
    a->limit = limit < a->size ? limit : a->size;
    a->cold = a->cold_ready = a->limit;
}

/** Where the kernel cannot do it (before 5.14) pages come one by one. */
static void code_arena_populate(const CodeArena *a, size_t from, size_t to)
{
    madvise(a->rw + from, to - from, MADV_POPULATE_WRITE);
    madvise((void *)(a->rx + from), to - from, MADV_POPULATE_READ);
}

void code_arena_prepare(CodeArena *a)
{
    if (a->ready < a->used + PAGE_BYTES && a->ready + AHEAD_BYTES <= a->cold) {
        size_t from = a->ready > a->used ? a->ready : a->used & ~PAGE_MASK;
        code_arena_populate(a, from, from + AHEAD_BYTES);
        a->ready = from + AHEAD_BYTES;
    }
    if (a->cold_ready + PAGE_BYTES > a->cold && a->used + AHEAD_BYTES <= a->cold_ready) {
        size_t to = a->cold_ready < a->cold ? a->cold_ready : (a->cold + PAGE_MASK) & ~PAGE_MASK;
        code_arena_populate(a, to - AHEAD_BYTES, to);
        a->cold_ready = to - AHEAD_BYTES;
    }
}

void code_arena_settle(CodeArena *a)
{
    size_t used = a->used & ~PAGE_MASK, cold = (a->cold + PAGE_MASK) & ~PAGE_MASK;
    if (a->used + (a->limit - a->cold) - a->settled < SETTLE_BYTES)
        return;
    madvise(a->rw, used, MADV_DONTNEED);
    madvise(a->rw + cold, a->limit - cold, MADV_DONTNEED);
    a->settled = a->used + (a->limit - a->cold);
}

/** Copy what is in use from offset @p from to @p to into new memory @p rw, which is also @p fd unless that is -1. */
static void code_arena_copy(const CodeArena *a, int fd, uint8_t *rw, size_t from, size_t to)
{
    while (fd >= 0 && from < to) { /* by the kernel: no page fault for each page, and none is mapped in vain */
        ssize_t n = pwrite(fd, a->rx + from, to - from, (off_t)from);
        if (n <= 0)
            break;
        from += (size_t)n;
    }
    memcpy(rw + from, a->rx + from, to - from);
}

int code_arena_unshare(CodeArena *a)
{
    uint8_t *rw, *rx;
    int fd = code_arena_memfd(a->size), err = code_arena_map(fd, a->size, &rw, &rx);
    if (err == 0) {
        code_arena_copy(a, fd, rw, 0, a->used);
        code_arena_copy(a, fd, rw, a->cold, a->limit);
    }
    if (fd >= 0)
        close(fd);
    if (err)
        return err;
    int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
    if (mremap(rw, a->size, a->size, flags, a->rw) == MAP_FAILED ||
        mremap(rx, a->size, a->size, flags, (void *)a->rx) == MAP_FAILED)
        return -errno;
    a->settled = 0;
    a->ready = a->used & ~PAGE_MASK;
    a->cold_ready = (a->cold + PAGE_MASK) & ~PAGE_MASK;
    return 0;
}
