/* SPDX-License-Identifier: MIT */
/*
 * Reserving the shadow, and filling large parts of it without spending memory: zeros are fresh
 * anonymous pages, other patterns are copy-on-write mappings of a memfd that holds the pattern.
 */
#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "aspace.h"
#include "base/check.h"
#include "base/ranked_lock.h"
#include "coregrind/core/host_fd.h"
#include "layout.h"

enum { PATTERN_MIN = 256 << 10, PATTERN_MAX = 16 << 20, PATTERN_PIECES = 64, LARGE_FILL = 128 << 10, TRIM_PAGES = 256,
       RESERVE_FLAGS = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE };

static bool shadow_on_demand; /* pieces are committed by aspace_shadow_fault() */
typedef struct Pattern {
    int fd;        /* memfd + 1; 0: not made yet */
    size_t filled; /* bytes of it that hold the pattern */
} Pattern;
static Pattern patterns[256]; /* LOCK_shadow_pattern */

/** What all anonymous shadow is; pieces that are alike are one mapping. */
static void shadow_advise(void *p, size_t len)
{
    madvise(p, len, MADV_DONTDUMP);
    madvise(p, len, MADV_NOHUGEPAGE);
}

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
    shadow_advise(base, size);
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
    if (mprotect((void *)start, end - start, PROT_READ | PROT_WRITE) == 0)
        return true;
    if (errno == ENOMEM) { /* a limit of the user's: nothing can go on, and no bug of ours to report */
        static const char text[] = "gimle: no memory for the shadow (is ulimit -d or -v set?)\n";
        ssize_t n = write(STDERR_FILENO, text, sizeof text - 1);
        _exit(n < 0 ? 2 : 1);
    }
    return false;
}

void aspace_bind_thread(void)
{
    long r = syscall(SYS_arch_prctl, ARCH_SET_GS, GIMLE_SHADOW_DELTA);
    CHECK(r == 0, "cannot set the GS base");
}

/**
 * A memfd whose first @p want bytes are @p value; -1: none to be had.  It grows as larger fills come:
 * most programs never need more than the smallest piece of one pattern.
 */
static int shadow_pattern_fd(uint8_t value, size_t want)
{
    static char chunk[64 << 10];
    int fd = -1;
    lock_take(LOCK_shadow_pattern);
    Pattern *p = &patterns[value];
    if (p->fd == 0) {
        fd = (int)syscall(SYS_memfd_create, "gimle-shadow", MFD_CLOEXEC);
        if (fd >= 0)
            p->fd = host_fd_move(fd) + 1;
    }
    fd = p->fd - 1;
    if (fd >= 0 && p->filled < want && !host_fd_files_may_grow())
        fd = -1;
    if (fd >= 0 && p->filled < want)
        memset(chunk, value, sizeof chunk);
    while (fd >= 0 && p->filled < want) {
        ssize_t n = pwrite(fd, chunk, sizeof chunk, (off_t)p->filled);
        if (n <= 0)
            fd = -1;
        else
            p->filled += (size_t)n;
    }
    lock_release(LOCK_shadow_pattern);
    return fd;
}

/** Pieces of a fill: few enough mappings for the largest, little to write for the usual. */
static size_t pattern_piece(size_t len)
{
    size_t piece = PATTERN_MIN;
    while (piece < PATTERN_MAX && piece * PATTERN_PIECES < len)
        piece *= 2;
    return piece;
}

/** A fill stopped half way: what is a pattern and what was written is not known any more. */
static bool fill_failed;

/** Fill whole pages of shadow at @p s; false: not possible this way. */
static bool shadow_fill_pages(uint8_t *s, size_t len, uint8_t value)
{
    if (value == 0) {
        if (mmap(s, len, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != s)
            return false;
        shadow_advise(s, len);
        return true;
    }
    size_t piece = pattern_piece(len);
    int fd = shadow_pattern_fd(value, piece);
    if (fd < 0)
        return false;
    for (size_t done = 0; done < len;) {
        size_t n = len - done < piece ? len - done : piece;
        if (mmap(s + done, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, fd,
                 0) != s + done) {
            fill_failed = true;
            return false;
        }
        done += n;
    }
    return true;
}

static bool is_zero(const uint8_t *p, size_t len) { return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0; }

/** Most shadow is zero and was never written: it stays without memory where it is so already. */
static void shadow_clear(uint8_t *s, size_t len)
{
    while (len) {
        size_t n = PAGE_SIZE_ - ((uintptr_t)s & (PAGE_SIZE_ - 1));
        n = n < len ? n : len;
        if (!is_zero(s, n))
            memset(s, 0, n);
        s += n;
        len -= n;
    }
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
    if (value == 0)
        shadow_clear(gimle_shadow(a), len);
    else
        memset(gimle_shadow(a), value, len);
}

/** Which of the @p n pages at @p s have memory of their own: not those that only show a pattern. */
static bool shadow_pages_owned(int pagemap, const uint8_t *s, uint64_t *entry, size_t n)
{
    off_t at = (off_t)((uintptr_t)s / PAGE_SIZE_ * sizeof *entry);
    return pread(pagemap, entry, n * sizeof *entry, at) == (ssize_t)(n * sizeof *entry);
}

static inline bool is_owned(uint64_t entry) { return entry >> 63 && !(entry >> 61 & 1); }

size_t gimle_shadow_trim(GuestAddr a, size_t len)
{
    enum { RUN = 4 }; /* pages: fewer are not worth a mapping */
    uint64_t entry[TRIM_PAGES];
    size_t looked_at = 0;
    if (!aspace_is_client_range(a, len) || !host_fd_may_open())
        return 0;
    int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (pagemap < 0)
        return 0;
    for (GuestAddr next = PAGE_DOWN(a), end = a + len; next < end;) {
        size_t n = (end - next + PAGE_SIZE_ - 1) / PAGE_SIZE_, run = 0;
        n = n < TRIM_PAGES ? n : TRIM_PAGES;
        uint8_t *s = gimle_shadow(next);
        if (!shadow_pages_owned(pagemap, s, entry, n))
            break;
        for (size_t i = 0; i <= n; i++) {
            bool owned = i < n && is_owned(entry[i]);
            looked_at += owned ? PAGE_SIZE_ : 0;
            if (owned && is_zero(s + i * PAGE_SIZE_, PAGE_SIZE_)) {
                run++;
                continue;
            }
            if (run >= RUN)
                shadow_fill_pages(s + (i - run) * PAGE_SIZE_, run * PAGE_SIZE_, 0);
            run = 0;
        }
        next += n * PAGE_SIZE_;
    }
    close(pagemap);
    return looked_at;
}

void gimle_shadow_refill(GuestAddr a, size_t len, uint8_t value)
{
    GuestAddr first = PAGE_UP(a), last = PAGE_DOWN(a + len);
    if (!aspace_is_client_range(a, len) || len == 0)
        return;
    if (first < last && !fill_failed && patterns[value].fd > 0 &&
        madvise(gimle_shadow(first), last - first, MADV_DONTNEED) == 0) {
        memset(gimle_shadow(a), value, first - a);
        memset(gimle_shadow(last), value, a + len - last);
    } else {
        memset(gimle_shadow(a), value, len);
    }
}
