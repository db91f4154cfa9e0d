/* SPDX-License-Identifier: MIT */
/*
 * The table of snapshots.  When it is full, half of them go: always the one whose neighbours are
 * closest in time, never the first, the last or the peak.  The smallest distance that is left is then
 * the least time between two snapshots to come.  These rules are those of Valgrind's Massif,
 * so that snapshots are of the same moments.
 */
#include "snapshots.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "instrument.h"

Totals ms_totals;

static Snapshot *table;
static unsigned count;
static uint64_t next_time;       /**< no normal snapshot before this */
static uint64_t interval;        /**< least time between two */
static unsigned since_detailed;  /**< snapshots since the last detailed one */
static uint64_t peak_bytes;      /**< of the last recorded peak */
static uint64_t peak_bound;      /**< what another must exceed */

void ms_totals_add_heap(int64_t heap, int64_t extra)
{
    int64_t all = heap + extra;
    ms_totals.heap += (uint64_t)heap;
    ms_totals.extra += (uint64_t)extra;
    ms_totals.traffic += (uint64_t)(all < 0 ? -all : all);
}

static uint64_t milliseconds(void)
{
    static uint64_t start;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
    if (start == 0)
        start = ms;
    return ms - start;
}

static uint64_t time_now(void)
{
    switch ((TimeUnit)ms_options.time_unit) {
    case TIME_MS:
        return milliseconds();
    case TIME_BYTES:
        return ms_totals.traffic;
    default:
        return instructions_executed();
    }
}

/* ---- thinning ---------------------------------------------------------------------------------- */

/** Remove the normal snapshot whose neighbours are closest. */
static bool remove_least(void)
{
    unsigned least = 0;
    uint64_t least_span = UINT64_MAX;
    for (unsigned i = 1; i + 1 < count; i++) {
        uint64_t span = table[i + 1].time - table[i - 1].time;
        if (!table[i].peak && span < least_span) {
            least = i;
            least_span = span;
        }
    }
    if (least == 0)
        return false;
    tree_sizes_free(table[least].tree);
    memmove(&table[least], &table[least + 1], (count - least - 1) * sizeof *table);
    count--;
    return true;
}

/** May never be removed. */
static bool is_fixed(unsigned i) { return i == 0 || i + 1 == count || table[i].peak; }

static void thin_out(void)
{
    unsigned goal = count - (unsigned)ms_options.max_snapshots / 2;
    while (count > goal && remove_least())
        continue;
    interval = UINT64_MAX;
    for (unsigned i = 1; i < count; i++) {
        uint64_t span = table[i].time - table[i - 1].time;
        if (!(is_fixed(i) && is_fixed(i - 1)) && span < interval)
            interval = span;
    }
    if (interval == UINT64_MAX)
        interval = 0;
}

/* ---- recording ----------------------------------------------------------------------------------- */

static Snapshot snapshot_at(uint64_t now, bool detailed)
{
    Snapshot s = { .time = now, .heap = ms_totals.heap, .extra = ms_totals.extra, .stacks = ms_totals.stacks };
    if (detailed) {
        s.tree = tree_sizes_copy();
        s.heap = tree_sizes_total(s.tree);
    }
    return s;
}

Snapshot snapshot_now(bool detailed) { return snapshot_at(time_now(), detailed); }

static void record(uint64_t now, bool peak, bool detailed)
{
    if (!table) {
        table = calloc((size_t)ms_options.max_snapshots, sizeof *table);
        CHECK(table, "out of memory");
    }
    table[count++] = snapshot_at(now, detailed);
    since_detailed = detailed ? 0 : since_detailed + 1;
    if (peak) {
        for (unsigned i = 0; i < count; i++)
            table[i].peak = false;
        table[count - 1].peak = true;
        peak_bytes = ms_totals.heap + ms_totals.extra + ms_totals.stacks;
        peak_bound = peak_bytes + (uint64_t)((double)peak_bytes * ms_options.peak_inaccuracy / 100);
    }
    if (count == (unsigned)ms_options.max_snapshots)
        thin_out();
    next_time = now + interval;
}

GIMLE_LIGHT bool snapshot_peak_is_due(void)
{
    return ms_totals.heap + ms_totals.extra + ms_totals.stacks > peak_bound;
}

GIMLE_LIGHT bool snapshot_is_due(uint64_t now) { return now >= next_time; }

void snapshot_first(void)
{
    if (count == 0)
        record(time_now(), false, ms_options.detailed_freq == 1);
}

void snapshot_before_shrink(void)
{
    if (snapshot_peak_is_due())
        record(time_now(), true, true);
}

void snapshot_after_change(void)
{
    uint64_t now = time_now();
    if (snapshot_is_due(now))
        record(now, false, since_detailed + 1 >= (unsigned)ms_options.detailed_freq);
}

const Snapshot *snapshots_all(unsigned *n)
{
    *n = count;
    return table;
}
