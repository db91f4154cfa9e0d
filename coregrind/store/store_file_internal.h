/* SPDX-License-Identifier: MIT */
/* What the reading and the writing half of store_file share. */
#ifndef COREGRIND_STORE_FILE_INTERNAL_H
#define COREGRIND_STORE_FILE_INTERNAL_H

#include <sys/stat.h>

#include "base/hash.h"
#include "base/vec.h"
#include "store_file.h"

enum {
    STORE_ALIGN = 8,
    STORE_SEGMENTS = 16,         /**< a file with more is written anew */
    STORE_TOUCHED = 256 << 10,    /**< bytes to be given out before what was used is unmapped */
    STORE_FILE_MAX = 512 << 20,  /**< larger files are not looked at */
};
#define STORE_FILE_MAGIC 0x31636574656c6d67u /* "gmletec1" */
#define STORE_SEGMENT_MAGIC 0x316765735f636574u

typedef struct StoreFileHead {
    uint64_t magic, purpose;
} StoreFileHead;

typedef struct StoreSegment {
    uint64_t magic;
    uint64_t bytes; /**< of all of it, a multiple of STORE_ALIGN */
    uint64_t check; /**< hash of this structure with 0 here */
    uint32_t n;     /**< entries of the index */
    uint32_t zero;
} StoreSegment;

typedef struct StoreEntry {
    uint64_t key, check; /**< check: hash of the record, seeded with the key */
    uint64_t offset;     /**< from the segment's beginning (of pending ones: in the buffer) */
    uint64_t size;
} StoreEntry;

/** A segment of a mapped file, and where the last search in its index ended. */
typedef struct SegmentView {
    size_t at, last;
} SegmentView;

struct StoreFile {
    char name[64];
    uint64_t purpose;
    const uint8_t *map;  /**< NULL: nothing to find */
    size_t size;
    size_t touched;      /**< bytes of records given out since unmap_used() */
    VEC(SegmentView) segment; /**< oldest first */
    uint8_t *pending;    /**< records to be written */
    size_t used, cap;
    VEC(StoreEntry) entry;
};

uint64_t store_segment_check(const StoreSegment *s);
/** Regular, the effective user's, writable by nobody else? */
bool store_file_is_ours(const struct stat *st);
/** Calls @p segment (may be NULL) for each valid one; the end of the last, 0 if the head is bad. */
size_t store_file_scan(const uint8_t *map, size_t size, uint64_t purpose,
                       void (*segment)(void *ctx, size_t at), void *ctx);

#endif
