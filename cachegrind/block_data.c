/* SPDX-License-Identifier: MIT */
/*
 * Memory for the counters and records of blocks, in rows of large pieces.  Runs are counted where
 * shadow begins: translated code reaches the first 2 GiB of it with a displacement from GS.
 */
#include "block_data.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "cache_sim.h"
#include "cost_table.h"

enum { PIECE = 4 << 20, ALIGN = 8, IR_INSN_MOST = 1024, NEAR_BEGIN = 0x1000 };

/** Memory that is handed out from its beginning; it is never freed. */
typedef struct Piece {
    uint8_t *at, *end;
} Piece;
static Piece counter_piece, record_piece, runs_piece;

/** See to it that the next @p most bytes are in one piece. */
static void piece_reserve(Piece *p, size_t most)
{
    if ((size_t)(p->end - p->at) >= most)
        return;
    size_t size = most > PIECE ? most : PIECE;
    p->at = calloc(1, size);
    CHECK(p->at, "out of memory");
    p->end = p->at + size;
}

/** Likewise for counters of runs, which are one piece that grows. */
static void runs_reserve(size_t most)
{
    Piece *p = &runs_piece;
    if (!p->at)
        p->at = p->end = gimle_shadow(NEAR_BEGIN);
    while ((size_t)(p->end - p->at) < most) {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
        CHECK(p->end + PIECE <= gimle_shadow(CACHE_SIM_D1_TIMES), "no room for more counters");
        CHECK(mmap(p->end, PIECE, PROT_READ | PROT_WRITE, flags, -1, 0) == p->end, "out of memory");
        p->end += PIECE;
    }
}

static void *piece_take(Piece *p, size_t size)
{
    uint8_t *at = p->at;
    p->at += (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    CHECK(p->at <= p->end, "a block's counters need %zu bytes", size);
    return at;
}

Block *block_begin(GuestAddr base, uint32_t n)
{
    size_t most = ((size_t)n + 16) * IR_INSN_MOST;
    piece_reserve(&counter_piece, most);
    piece_reserve(&record_piece, most);
    runs_reserve(most);
    Block *b = piece_take(&record_piece, sizeof *b);
    b->runs = (uint64_t *)(void *)runs_piece.at;
    b->counters = (uint64_t *)(void *)counter_piece.at;
    b->base = base;
    return b;
}

uint32_t block_runs(Block *b)
{
    piece_take(&runs_piece, sizeof(uint64_t));
    return b->n_runs++;
}

GuestAddr block_runs_at(const Block *b, uint32_t runs)
{
    return (GuestAddr)(uintptr_t)(b->runs + runs) - GIMLE_SHADOW_DELTA;
}

static uint32_t block_counters(Block *b, uint32_t n)
{
    uint32_t first = b->n_counters;
    piece_take(&counter_piece, n * sizeof(uint64_t));
    b->n_counters += n;
    return first;
}

void *block_item(Block *b, ItemKind kind, size_t size, uint32_t n, uint32_t counters)
{
    Item *i = piece_take(&record_piece, size);
    *i = (Item){ .kind = (uint16_t)kind, .n = (uint16_t)n,
                 .len = (uint32_t)(record_piece.at - (uint8_t *)i),
                 .back = (uint32_t)((uint8_t *)i - (uint8_t *)b) };
    i->counter = counters ? block_counters(b, counters) : 0;
    return i;
}

void block_note_insn(Block *b, GuestAddr a)
{
    int64_t page = (int64_t)(a >> BLOCK_PAGE_BITS) - (int64_t)(b->base >> BLOCK_PAGE_BITS);
    for (uint32_t k = 0; k < b->n_pages && k < BLOCK_PAGES; k++)
        if (b->page[k] == page)
            return;
    if (page != (int32_t)page)
        b->n_pages = BLOCK_PAGES;
    if (b->n_pages < BLOCK_PAGES)
        b->page[b->n_pages] = (int32_t)page;
    b->n_pages++;
}

void block_end(Block *b, IrData data[IR_DATA_KINDS])
{
    b->len = (uint32_t)(record_piece.at - (uint8_t *)b);
    data[IR_DATA_COUNTERS] = (IrData){ (uint8_t *)b->counters, b->n_counters * 8 };
    data[IR_DATA_RECORD] = (IrData){ (uint8_t *)b, b->len };
    data[IR_DATA_NEAR] = (IrData){ (uint8_t *)(uintptr_t)block_runs_at(b, 0), b->n_runs * 8 };
    cost_add_block(b);
}

bool block_place(void *ctx, GuestAddr addr, IrData data[IR_DATA_KINDS])
{
    IrData *counters = &data[IR_DATA_COUNTERS], *record = &data[IR_DATA_RECORD];
    IrData *runs = &data[IR_DATA_NEAR];
    (void)ctx;
    (void)addr;
    if (record->len < sizeof(Block))
        return false;
    piece_reserve(&counter_piece, counters->len + ALIGN);
    piece_reserve(&record_piece, record->len + ALIGN);
    runs_reserve(runs->len + ALIGN);
    counters->base = piece_take(&counter_piece, counters->len);
    Block *b = piece_take(&record_piece, record->len);
    memcpy(b, record->base, record->len);
    if (b->len != record->len || b->n_counters * sizeof(uint64_t) != counters->len ||
        b->n_runs * sizeof(uint64_t) != runs->len)
        return false;
    b->counters = (uint64_t *)(void *)counters->base;
    b->runs = piece_take(&runs_piece, runs->len);
    runs->base = (uint8_t *)(uintptr_t)block_runs_at(b, 0);
    record->base = (uint8_t *)b;
    cost_add_block(b);
    return true;
}
