/* SPDX-License-Identifier: MIT */
/*
 * The client's memory calls, carried out in the host kernel and written into the segment table.
 * Client pages never get host execute permission: what the client may execute is translated.
 */
#include "aspace.h"

#include <asm/prctl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "base/ranked_lock.h"
#include "code_pages.h"
#include "file_names.h"
#include "layout.h"
#include "segments.h"

static struct {
    GuestAddr brk_base, brk_end; /* end: as the client set it, not page aligned */
    size_t brk_limit;
} as;
static uint64_t client_limit = RLIM_INFINITY; /* bytes mapped; atomic */

static bool aspace_page_range(GuestAddr a, size_t len, GuestAddr *end)
{
    if ((a & (PAGE_SIZE_ - 1)) || len == 0 || len > GIMLE_CLIENT_END)
        return false;
    *end = a + PAGE_UP(len);
    /* The last page stays free: buffers of system calls that begin below it end there. */
    return *end > a && *end < GIMLE_CLIENT_END;
}

bool aspace_is_client_range(GuestAddr a, size_t len)
{
    return a < GIMLE_CLIENT_END && len <= GIMLE_CLIENT_END - a;
}

/** Protection in the host for what the client calls @p prot. */
static int aspace_host_prot(int prot)
{
    int host = prot & (PROT_READ | PROT_WRITE);
    if (prot & PROT_EXEC)
        host |= PROT_READ;
    return host;
}

/** Size of the pages that a mapping of no file asks for with MAP_HUGETLB; 0: ordinary ones. */
static size_t aspace_huge_page(int flags)
{
    enum { SIZE_SHIFT = 26, SIZE_MASK = 63, DEFAULT = 21 };
    int order = flags >> SIZE_SHIFT & SIZE_MASK;
    if (!(flags & MAP_HUGETLB) || !(flags & MAP_ANONYMOUS) || order > 40)
        return 0;
    return 1ULL << (order ? order : DEFAULT);
}

/** Where a mapping of @p len bytes goes; 0 if there is no room. */
static GuestAddr aspace_place(GuestAddr hint, size_t len, int flags)
{
    GuestAddr end;
    size_t huge = aspace_huge_page(flags);
    if (huge) {
        GuestAddr a = segments_find_free(len + huge, LAYOUT_CLIENT_MIN, LAYOUT_MMAP_TOP);
        return a ? (a + huge - 1) & ~(huge - 1) : 0;
    }
    hint = PAGE_DOWN(hint);
    if (hint >= LAYOUT_CLIENT_MIN && aspace_page_range(hint, len, &end) &&
        segments_is_free(hint, end) && !(flags & MAP_32BIT && end > LAYOUT_LOW_MMAP_TOP))
        return hint;
    if (flags & MAP_32BIT)
        return segments_find_free(len, LAYOUT_LOW_MMAP_MIN, LAYOUT_LOW_MMAP_TOP);
    return segments_find_free(len, LAYOUT_CLIENT_MIN, LAYOUT_MMAP_TOP);
}

static void aspace_record(GuestAddr a, size_t len, int prot, int flags, int fd, uint64_t offset)
{
    Segment s = { .start = a, .end = a + len, .prot = prot };
    if (flags & MAP_SHARED)
        s.flags |= SEG_SHARED;
    if (flags & (MAP_GROWSDOWN | MAP_STACK))
        s.flags |= SEG_STACK;
    if (flags & MAP_GROWSDOWN)
        s.flags |= SEG_GROWSDOWN;
    if (!(flags & MAP_ANONYMOUS)) {
        struct stat st = { 0 };
        s.flags |= SEG_FILE;
        s.offset = offset;
        if (fstat(fd, &st) == 0) {
            s.dev = st.st_dev;
            s.ino = st.st_ino;
        }
        s.path = file_names_of(fd, st.st_dev, st.st_ino);
    }
    segments_add(&s);
}

int64_t aspace_mmap(GuestAddr hint, size_t len, int prot, int flags, int fd, uint64_t offset)
{
    int type = flags & MAP_TYPE;
    if (len == 0 || offset & (PAGE_SIZE_ - 1))
        return -EINVAL;
    if (len > GIMLE_CLIENT_END)
        return -ENOMEM;
    if (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE)
        return -EINVAL;
    size_t page = aspace_huge_page(flags) ?: PAGE_SIZE_;
    len = (len + page - 1) & ~(page - 1);
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    GuestAddr end, a = hint;
    if (fixed && !aspace_page_range(hint, len, &end))
        return hint & (PAGE_SIZE_ - 1) ? -EINVAL : -ENOMEM;

    lock_take(LOCK_aspace);
    if (!fixed)
        a = aspace_place(hint, len, flags);
    else if ((flags & MAP_FIXED_NOREPLACE) == MAP_FIXED_NOREPLACE && !segments_is_free(a, a + len))
        a = 1;
    if (a <= 1) {
        lock_release(LOCK_aspace);
        return a ? -EEXIST : -ENOMEM;
    }
    /* The kernel must not choose, and must not make the pages executable. */
    int host_flags = (flags & ~(MAP_32BIT | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN)) | MAP_FIXED;
    void *p = mmap((void *)a, len, aspace_host_prot(prot), host_flags, fd, (off_t)offset);
    if (p == MAP_FAILED && errno == EINVAL && !fixed && !(flags & MAP_ANONYMOUS)) {
        /* Some files choose their addresses themselves (io_uring's rings), but listen to this. */
        host_flags = (flags & ~MAP_GROWSDOWN) | MAP_32BIT;
        p = mmap(NULL, len, aspace_host_prot(prot), host_flags, fd, (off_t)offset);
        a = (GuestAddr)p;
    }
    int64_t result = p == MAP_FAILED ? -errno : (int64_t)a;
    if (result >= 0) {
        code_pages_forget(a, a + len);
        aspace_record(a, len, prot, flags, fd, offset);
    }
    lock_release(LOCK_aspace);
    return result;
}

bool aspace_grow_down(GuestAddr a, uint64_t limit)
{
    enum { GUARD_GAP = 1 << 20 }; /* as the kernel's stack_guard_gap */
    GuestAddr start = PAGE_DOWN(a);
    bool grown = false;
    lock_take(LOCK_aspace);
    size_t i = segments_index(a);
    Segment *above = i < segments_count() ? segments_at(i) : NULL;
    Segment *below = i > 0 ? segments_at(i - 1) : NULL;
    bool in_the_way = below && !(below->flags & SEG_GROWSDOWN) && below->prot != PROT_NONE &&
                      start - below->end < GUARD_GAP;
    if (above && (above->flags & SEG_GROWSDOWN) && above->start > a && !in_the_way &&
        above->end - start <= limit && start >= LAYOUT_CLIENT_MIN) {
        Segment more = *above;
        more.end = above->start;
        more.start = start;
        grown = mmap((void *)start, more.end - start, aspace_host_prot(more.prot),
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED;
        if (grown)
            segments_add(&more);
    }
    lock_release(LOCK_aspace);
    return grown;
}

int64_t aspace_munmap(GuestAddr a, size_t len)
{
    GuestAddr end;
    if (!aspace_page_range(a, len, &end))
        return -EINVAL;
    lock_take(LOCK_aspace);
    int64_t r = munmap((void *)a, end - a) ? -errno : 0;
    if (r == 0) {
        code_pages_forget(a, end);
        segments_remove(a, end);
    }
    lock_release(LOCK_aspace);
    return r;
}

int64_t aspace_mprotect(GuestAddr a, size_t len, int prot)
{
    GuestAddr end;
    int grow = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
    prot &= ~grow;
    if (grow == (PROT_GROWSDOWN | PROT_GROWSUP))
        return -EINVAL;
    if (len == 0)
        return a & (PAGE_SIZE_ - 1) ? -EINVAL : 0;
    if (!aspace_page_range(a, len, &end))
        return a & (PAGE_SIZE_ - 1) ? -EINVAL : -ENOMEM;
    lock_take(LOCK_aspace);
    if (grow & PROT_GROWSDOWN) {
        Segment *s = segments_find(a);
        if (s && s->flags & SEG_STACK)
            a = s->start;
    }
    int64_t r = mprotect((void *)a, end - a, aspace_host_prot(prot)) ? -errno : 0;
    if (r == 0) {
        code_pages_forget(a, end);
        segments_protect(a, end, prot);
    }
    lock_release(LOCK_aspace);
    return r;
}

/** Move the table's description of [old, old+len) to @p to. */
static void aspace_move_segments(GuestAddr old, size_t len, GuestAddr to, size_t new_len, bool keep)
{
    Segment s = *segments_find(old);
    if (s.flags & SEG_FILE)
        s.offset += old - s.start;
    s.start = to;
    s.end = to + new_len;
    if (!keep)
        segments_remove(old, old + len);
    segments_add(&s);
}

int64_t aspace_mremap(GuestAddr old, size_t old_len, size_t new_len, int flags, GuestAddr new_addr)
{
    GuestAddr old_end, end;
    if (new_len == 0 || (old & (PAGE_SIZE_ - 1)) || new_len > GIMLE_CLIENT_END ||
        flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) ||
        (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE)))
        return -EINVAL;
    if (!aspace_page_range(old, PAGE_UP(old_len) ? old_len : PAGE_SIZE_, &old_end))
        return -EINVAL;
    if ((flags & MREMAP_FIXED) && !aspace_page_range(new_addr, new_len, &end))
        return -EINVAL;
    bool zero_old = PAGE_UP(old_len) == 0;
    old_len = zero_old ? 0 : old_end - old;
    new_len = PAGE_UP(new_len);

    lock_take(LOCK_aspace);
    int64_t r;
    Segment *s = segments_find(old);
    GuestAddr to = old;
    if (!s || (!zero_old && s->end < old_end)) {
        r = -EFAULT;
        goto out;
    }
    if (zero_old && !(s->flags & SEG_SHARED)) { /* only those can be there twice */
        r = -EINVAL;
        goto out;
    }
    if (flags & MREMAP_FIXED) {
        to = new_addr;
    } else if (new_len > old_len) {
        bool in_place = !zero_old && old + new_len <= GIMLE_CLIENT_END &&
                        segments_is_free(old_end, old + new_len) &&
                        !(flags & MREMAP_DONTUNMAP);
        if (!in_place && !(flags & MREMAP_MAYMOVE)) {
            r = -ENOMEM;
            goto out;
        }
        if (!in_place)
            to = aspace_place(0, new_len, 0);
    } else if (flags & MREMAP_DONTUNMAP) {
        to = aspace_place(0, new_len, 0);
    }
    if (to == 0) {
        r = -ENOMEM;
        goto out;
    }
    code_pages_unprotect(old, old + (old_len ? old_len : PAGE_SIZE_));
    int host_flags = flags;
    if (to != old)
        host_flags |= MREMAP_FIXED | MREMAP_MAYMOVE;
    r = syscall(SYS_mremap, old, old_len, new_len, host_flags, to);
    if (r == -1) {
        r = -errno;
        goto out;
    }
    code_pages_forget(to, to + new_len);
    if (to == old && new_len < old_len)
        segments_remove(old + new_len, old + old_len);
    else
        aspace_move_segments(old, old_len, to, new_len, zero_old || (flags & MREMAP_DONTUNMAP));
out:
    lock_release(LOCK_aspace);
    return r;
}

int64_t aspace_remap_pages(GuestAddr a, size_t len, int prot, uint64_t page, int flags)
{
    GuestAddr end;
    a = PAGE_DOWN(a);
    len = PAGE_DOWN(len);
    if (len == 0 || !aspace_page_range(a, len, &end))
        return -EINVAL;
    lock_take(LOCK_aspace);
    code_pages_unprotect(a, end); /* the kernel wants one mapping with one protection */
    int64_t r = syscall(SYS_remap_file_pages, a, len, prot, page, flags) ? -errno : 0;
    Segment *found = r == 0 ? segments_find(a) : NULL;
    if (found && found->flags & SEG_FILE) {
        Segment s = *found;
        s.start = a;
        s.end = end;
        s.offset = page * PAGE_SIZE_;
        segments_add(&s);
    }
    lock_release(LOCK_aspace);
    return r;
}

void aspace_set_brk_base(GuestAddr base, size_t limit)
{
    as.brk_base = as.brk_end = PAGE_UP(base);
    as.brk_limit = limit;
}

GuestAddr aspace_brk_base(void) { return as.brk_base; }

GuestAddr aspace_brk(GuestAddr want)
{
    lock_take(LOCK_aspace);
    GuestAddr old_top = PAGE_UP(as.brk_end), new_top = PAGE_UP(want);
    if (want < as.brk_base || want - as.brk_base > as.brk_limit || new_top > GIMLE_CLIENT_END)
        goto out;
    if (new_top > old_top) {
        if (!segments_is_free(old_top, new_top))
            goto out;
        void *p = mmap((void *)old_top, new_top - old_top, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED)
            goto out;
        segments_add(&(Segment){ .start = old_top, .end = new_top,
                                 .prot = PROT_READ | PROT_WRITE, .flags = SEG_BRK });
    } else if (new_top < old_top) {
        munmap((void *)new_top, old_top - new_top);
        code_pages_forget(new_top, old_top);
        segments_remove(new_top, old_top);
    }
    as.brk_end = want;
out:;
    GuestAddr end = as.brk_end;
    lock_release(LOCK_aspace);
    return end;
}

void aspace_set_limit(uint64_t bytes)
{
    __atomic_store_n(&client_limit, bytes, __ATOMIC_RELAXED);
}

bool aspace_allows(uint64_t more)
{
    uint64_t limit = __atomic_load_n(&client_limit, __ATOMIC_RELAXED), sum = more;
    if (limit == RLIM_INFINITY)
        return true;
    GuestMapping m;
    for (GuestAddr at = 0; gimle_mapping_next(at, &m); at = m.end)
        sum += m.end - m.start;
    return sum <= limit;
}

GuestAddr aspace_map_arena(size_t len)
{
    len = PAGE_UP(len);
    if (!aspace_allows(len))
        return 0;
    lock_take(LOCK_aspace);
    GuestAddr a = segments_find_free(len, LAYOUT_CLIENT_MIN, LAYOUT_MMAP_TOP);
    if (a && mmap((void *)a, len, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) == MAP_FAILED)
        a = 0;
    if (a)
        segments_add(&(Segment){ .start = a, .end = a + len, .prot = PROT_READ | PROT_WRITE,
                                 .flags = SEG_ARENA });
    lock_release(LOCK_aspace);
    return a;
}

void aspace_unmap_arena(GuestAddr a, size_t len)
{
    int64_t r = aspace_munmap(a, len);
    CHECK(r == 0, "arena at %llx", (unsigned long long)a);
}

void aspace_mark_stack(GuestAddr a, size_t len)
{
    lock_take(LOCK_aspace);
    Segment *s = segments_find(a);
    if (s) {
        Segment part = *s;
        part.start = PAGE_DOWN(a);
        part.end = PAGE_UP(a + len) < s->end ? PAGE_UP(a + len) : s->end;
        if (s->flags & SEG_FILE)
            part.offset += part.start - s->start;
        part.flags |= SEG_STACK;
        segments_add(&part);
    }
    lock_release(LOCK_aspace);
}

bool aspace_protect_code(GuestAddr a, size_t len)
{
    bool any = false;
    lock_take(LOCK_aspace);
    for (GuestAddr page = PAGE_DOWN(a); page < a + len; page += PAGE_SIZE_) {
        Segment *s = segments_find(page);
        if (s && (s->prot & (PROT_EXEC | PROT_WRITE)) == (PROT_EXEC | PROT_WRITE))
            any |= code_pages_protect(page);
    }
    lock_release(LOCK_aspace);
    return any;
}

bool aspace_code_unstable(GuestAddr a, size_t len)
{
    bool unstable = false;
    lock_take(LOCK_aspace);
    for (GuestAddr page = PAGE_DOWN(a); page < a + len; page += PAGE_SIZE_) {
        Segment *s = segments_find(page);
        bool shared = s && (s->flags & SEG_SHARED);
        unstable |= shared || code_pages_is_unstable(page);
    }
    lock_release(LOCK_aspace);
    return unstable;
}

CodeWrite aspace_code_write_fault(GuestAddr a)
{
    if (a >= GIMLE_CLIENT_END || lock_held(LOCK_aspace))
        return CODE_WRITE_NOT_OURS;
    lock_take(LOCK_aspace);
    const Segment *s = segments_find(a);
    CodeWrite what = code_pages_is_protected(PAGE_DOWN(a)) ? CODE_WRITE_PROTECTED
                     : s && (s->prot & PROT_WRITE)         ? CODE_WRITE_AGAIN
                                                           : CODE_WRITE_NOT_OURS;
    lock_release(LOCK_aspace);
    return what;
}

bool aspace_code_unprotect(GuestAddr a)
{
    lock_take(LOCK_aspace);
    bool ours = code_pages_is_protected(PAGE_DOWN(a));
    if (ours)
        code_pages_note_write(PAGE_DOWN(a));
    lock_release(LOCK_aspace);
    return ours;
}

bool aspace_prepare_write(GuestAddr a, size_t len)
{
    if (len == 0 || !aspace_is_client_range(a, len) || code_pages_none())
        return false;
    lock_take(LOCK_aspace);
    bool any = code_pages_unprotect(PAGE_DOWN(a), PAGE_UP(a + len));
    lock_release(LOCK_aspace);
    return any;
}

unsigned aspace_code_readable(GuestAddr a, unsigned want)
{
    unsigned got = 0;
    lock_take(LOCK_aspace);
    while (got < want) {
        Segment *s = segments_find(a + got);
        if (!s || !(s->prot & PROT_EXEC))
            break;
        got += s->end - (a + got) < want - got ? (unsigned)(s->end - (a + got)) : want - got;
    }
    lock_release(LOCK_aspace);
    return got;
}

static void aspace_fill_mapping(const Segment *s, GuestMapping *out)
{
    *out = (GuestMapping){ .start = s->start, .end = s->end, .prot = s->prot,
                           .is_stack = s->flags & SEG_STACK, .is_heap_arena = s->flags & SEG_ARENA,
                           .is_file = s->flags & SEG_FILE, .is_brk = s->flags & SEG_BRK,
                           .is_shared = s->flags & SEG_SHARED,
                           .is_reserve = !(s->flags & SEG_OPENED), .file_offset = s->offset,
                           .path = s->path };
}

bool gimle_mapping_at(GuestAddr a, GuestMapping *out)
{
    lock_take(LOCK_aspace);
    Segment *s = segments_find(a);
    if (s)
        aspace_fill_mapping(s, out);
    lock_release(LOCK_aspace);
    return s != NULL;
}

bool gimle_mapping_next(GuestAddr a, GuestMapping *out)
{
    lock_take(LOCK_aspace);
    size_t i = segments_index(a);
    bool found = i < segments_count();
    if (found)
        aspace_fill_mapping(segments_at(i), out);
    lock_release(LOCK_aspace);
    return found;
}
