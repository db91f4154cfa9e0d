/* SPDX-License-Identifier: MIT */
/* The table of the client's mappings: sorted, non-overlapping ranges with equal attributes each. */
#ifndef COREGRIND_SEGMENTS_H
#define COREGRIND_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gimle/memory.h"

/** Attribute bits of a segment. */
enum {
    SEG_FILE = 1, SEG_SHARED = 2, SEG_STACK = 4, SEG_ARENA = 8, SEG_BRK = 16, SEG_GROWSDOWN = 32,
    SEG_OPENED = 64 /**< prot has not always been PROT_NONE; kept by the table itself */
};

typedef struct Segment {
    GuestAddr start, end;
    int prot;          /**< as the client asked */
    unsigned flags;    /**< SEG_* */
    uint64_t offset;   /**< of start in the file */
    uint64_t dev, ino;
    const char *path;  /**< interned; NULL if anonymous */
} Segment;

/** Index of the first segment that ends above @p a (may be the count). Caller holds LOCK_aspace. */
size_t segments_index(GuestAddr a);
size_t segments_count(void);
Segment *segments_at(size_t i);
/** The segment that contains @p a, or NULL. */
Segment *segments_find(GuestAddr a);
/** Cut whatever is in [start, end) out of the table. */
void segments_remove(GuestAddr start, GuestAddr end);
/** Put @p s in (its range is cut out first), merging with equal neighbours. */
void segments_add(const Segment *s);
/** Change protection of the pieces in [start, end). */
void segments_protect(GuestAddr start, GuestAddr end, int prot);
/** True if nothing is mapped in [start, end). */
bool segments_is_free(GuestAddr start, GuestAddr end);
/** True if all of [start, end) is mapped. */
bool segments_is_mapped(GuestAddr start, GuestAddr end);
/** Highest free range of @p len bytes that ends at or below @p top and starts at or above @p min; 0 if none. */
GuestAddr segments_find_free(size_t len, GuestAddr min, GuestAddr top);
/** The one copy of @p path. */
const char *segments_intern_path(const char *path);

#endif
