/* SPDX-License-Identifier: MIT */
/*
 * What the heap gives back to the kernel.  Freed blocks wait in the quarantine with all that belongs
 * to them: their memory, their records, and the shadow that a tool has for them.  Where no live block
 * is, the shadow is the same everywhere, so the tool can do without its pages; and runs of units that
 * no span uses need no pages at all.
 *
 * Both cost page faults when the memory is used again (some 2.4 us a page on a virtual machine), so
 * they are done only while the process is larger than a full quarantine should make it, as far as most of
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

enum { PAGE_NS = 2400, PART_NS = PART_BYTES / 4096 * PAGE_NS, ASK_EVERY = 8,
       MANY_BACK = 16,             /**< parts that come back before there is a sweep */
       DIED = 256,                 /**< parts that are remembered, a power of two */
       MORE = 1 << 20,             /**< bytes that are given back at a time beside what is too much */
       CREDIT_NS = 150000000, SHARE = 12, /**< of its time: one in SHARE */
};

#ifdef MADV_POPULATE_WRITE
enum { POPULATE_WRITE = MADV_POPULATE_WRITE };
#else
enum { POPULATE_WRITE = 23 }; /* a kernel that does not know it refuses */
#endif

void (*heap_dead_callback)(GuestAddr a, size_t len);

/** Bytes beside two for each byte of live slots: what all of the process and what the heap may occupy. */
static uint64_t process_allowed = 56000000, heap_allowed = 22000000;
static uint64_t resident;           /**< bytes of pages and shadow of spans, and their records */
static uint64_t in_runs;            /**< of free runs */
static uint64_t live;               /**< bytes of slots with live blocks */
static int64_t credit_ns = CREDIT_NS;
static int64_t spent_ns;

void parts_init(uint64_t quarantine_bytes)
{
    process_allowed = quarantine_bytes * 2 + 16000000;
    heap_allowed = quarantine_bytes / 10 * 11;
}

/** What the process occupies now. */
static uint64_t process_bytes(void)
{
    char text[128];
    unsigned long long size, pages;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n < 0 ? 0 : n] = '\0';
    if (fd >= 0)
        close(fd);
    return sscanf(text, "%llu %llu", &size, &pages) == 2 ? pages * 4096 : 0;
}

static uint64_t process;            /**< what it occupied when last asked, and what has changed since */
static unsigned came_back;          /**< parts, since the last sweep */

/**
 * The parts of which the last block died, the latest at n_died - 1: they will wait longest.  Only as
 * long as there may be too much.
 */
static struct { Span *span; unsigned part; } died[DIED];
static unsigned n_died;
static bool is_large;               /**< there was too much lately */

/** How many bytes too much the process occupies; looked up now and then. */
static uint64_t excess(void)
{
    static unsigned asked;
    is_large = resident + in_runs > heap_allowed + 2 * live; /* as far as we know ourselves */
    if (!is_large)
        return 0;
    if (asked++ % ASK_EVERY == 0)
        process = process_bytes();
    uint64_t allowed = process_allowed + 2 * live;
    return process > allowed ? process - allowed : 0;
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

/** Is somebody interested, and nobody else about? */
static bool may_ask(void)
{
    return heap_dead_callback && heap_is_of_one_thread() && gimle_thread_count() == 1 && host_fd_may_open();
}

static bool may_give(int64_t cost)
{
    return may_ask() && excess() > 0 && may_spend(cost);
}

/** Parts first to last that slot @p i lies in. */
static inline unsigned first_part(const Span *span, uint32_t i, unsigned *last)
{
    size_t off = (size_t)i * span->slot_size;
    *last = (unsigned)((off + span->slot_size - 1) >> PART_BITS);
    return (unsigned)(off >> PART_BITS);
}

/** Part @p i is in use again. */
static void come_back(Span *span, unsigned i)
{
    SpanPart *p = &span->part[i];
    /* All of its shadow was given back: cheaper at once than page by page. */
    if (p->has_pages && host_fd_may_open())
        madvise(gimle_shadow(span->base + i * (GuestAddr)PART_BYTES), PART_BYTES, POPULATE_WRITE);
    size_t bytes = p->has_pages ? PART_BYTES : 2 * PART_BYTES;
    resident += bytes;
    process += bytes;
    came_back++;
    p->has_shadow = p->has_pages = true;
}

bool parts_sweep_is_due(void) { return came_back >= MANY_BACK; }

void parts_count_live(Span *span, uint32_t i)
{
    unsigned last, k = first_part(span, i, &last);
    live += span->slot_size;
    for (; k <= last; k++) {
        span->part[k].live++;
        if (__builtin_expect(!span->part[k].has_shadow, 0))
            come_back(span, k);
    }
}

static void note_death(Span *span, unsigned k)
{
    typeof(*died) *was = &died[(n_died - 1) % DIED];
    if (was->span == span && was->part == k) /* blocks come and go in turn */
        return;
    died[n_died % DIED].span = span;
    died[n_died++ % DIED].part = k;
}

void parts_count_dead(Span *span, uint32_t i)
{
    unsigned last, k = first_part(span, i, &last);
    live -= span->slot_size;
    for (; k <= last; k++)
        if (--span->part[k].live == 0 && is_large)
            note_death(span, k);
}

/** May a slot that lies in part @p k be given out before it has been in the quarantine? */
static bool part_is_open(const Span *span, unsigned k, const SlotRun *open)
{
    uint32_t first = k * (uint32_t)PART_BYTES / span->slot_size;
    uint32_t end = ((k + 1) * (uint32_t)PART_BYTES + span->slot_size - 1) / span->slot_size;
    if (open->span == span && open->bits && open->first < end && open->first + 64 > first)
        return true;
    for (uint32_t w = first / 64; w <= (end - 1) / 64 && w < SPAN_WORDS; w++) {
        uint64_t bits = span->free[w];
        bits &= w == first / 64 ? ~0ULL << first % 64 : ~0ULL;
        bits &= w == end / 64 ? (1ULL << end % 64) - 1 : ~0ULL;
        if (bits)
            return true;
    }
    return false;
}

/** The shadow of part @p i, in which nothing lives and for some time nothing will, need not be kept. */
static void tell_dead(Span *span, unsigned i)
{
    span->part[i].has_shadow = false;
    resident -= PART_BYTES;
    process -= process < PART_BYTES ? process : PART_BYTES;
    heap_dead_callback(span->base + i * (GuestAddr)PART_BYTES, PART_BYTES);
}

/** Give back part @p k of @p s if nothing in it is or may be in use; false: enough has been given. */
static bool give_part(Span *s, unsigned k, const SlotRun *open, uint64_t much, uint64_t *given)
{
    if (s->slot_size == 0 || k >= s->len / PART_BYTES || s->part[k].live > 0 || !s->part[k].has_shadow ||
        part_is_open(s, k, &open[s->cls]))
        return true;
    if (*given >= much + MORE || !may_spend(PART_NS))
        return false;
    tell_dead(s, k);
    *given += PART_BYTES;
    return true;
}

/** From the parts that died last. */
static bool give_died(const SlotRun *open, uint64_t much, uint64_t *given)
{
    for (unsigned n = 0; n < DIED; n++) {
        typeof(*died) *d = &died[--n_died % DIED];
        Span *s = d->span;
        d->span = NULL;
        if (s && !give_part(s, d->part, open, much, given))
            return false;
    }
    return true;
}

void parts_sweep(Span *all, const SlotRun *open)
{
    static unsigned skip; /* where all is alive there is nothing to find: not each time anew */
    came_back = 0;
    uint64_t much = may_ask() ? excess() : 0, given = 0;
    if (much == 0 || !give_died(open, much, &given))
        return;
    if (skip > 0) {
        skip--;
        return;
    }
    unsigned walked = 0;
    /* The youngest first. */
    for (Span *s = all; s; s = s->next, walked++)
        for (unsigned k = 0; s->slot_size && k < s->len / PART_BYTES; k++)
            if (!give_part(s, k, open, much, &given))
                return;
    skip = walked / 16;
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
    /* Some runs are best kept: they are what is used next. */
    if (in_runs <= heap_allowed / 4 || !may_give((int64_t)(len / 4096) * 2 * PAGE_NS))
        return;
    madvise((void *)(uintptr_t)base, len, MADV_DONTNEED);
    heap_dead_callback(base, len);
    in_runs -= in_runs < 2 * len ? in_runs : 2 * len;
}
