/* SPDX-License-Identifier: MIT */
/*
 * The kernel does the checking: process_vm_readv() on ourselves fails where a load would
 * fault.  Pages are passed one by one, since a transfer that meets a bad page may stop anywhere
 * before it.  Where a sandbox forbids the call (ENOSYS, EPERM) a pipe does the same: write()
 * from a bad address fails with EFAULT.
 */
#include "coregrind/os/safe_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* One chunk that does not cross a page, through a pipe: works under any seccomp policy. */
static ssize_t copy_by_pipe(void *to, const void *from, size_t n)
{
    int p[2];
    if (pipe2(p, O_CLOEXEC) != 0)
        return -1;
    ssize_t done = write(p[1], from, n);
    if (done > 0)
        done = read(p[0], to, (size_t)done);
    int e = errno;
    close(p[0]);
    close(p[1]);
    errno = e;
    return done;
}

static size_t in_page(uint64_t a, size_t n)
{
    size_t left = PAGE - (a & (PAGE - 1));
    return n < left ? n : left;
}

/* Reads if @p writing is false; @p remote is the address that may be bad. */
static ssize_t copy_chunk(void *local, GuestAddr remote, size_t n, bool writing)
{
    struct iovec l = {local, n}, r = {(void *)(uintptr_t)remote, n};
    ssize_t k = writing ? process_vm_writev(getpid(), &l, 1, &r, 1, 0)
                        : process_vm_readv(getpid(), &l, 1, &r, 1, 0);
    if (k >= 0 || errno == EFAULT)
        return k;
    return writing ? copy_by_pipe((void *)(uintptr_t)remote, local, n)
                   : copy_by_pipe(local, (const void *)(uintptr_t)remote, n);
}

size_t safe_read_some(GuestAddr from, void *to, size_t n)
{
    int saved = errno;
    size_t done = 0;
    while (done < n) {
        size_t part = in_page(from + done, n - done);
        ssize_t k = copy_chunk((char *)to + done, from + done, part, false);
        if (k > 0)
            done += (size_t)k;
        if (k != (ssize_t)part)
            break;
    }
    errno = saved;
    return done;
}

bool safe_read(GuestAddr from, void *to, size_t n)
{
    return safe_read_some(from, to, n) == n;
}

bool safe_write(GuestAddr to, const void *from, size_t n)
{
    int saved = errno;
    size_t done = 0;
    while (done < n) {
        size_t part = in_page(to + done, n - done);
        ssize_t k = copy_chunk((void *)(uintptr_t)((const char *)from + done), to + done, part, true);
        if (k != (ssize_t)part)
            break;
        done += part;
    }
    errno = saved;
    return done == n;
}
