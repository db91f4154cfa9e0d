/* SPDX-License-Identifier: MIT */
/*
 * What the heap gives back to the kernel.  Freed blocks wait in the quarantine with all that belongs
 * to them: their memory, their records, and the shadow that a tool has for them.  Where no live block
 * is, the shadow is the same everywhere, so the tool can do without its pages; and runs of units that
 * no span uses need no pages at all.
 *
 * Both cost page faults when the memory is used again (some 2.4 us a page on a virtual machine), so
 * they are done only while the process is larger than a full quarantine explains, as far as most of
 * what it occupies is the heap's doing, and for no more than 150 ms and a twelfth of its time.
 *
 * All of it is for programs with one thread; what is counted is then nobody else's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "coregrind/core/host_fd.h"
#include "coregrind/heap/heap_internal.h"

enum { PAGE_NS = 2400, PART_NS = PART_BYTES / 4096 * PAGE_NS, ASK_EVERY = 128,
       CREDIT_NS = 150000000, SHARE = 12, /**< of its time: one in SHARE */
};

void (*heap_dead_callback)(GuestAddr a, size_t len);

/** Bytes beside two for each byte of live slots: what all of the process and what the heap may occupy. */
static uint64_t process_allowed = 60000000, heap_allowed = 28000000;
static uint64_t resident;           /**< bytes of pages and shadow of spans, and their records */
static uint64_t in_runs;            /**< of free runs */
static uint64_t live;               /**< bytes of slots with live blocks */
static int64_t credit_ns = CREDIT_NS;
static int64_t spent_ns;

void parts_init(uint64_t quarantine_bytes)
{
    process_allowed = quarantine_bytes * 3;
    heap_allowed = quarantine_bytes / 10 * 14;
}

/** What the process occupies now; looked up now and then. */
static uint64_t process_bytes(void)
{
    static unsigned asked;
    static uint64_t bytes;
    if (asked++ % ASK_EVERY == 0) {
        char text[128];
        unsigned long long size, pages;
        int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        text[n < 0 ? 0 : n] = '\0';
        bytes = sscanf(text, "%llu %llu", &size, &pages) == 2 ? pages * 4096 : 0;
        if (fd >= 0)
            close(fd);
    }
    return bytes;
}

static bool is_too_much(void)
{
    return resident + in_runs > heap_allowed + 2 * live &&
           process_bytes() > process_allowed + 2 * live;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/** Is there credit, which grows with time? */
static bool may_spend(int64_t cost)
{
    static unsigned refused;
    if (credit_ns < cost) {
        if (refused++ % 64 != 0)
            return false;
        credit_ns = CREDIT_NS + now_ns() / SHARE - spent_ns;
        if (credit_ns < cost)
            return false;
    }
    credit_ns -= cost;
    spent_ns += cost;
    return true;
}

static bool may_give(int64_t cost)
{
    return heap_dead_callback && gimle_thread_count() == 1 && host_fd_may_open() && is_too_much() &&
           may_spend(cost);
}

/** Parts first to last that slot @p s lies in. */
static inline unsigned first_part(const Span *span, const Slot *s, unsigned *last)
{
    size_t off = (size_t)(s - span->slot) * span->slot_size;
    *last = (unsigned)((off + span->slot_size - 1) >> PART_BITS);
    return (unsigned)(off >> PART_BITS);
}

void parts_count_live(Span *span, const Slot *s)
{
    unsigned last, i = first_part(span, s, &last);
    live += span->slot_size;
    for (; i <= last; i++) {
        SpanPart *p = &span->part[i];
        p->live++;
        if (!p->has_shadow) {
            resident += p->has_pages ? PART_BYTES : 2 * PART_BYTES;
            p->has_shadow = p->has_pages = true;
        }
    }
}

/** The tool may give back the shadow of part @p i, in which nothing lives any more. */
static void tell_dead(Span *span, unsigned i)
{
    SpanPart *p = &span->part[i];
    p->retired = 0;
    p->has_shadow = false;
    resident -= PART_BYTES;
    heap_dead_callback(span->base + i * (GuestAddr)PART_BYTES, PART_BYTES);
}

void parts_count_dead(Span *span, const Slot *s)
{
    unsigned last, i = first_part(span, s, &last);
    uint32_t units = span->slot_size >> 4;
    live -= span->slot_size;
    for (; i <= last; i++) {
        SpanPart *p = &span->part[i];
        uint32_t retired = p->retired + units;
        p->retired = (uint16_t)(retired > UINT16_MAX ? UINT16_MAX : retired);
        if (--p->live == 0 && retired >= PART_BYTES / 16 / 2 && p->has_shadow && may_give(PART_NS))
            tell_dead(span, i);
    }
}

static uint64_t records_of(const Span *span) { return span->n_slots * sizeof(Slot); }

void parts_take(Span *span, bool of_run)
{
    if (!heap_is_of_one_thread())
        return;
    for (unsigned i = 0; i < SPAN_PARTS; i++)
        span->part[i] = (SpanPart){ 0 };
    resident += records_of(span);
    if (of_run)
        in_runs -= in_runs < 2 * span->len ? in_runs : 2 * span->len;
}

void parts_forget(Span *span)
{
    if (!heap_is_of_one_thread())
        return;
    resident -= records_of(span);
    for (unsigned i = 0; i < SPAN_PARTS; i++) {
        unsigned bytes = (span->part[i].has_pages + span->part[i].has_shadow) * PART_BYTES;
        resident -= bytes;
        in_runs += bytes;
    }
}

void parts_give(GuestAddr base, size_t len)
{
    if (!heap_is_of_one_thread() || !may_give((int64_t)(len / 4096) * 2 * PAGE_NS))
        return;
    madvise((void *)(uintptr_t)base, len, MADV_DONTNEED);
    heap_dead_callback(base, len);
    in_runs -= in_runs < 2 * len ? in_runs : 2 * len;
}
