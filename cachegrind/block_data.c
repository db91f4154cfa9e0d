/* SPDX-License-Identifier: MIT */
/* Memory for the counters and records of blocks, in two rows of large pieces. */
#include "block_data.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "cost_table.h"

enum { PIECE = 4 << 20, ALIGN = 8, IR_INSN_MOST = 1024 };

/** Memory that is handed out from its beginning; it is never freed. */
typedef struct Piece {
    uint8_t *at, *end;
} Piece;
static Piece counter_piece, record_piece;

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
    Block *b = piece_take(&record_piece, sizeof *b);
    b->counters = (uint64_t *)(void *)counter_piece.at;
    b->base = base;
    return b;
}

uint32_t block_counters(Block *b, uint32_t n)
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
    cost_add_block(b);
}

bool block_place(void *ctx, GuestAddr addr, IrData data[IR_DATA_KINDS])
{
    IrData *counters = &data[IR_DATA_COUNTERS], *record = &data[IR_DATA_RECORD];
    (void)ctx;
    (void)addr;
    if (record->len < sizeof(Block))
        return false;
    piece_reserve(&counter_piece, counters->len + ALIGN);
    piece_reserve(&record_piece, record->len + ALIGN);
    counters->base = piece_take(&counter_piece, counters->len);
    Block *b = piece_take(&record_piece, record->len);
    memcpy(b, record->base, record->len);
    if (b->len != record->len || b->n_counters * sizeof(uint64_t) != counters->len)
        return false;
    b->counters = (uint64_t *)(void *)counters->base;
    record->base = (uint8_t *)b;
    cost_add_block(b);
    return true;
}
