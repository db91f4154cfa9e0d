/* SPDX-License-Identifier: MIT */
/* See code_arena.h. */
#include "code_arena.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U /* Linux 6.3; older kernels refuse it and need it not */
#endif

enum { SETTLE_BYTES = 1 << 20 };
#define PAGE_MASK ((size_t)4095)

static int code_arena_memfd(size_t size)
{
    int fd = (int)syscall(SYS_memfd_create, "gimle-code", MFD_CLOEXEC | MFD_EXEC);
    if (fd < 0)
        fd = (int)syscall(SYS_memfd_create, "gimle-code", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)size) != 0) {
        int err = errno;
        close(fd);
        return -err;
    }
    return fd;
}

int code_arena_init(CodeArena *a, size_t size)
{
    int fd = code_arena_memfd(size), err = 0;
    if (fd < 0)
        return fd;
    void *rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    void *rx = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (rw == MAP_FAILED || rx == MAP_FAILED)
        err = -errno;
    close(fd);
    if (err == 0)
        *a = (CodeArena){ .rw = rw, .rx = rx, .size = size, .cold = size };
    return err;
}

void code_arena_clear(CodeArena *a)
{
    a->used = a->settled = 0;
    a->cold = a->size;
}

void code_arena_settle(CodeArena *a)
{
    size_t used = a->used & ~PAGE_MASK, cold = (a->cold + PAGE_MASK) & ~PAGE_MASK;
    if (a->used + (a->size - a->cold) - a->settled < SETTLE_BYTES)
        return;
    madvise(a->rw, used, MADV_DONTNEED);
    madvise(a->rw + cold, a->size - cold, MADV_DONTNEED);
    a->settled = a->used + (a->size - a->cold);
}

/** Copy [from, to) of code memory into @p fd; 0 or negative errno. */
static int code_arena_copy(const CodeArena *a, int fd, size_t from, size_t to)
{
    while (from < to) {
        ssize_t n = pwrite(fd, a->rw + from, to - from, (off_t)from);
        if (n <= 0)
            return n ? -errno : -EIO;
        from += (size_t)n;
    }
    return 0;
}

int code_arena_unshare(CodeArena *a)
{
    int fd = code_arena_memfd(a->size);
    if (fd < 0)
        return fd;
    int err = code_arena_copy(a, fd, 0, a->used);
    if (err == 0)
        err = code_arena_copy(a, fd, a->cold, a->size);
    int flags = MAP_SHARED | MAP_NORESERVE | MAP_FIXED;
    if (err == 0 &&
        (mmap(a->rw, a->size, PROT_READ | PROT_WRITE, flags, fd, 0) == MAP_FAILED ||
         mmap((void *)a->rx, a->size, PROT_READ | PROT_EXEC, flags, fd, 0) == MAP_FAILED))
        err = -errno;
    close(fd);
    return err;
}
