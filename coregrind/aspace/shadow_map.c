/* SPDX-License-Identifier: MIT */
/*
 * Reserving the shadow, and filling large parts of it without spending memory: zeros are fresh
 * anonymous pages, other patterns are copy-on-write mappings of a memfd that holds the pattern.
 */
#include <asm/prctl.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "aspace.h"
#include "base/check.h"
#include "coregrind/core/host_fd.h"
#include "layout.h"

enum { PATTERN_BYTES = 16 << 20, LARGE_FILL = 1 << 20, RESERVE_FLAGS = MAP_PRIVATE | MAP_ANONYMOUS |
       MAP_NORESERVE | MAP_FIXED_NOREPLACE };

static bool shadow_on_demand; /* pieces are committed by aspace_shadow_fault() */
static int pattern_fd[256];   /* memfd + 1 per pattern byte, made when first wanted */

int aspace_reserve_shadow(void)
{
    void *base = (void *)GIMLE_SHADOW_DELTA;
    size_t size = GIMLE_CLIENT_END;
    void *p = mmap(base, size, PROT_READ | PROT_WRITE, RESERVE_FLAGS, -1, 0);
    if (p == MAP_FAILED && errno == ENOMEM) {
        p = mmap(base, size, PROT_NONE, RESERVE_FLAGS, -1, 0);
        shadow_on_demand = true;
    }
    if (p == MAP_FAILED)
        return -errno;
    CHECK(p == base);
    madvise(base, size, MADV_DONTDUMP);
    madvise(base, size, MADV_NOHUGEPAGE);
    /* The second shadow faults unless a tool maps something there: wild addresses end up in it. */
    p = mmap((void *)GIMLE_SHADOW2_BASE, GIMLE_SHADOW2_END - GIMLE_SHADOW2_BASE, PROT_NONE,
             RESERVE_FLAGS, -1, 0);
    return p == MAP_FAILED ? -errno : 0;
}

bool aspace_shadow_fault(uint64_t a)
{
    if (!shadow_on_demand || a < GIMLE_SHADOW_DELTA || a >= GIMLE_SHADOW2_BASE)
        return false;
    uint64_t start = a & ~(LAYOUT_SHADOW_PIECE - 1), end = start + LAYOUT_SHADOW_PIECE;
    if (start < GIMLE_SHADOW_DELTA)
        start = GIMLE_SHADOW_DELTA;
    if (end > GIMLE_SHADOW2_BASE)
        end = GIMLE_SHADOW2_BASE;
    return mprotect((void *)start, end - start, PROT_READ | PROT_WRITE) == 0;
}

void aspace_bind_thread(void)
{
    long r = syscall(SYS_arch_prctl, ARCH_SET_GS, GIMLE_SHADOW_DELTA);
    CHECK(r == 0, "cannot set the GS base");
}

static int shadow_pattern_fd(uint8_t value)
{
    int have = __atomic_load_n(&pattern_fd[value], __ATOMIC_ACQUIRE);
    if (have)
        return have - 1;
    int fd = (int)syscall(SYS_memfd_create, "gimle-shadow", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    fd = host_fd_move(fd);
    char chunk[4096];
    memset(chunk, value, sizeof chunk);
    for (int done = 0; done < PATTERN_BYTES; done += (int)sizeof chunk) {
        if (write(fd, chunk, sizeof chunk) != (ssize_t)sizeof chunk) {
            close(fd);
            return -1;
        }
    }
    int none = 0;
    if (!__atomic_compare_exchange_n(&pattern_fd[value], &none, fd + 1, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        close(fd);
        return none - 1;
    }
    return fd;
}

/** Fill whole pages of shadow at @p s; false: not possible this way. */
static bool shadow_fill_pages(uint8_t *s, size_t len, uint8_t value)
{
    if (value == 0)
        return mmap(s, len, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == s;
    int fd = shadow_pattern_fd(value);
    if (fd < 0)
        return false;
    for (size_t done = 0; done < len;) {
        size_t n = len - done < PATTERN_BYTES ? len - done : PATTERN_BYTES;
        if (mmap(s + done, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, fd,
                 0) != s + done)
            return false;
        done += n;
    }
    return true;
}

void gimle_shadow_fill(GuestAddr a, size_t len, uint8_t value)
{
    if (!aspace_is_client_range(a, len) || len == 0)
        return;
    if (len >= LARGE_FILL) {
        GuestAddr first = PAGE_UP(a), last = PAGE_DOWN(a + len);
        if (shadow_fill_pages(gimle_shadow(first), last - first, value)) {
            memset(gimle_shadow(a), value, first - a);
            memset(gimle_shadow(last), value, a + len - last);
            return;
        }
    }
    memset(gimle_shadow(a), value, len);
}
