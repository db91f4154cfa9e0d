/* SPDX-License-Identifier: MIT */
/*
 * What a translated block refers to: its counters, and a record that says what they count.  The
 * record has no addresses of this process but that of its counters, so that
 * translations can be kept on disk with it (mode.h, IrBlock.data).
 */
#ifndef CACHEGRIND_BLOCK_DATA_H
#define CACHEGRIND_BLOCK_DATA_H

#include "references.h"

enum { BLOCK_PAGES = 8, BLOCK_PAGE_BITS = 12 };

/**
 * The beginning of a record; items follow it.  How often stretches run is counted apart from what
 * is rare: these words are dense in the host's cache.
 */
typedef struct Block {
    uint64_t *runs;           /**< of stretches */
    uint64_t *counters;       /**< of other items */
    uint32_t n_runs, n_counters;
    uint32_t len;             /**< bytes of the record */
    uint32_t n_pages;         /**< pages that its instructions begin in; more than BLOCK_PAGES: many */
    int32_t page[BLOCK_PAGES]; /**< page numbers from that of base */
    GuestAddr base;
} Block;

typedef enum ItemKind {
    ITEM_STRETCH,     /**< Stretch; its runs are apart */
    ITEM_FETCH,       /**< Fetch; misses of I1 and LL */
    ITEM_GROUP,       /**< Group; misses of D1 and LL, for each of its accesses */
    ITEM_LANES,       /**< LaneRefs; accesses, misses of D1 and LL */
    ITEM_CONDITIONAL, /**< Branch; mispredictions */
    ITEM_INDIRECT,    /**< Branch; mispredictions */
    ITEM_REPEATED     /**< Branch; instructions and branches besides the stretch's, mispredictions */
} ItemKind;

typedef struct Item {
    uint16_t kind, n; /**< ItemKind; elements */
    uint32_t len;     /**< bytes from here to the next item */
    uint32_t back;    /**< bytes from the beginning of the record */
    uint32_t counter; /**< number of its first counter; of a stretch: of its runs */
} Item;

/** How often an instruction of a stretch does what each time. */
typedef struct StretchInsn {
    GuestAddr addr;
    uint8_t fetches, reads, writes, conditional, indirect;
} StretchInsn;

/** Straight code that runs as a whole. */
typedef struct Stretch {
    Item head;
    StretchInsn insn[];
} Stretch;

/** An instruction's fetch. */
typedef struct Fetch {
    Item head;
    GuestAddr addr;
    uint64_t size;
} Fetch;

/** An access of a group. */
typedef struct GroupRef {
    GuestAddr insn;
    Ref ref;
} GroupRef;

/** Accesses one after another, at offsets from one address. simulate_amd64.S knows the layout. */
typedef struct Group {
    Item head;
    int32_t lo;    /**< offset of the first byte */
    uint32_t span; /**< from there to the last byte */
    GroupRef ref[];
} Group;

/** Accesses lane by lane. */
typedef struct LaneRefs {
    Item head;
    GuestAddr addr;
    Lanes lanes;
} LaneRefs;

typedef struct Branch {
    Item head;
    GuestAddr addr;
} Branch;

/** The block that item @p i is of. */
static inline __attribute__((always_inline, target("general-regs-only"))) const Block *
item_block(const Item *i)
{
    return (const Block *)(const void *)((const char *)i - i->back);
}

/** The counters of item @p i, not a stretch. */
static inline __attribute__((always_inline, target("general-regs-only"))) uint64_t *
item_counters(const Item *i)
{
    return item_block(i)->counters + i->counter;
}

/** Begin the record of the block at @p base, which has @p n IR instructions. */
Block *block_begin(GuestAddr base, uint32_t n);
/** A counter of runs more; its number. */
uint32_t block_runs(Block *b);
/** Where translated code finds that counter: an address of SPACE_SHADOW. */
GuestAddr block_runs_at(const Block *b, uint32_t runs);
/** An item more, of @p size bytes with @p n elements, and its counters. */
void *block_item(Block *b, ItemKind kind, size_t size, uint32_t n, uint32_t counters);
/** An instruction begins at @p a. */
void block_note_insn(Block *b, GuestAddr a);
/** The record is complete; where its parts are. */
void block_end(Block *b, IrData data[IR_DATA_KINDS]);
/** VexMode.place(). */
bool block_place(void *ctx, GuestAddr addr, IrData data[IR_DATA_KINDS]);

#endif
