/* SPDX-License-Identifier: MIT */
/* A sorted list of mapped ranges, each with the context that mapped it. */
#include "page_profile.h"

#include <sys/mman.h>
#include <unistd.h>

#include "alloc_tree.h"
#include "base/vec.h"
#include "snapshots.h"

typedef struct Range {
    GuestAddr start, end;
    Context *context;
} Range;

static VEC(Range) ranges;

/** Index of the first range that ends above @p a. */
static size_t find(GuestAddr a)
{
    size_t lo = 0, hi = ranges.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (ranges.data[mid].end > a)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/** Remove the part of range @p i that is in [a, end). */
static void cut(size_t i, GuestAddr a, GuestAddr end)
{
    Range r = ranges.data[i];
    GuestAddr lo = r.start > a ? r.start : a, hi = r.end < end ? r.end : end;
    if (!context_is_ignored(r.context)) {
        snapshot_before_shrink();
        context_add(r.context, -(int64_t)(hi - lo));
        ms_totals_add_heap(-(int64_t)(hi - lo), 0);
        snapshot_after_change();
    }
    vec_remove(&ranges, i);
    if (hi < r.end)
        vec_insert(&ranges, i, ((Range){ hi, r.end, r.context }));
    if (r.start < lo)
        vec_insert(&ranges, i, ((Range){ r.start, lo, r.context }));
}

static void add_range(GuestAddr a, size_t len, Context *c)
{
    vec_insert(&ranges, find(a), ((Range){ a, a + len, c }));
    if (context_is_ignored(c))
        return;
    context_add(c, (int64_t)len);
    ms_totals_add_heap((int64_t)len, 0);
    snapshot_after_change();
}

/** The first thread's stack is mapped as a whole, but only what was used of it counts. */
static GuestAddr stack_lowest, stack_used;

static bool is_used(GuestAddr page, size_t size)
{
    unsigned char resident = 0;
    return mincore((void *)(uintptr_t)page, size, &resident) == 0 && (resident & 1);
}

void pages_stack_grown(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    GuestAddr a = stack_used;
    while (a > stack_lowest && is_used(a - page, page))
        a -= page;
    size_t more = stack_used - a;
    stack_used = a;
    if (more)
        add_range(a, more, context_here(gimle_thread_self(), false));
}

static bool is_first_stack(MemWhy why, GuestAddr a)
{
    GuestMapping m;
    return why == MEM_STARTUP && gimle_mapping_at(a, &m) && m.is_stack;
}

void pages_unmapped(GuestAddr a, size_t len)
{
    GuestAddr end = a + len;
    pages_stack_grown();
    for (size_t i = find(a); i < ranges.n && ranges.data[i].start < end; i = find(a))
        cut(i, a, end);
}

void pages_mapped(MemWhy why, GuestAddr a, size_t len)
{
    if (why == MEM_STACK_GROW || why == MEM_SIGNAL_FRAME || len == 0)
        return;
    if (is_first_stack(why, a)) {
        stack_lowest = a;
        stack_used = a + len;
        return;
    }
    pages_unmapped(a, len);
    add_range(a, len, context_here(why == MEM_STARTUP ? NULL : gimle_thread_self(), false));
}
