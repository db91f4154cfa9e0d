/* SPDX-License-Identifier: MIT */
/*
 * The rules were found by looking at the addresses that programs get (docs/design/profilers.md).
 *
 * Areas of 4 MiB, or of whole pages for what does not fit into one, are cut into pieces; a piece costs
 * OVERHEAD and a rest smaller than that is not cut off.  Free pieces are in rings by size class.
 * A search goes around the rings from their heads, and the first piece that is large enough is it.  A piece
 * that leaves a ring hands the head to the one before it, and from there to the lowest address nearby.
 */
#include "placement.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/vec.h"

enum {
    UNIT = 16, OVERHEAD = 32, PAGE = 4096, AREA = 4 << 20,
    FIRST_BLOCK = 48,   /**< from the beginning of an area to where its first block begins */
    AREA_COST = 64,     /**< bytes of an area that one block in it cannot have */
    EXACT_CLASSES = 64, /**< classes of one size each, 0, 16 and so on */
    CLASSES = 112, NEARBY = 5,
};
/** Where areas begin: it matters only for blocks aligned to more than a page. */
static const uint64_t lowest_address = 0x4a42000;

/** The largest size of each class after the exact ones, in units; the last class has no limit. */
static const uint16_t largest_units[] = {
    66, 69, 73, 76, 80, 84, 89, 93, 98, 103, 108, 113, 119, 125, 132, 138, 152, 168, 184, 203, 223, 246,
    271, 298, 328, 361, 397, 437, 481, 529, 582, 640, 769, 923, 1108, 1330, 1596, 1915, 2299, 2759, 3311,
    3973, 4768, 5722, 6867, 8240, 9889,
};
_Static_assert(sizeof largest_units / sizeof largest_units[0] == CLASSES - EXACT_CLASSES - 1, "each class has one");

struct Piece {
    uint64_t addr, bytes;  /**< as the program sees it */
    Piece *below, *above;  /**< neighbours in the area */
    Piece *next, *before;  /**< in the ring, if free */
    bool is_free;
    bool is_alone;         /**< its area is of its size and goes with it */
};

typedef struct Area {
    uint64_t start, bytes;
} Area;

static Arena arena;
static Piece *unused;        /**< records, linked by next */
static VEC(Area) areas;      /**< by address */
static Piece *head[CLASSES];
static uint64_t has_pieces[(CLASSES + 63) / 64];
static Piece *spare;         /**< an area that became free as a whole; the next one that does drives it out */

/* ---- classes and rings ----------------------------------------------------------------------------- */

static unsigned class_of(uint64_t bytes)
{
    uint64_t units = bytes / UNIT;
    if (units < EXACT_CLASSES)
        return (unsigned)units;
    unsigned lo = 0, hi = CLASSES - EXACT_CLASSES - 1;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (largest_units[mid] < units)
            lo = mid + 1;
        else
            hi = mid;
    }
    return EXACT_CLASSES + lo;
}

/** The first class from @p c on that has pieces, or CLASSES. */
static unsigned next_class(unsigned c)
{
    for (unsigned word = c / 64; word < sizeof has_pieces / sizeof has_pieces[0]; word++) {
        uint64_t bits = has_pieces[word];
        if (word == c / 64)
            bits &= ~0ULL << c % 64;
        if (bits)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return CLASSES;
}

static void ring_enter(Piece *p)
{
    unsigned c = class_of(p->bytes);
    Piece *h = head[c];
    p->is_free = true;
    if (!h) {
        head[c] = p->next = p->before = p;
        has_pieces[c / 64] |= 1ULL << c % 64;
        return;
    }
    p->before = h->before;
    p->next = h;
    h->before->next = p;
    h->before = p;
}

static Piece *lowest_nearby(Piece *p)
{
    Piece *lowest = p, *up = p, *down = p;
    for (int i = 0; i < NEARBY; i++) {
        up = up->next;
        down = down->before;
        lowest = up->addr < lowest->addr ? up : lowest;
        lowest = down->addr < lowest->addr ? down : lowest;
    }
    return lowest;
}

static void ring_leave(Piece *p)
{
    unsigned c = class_of(p->bytes);
    p->is_free = false;
    if (p == spare)
        spare = NULL;
    if (p->next == p) {
        head[c] = NULL;
        has_pieces[c / 64] &= ~(1ULL << c % 64);
        return;
    }
    p->before->next = p->next;
    p->next->before = p->before;
    head[c] = lowest_nearby(p->before);
}

static Piece *ring_find(uint64_t bytes)
{
    for (unsigned c = next_class(class_of(bytes)); c < CLASSES; c = next_class(c + 1)) {
        Piece *p = head[c];
        do {
            if (p->bytes >= bytes)
                return p;
            p = p->next;
        } while (p != head[c]);
    }
    return NULL;
}

/* ---- pieces and areas ------------------------------------------------------------------------------ */

static Piece *record_new(uint64_t addr, uint64_t bytes)
{
    Piece *p = unused;
    if (p)
        unused = p->next;
    else
        p = arena_new(&arena, Piece);
    *p = (Piece){ .addr = addr, .bytes = bytes };
    return p;
}

static void record_drop(Piece *p)
{
    p->next = unused;
    unused = p;
}

/** Make @p p end at @p addr; the rest is a piece of its own, in no ring. */
static Piece *cut(Piece *p, uint64_t addr)
{
    Piece *rest = record_new(addr, p->addr + p->bytes - addr);
    p->bytes = addr - OVERHEAD - p->addr;
    rest->below = p;
    rest->above = p->above;
    if (p->above)
        p->above->below = rest;
    return p->above = rest;
}

/** Two free neighbours become one. */
static Piece *join(Piece *low, Piece *high)
{
    low->bytes = high->addr + high->bytes - low->addr;
    low->above = high->above;
    if (high->above)
        high->above->below = low;
    record_drop(high);
    ring_enter(low);
    return low;
}

static void area_drop(Piece *p)
{
    size_t i = 0;
    while (areas.data[i].start + FIRST_BLOCK != p->addr)
        i++;
    vec_remove(&areas, i);
    record_drop(p);
}

static void drop_spare(void)
{
    Piece *p = spare;
    if (!p)
        return;
    ring_leave(p);
    area_drop(p);
}

/** The lowest gap that is large enough. */
static Piece *area_new(uint64_t bytes, bool may_be_alone)
{
    drop_spare();
    uint64_t size = (bytes + AREA_COST + PAGE - 1) & ~(uint64_t)(PAGE - 1), at = lowest_address;
    size = size < AREA ? AREA : size;
    size_t i = 0;
    while (i < areas.n && areas.data[i].start - at < size) {
        at = areas.data[i].start + areas.data[i].bytes;
        i++;
    }
    vec_insert(&areas, i, ((Area){ at, size }));
    Piece *p = record_new(at + FIRST_BLOCK, size - AREA_COST);
    p->is_alone = may_be_alone && size > AREA;
    ring_enter(p);
    return p;
}

/** A piece of at least @p bytes, out of its ring. */
static Piece *take(uint64_t bytes, bool may_be_alone)
{
    Piece *p = ring_find(bytes);
    if (!p)
        p = area_new(bytes, may_be_alone);
    ring_leave(p);
    if (!p->is_alone && p->bytes - bytes >= OVERHEAD)
        ring_enter(cut(p, p->addr + bytes + OVERHEAD));
    return p;
}

Piece *piece_new(uint64_t size, uint64_t align)
{
    uint64_t bytes = (size + UNIT - 1) & ~(uint64_t)(UNIT - 1);
    if (align <= UNIT)
        return take(bytes, true);
    Piece *front = take(bytes + align + OVERHEAD, false);
    Piece *p = cut(front, (front->addr + OVERHEAD + align - 1) & ~(align - 1));
    ring_enter(front);
    return p;
}

uint64_t piece_usable(const Piece *p) { return p->bytes; }

void piece_free(Piece *p)
{
    if (p->is_alone) {
        area_drop(p);
        return;
    }
    ring_enter(p);
    if (p->above && p->above->is_free) {
        ring_leave(p);
        ring_leave(p->above);
        p = join(p, p->above);
    }
    if (p->below && p->below->is_free) {
        ring_leave(p);
        ring_leave(p->below);
        p = join(p->below, p);
    }
    if (!p->below && !p->above) {
        if (spare != p)
            drop_spare();
        spare = p;
    }
}
