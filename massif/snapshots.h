/* SPDX-License-Identifier: MIT */
/*
 * When memory is recorded: normal snapshots at intervals that grow as the table fills up, and a
 * peak snapshot whenever memory is about to shrink from more than was ever recorded.
 */
#ifndef MASSIF_SNAPSHOTS_H
#define MASSIF_SNAPSHOTS_H

#include "alloc_tree.h"
#include "massif.h"

/** Memory in use now. */
typedef struct Totals {
    uint64_t heap, extra, stacks; /**< bytes asked for, added by the allocator, of stacks */
    uint64_t traffic;             /**< bytes allocated and freed so far: time with --time-unit=B */
} Totals;

extern Totals ms_totals;

typedef struct Snapshot {
    uint64_t time;
    uint64_t heap, extra, stacks;
    bool peak;
    TreeSizes *tree; /**< detailed: bytes by context */
} Snapshot;

/** Add to the heap's totals (differences may be negative). */
void ms_totals_add_heap(int64_t heap, int64_t extra);

/** Memory is about to shrink: record it if it is a new peak. */
void snapshot_before_shrink(void);
/** Memory has changed: record it if it is time to. */
void snapshot_after_change(void);
/** Record the beginning, once: nothing in use at time 0. */
void snapshot_first(void);

/** Would the functions above record now (at time @p now)?  Callable from light helpers. */
bool snapshot_peak_is_due(void);
bool snapshot_is_due(uint64_t now);

/** Memory as it is now, which is not recorded; the tree, if @p detailed, is the caller's. */
Snapshot snapshot_now(bool detailed);

/** What was recorded so far. */
const Snapshot *snapshots_all(unsigned *n);

#endif
