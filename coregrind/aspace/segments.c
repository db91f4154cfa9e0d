/* SPDX-License-Identifier: MIT */
/*
 * A sorted array: lookups are binary searches, and the few thousand mappings that even large
 * programs have make insertion by moving the tail cheap.  Invariant: sorted, disjoint, page
 * aligned, neighbours with equal attributes merged.
 */
#include "segments.h"

#include <string.h>
#include <sys/mman.h>

#include "base/hashmap.h"
#include "base/vec.h"

static VEC(Segment) seg_table;
static VEC(char *) seg_paths;

size_t segments_index(GuestAddr a)
{
    size_t lo = 0, hi = seg_table.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (seg_table.data[mid].end <= a)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

size_t segments_count(void) { return seg_table.n; }
Segment *segments_at(size_t i) { return &seg_table.data[i]; }

Segment *segments_find(GuestAddr a)
{
    static size_t last; /* where the last one was: who asks about code asks about the same again */
    size_t i = last;
    if (i >= seg_table.n || a < seg_table.data[i].start || a >= seg_table.data[i].end)
        last = i = segments_index(a);
    return i < seg_table.n && seg_table.data[i].start <= a ? &seg_table.data[i] : NULL;
}

/** The part of @p s from @p start to @p end. */
static Segment segment_part(const Segment *s, GuestAddr start, GuestAddr end)
{
    Segment p = *s;
    p.start = start;
    p.end = end;
    if (s->flags & SEG_FILE)
        p.offset = s->offset + (start - s->start);
    return p;
}

/** Make @p a a boundary if it is inside a segment. */
static void segments_split(GuestAddr a)
{
    size_t i = segments_index(a);
    if (i == seg_table.n || seg_table.data[i].start >= a)
        return;
    Segment left = segment_part(&seg_table.data[i], seg_table.data[i].start, a);
    seg_table.data[i] = segment_part(&seg_table.data[i], a, seg_table.data[i].end);
    vec_insert(&seg_table, i, left);
}

static bool segments_mergeable(const Segment *a, const Segment *b)
{
    return a->end == b->start && a->prot == b->prot && a->flags == b->flags &&
           a->path == b->path && a->ino == b->ino && a->dev == b->dev &&
           (!(a->flags & SEG_FILE) || a->offset + (a->end - a->start) == b->offset);
}

/** Merge segment @p i with its right neighbour if possible. */
static void segments_merge(size_t i)
{
    if (i + 1 < seg_table.n && segments_mergeable(&seg_table.data[i], &seg_table.data[i + 1])) {
        seg_table.data[i].end = seg_table.data[i + 1].end;
        vec_remove(&seg_table, i + 1);
    }
}

void segments_remove(GuestAddr start, GuestAddr end)
{
    segments_split(start);
    segments_split(end);
    size_t i = segments_index(start), n = i;
    while (n < seg_table.n && seg_table.data[n].end <= end)
        n++;
    if (n > i) {
        memmove(&seg_table.data[i], &seg_table.data[n], (seg_table.n - n) * sizeof(Segment));
        seg_table.n -= n - i;
    }
}

void segments_add(const Segment *s)
{
    Segment new = *s;
    if (s->prot != PROT_NONE)
        new.flags |= SEG_OPENED;
    segments_remove(s->start, s->end);
    size_t i = segments_index(s->start);
    vec_insert(&seg_table, i, new);
    segments_merge(i);
    if (i > 0)
        segments_merge(i - 1);
}

void segments_protect(GuestAddr start, GuestAddr end, int prot)
{
    segments_split(start);
    segments_split(end);
    size_t i = segments_index(start);
    for (size_t k = i; k < seg_table.n && seg_table.data[k].end <= end; k++) {
        seg_table.data[k].prot = prot;
        if (prot != PROT_NONE)
            seg_table.data[k].flags |= SEG_OPENED;
    }
    for (size_t k = segments_index(end) + 1; k-- > i;)
        if (k < seg_table.n)
            segments_merge(k);
    if (i > 0)
        segments_merge(i - 1);
}

bool segments_is_free(GuestAddr start, GuestAddr end)
{
    size_t i = segments_index(start);
    return i == seg_table.n || seg_table.data[i].start >= end;
}

bool segments_is_mapped(GuestAddr start, GuestAddr end)
{
    for (size_t i = segments_index(start); start < end; i++) {
        if (i == seg_table.n || seg_table.data[i].start > start)
            return false;
        start = seg_table.data[i].end;
    }
    return true;
}

GuestAddr segments_find_free(size_t len, GuestAddr min, GuestAddr top)
{
    for (size_t i = segments_index(top);; i--) {
        if (i < seg_table.n && seg_table.data[i].start < top)
            top = seg_table.data[i].start;
        GuestAddr below = i > 0 ? seg_table.data[i - 1].end : 0;
        if (below < min)
            below = min;
        if (top > below && top - below >= len)
            return top - len;
        if (i == 0 || below == min)
            return 0;
    }
}

const char *segments_intern_path(const char *path)
{
    for (size_t i = seg_paths.n; i-- > 0;)
        if (strcmp(seg_paths.data[i], path) == 0)
            return seg_paths.data[i];
    char *copy = strdup(path);
    CHECK(copy != NULL);
    vec_push(&seg_paths, copy);
    return copy;
}
