/* SPDX-License-Identifier: MIT */
/*
 * Questions asked while the program runs: which blocks a loss record of the last leak check is made of, and
 * where pointers to an address are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../errors.h"
#include "../shadow/shadow.h"
#include "base/check.h"
#include "base/vec.h"
#include "leak.h"

enum { WORD = 8, CHUNK = 64 << 10 };

/* ---- blocks of a record ------------------------------------------------------------- */

typedef struct Listing {
    const LeakHeap *heap;
    bool *shown; /**< by block */
} Listing;

/** Is @p b still what it was when the check was made? */
static bool is_live(const LeakBlock *b)
{
    HeapBlock *now = gimle_heap_find_start(b->addr);
    return now && now->size == b->size;
}

/** Index of the block that contains @p a, or heap->n. */
static size_t block_at(const LeakHeap *heap, GuestAddr a)
{
    size_t lo = 0, hi = heap->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (heap->block[mid].addr <= a)
            lo = mid + 1;
        else
            hi = mid;
    }
    bool inside = lo > 0 && a - heap->block[lo - 1].addr < (heap->block[lo - 1].size ? heap->block[lo - 1].size : 1);
    return inside ? lo - 1 : heap->n;
}

/** What is lost through block @p i, each block once. */
static void list_indirect(Listing *l, size_t i, int indent)
{
    const LeakBlock *b = &l->heap->block[i];
    GuestAddr a = (b->addr + WORD - 1) & ~(GuestAddr)(WORD - 1);
    for (; a + WORD <= b->addr + b->size; a += WORD) {
        uint64_t p;
        if (!shadow_all_defined(a, WORD) || gimle_read_guest(&p, a, WORD) != WORD)
            continue;
        size_t k = block_at(l->heap, p);
        if (k == l->heap->n || l->shown[k] || l->heap->block[k].kind != LEAK_INDIRECT ||
            !is_live(&l->heap->block[k]))
            continue;
        l->shown[k] = true;
        gimle_umsg("%*s0x%lX[%lu] indirect loss record %u\n", indent, "", (unsigned long)l->heap->block[k].addr,
                   (unsigned long)l->heap->block[k].size, leak_record_of(&l->heap->block[k]));
        list_indirect(l, k, indent + 2);
    }
}

bool leak_list_blocks(unsigned number, uint64_t limit, unsigned heuristics)
{
    const McLoss *loss = leak_record(number);
    const LeakHeap *heap = leak_last_heap();
    if (!loss)
        return false;
    Listing l = { heap, calloc(heap->n + 1, sizeof *l.shown) };
    CHECK(l.shown != NULL, "out of memory");
    mc_print_loss(loss);
    for (size_t i = 0; i < heap->n && limit > 0; i++) {
        const LeakBlock *b = &heap->block[i];
        if (leak_record_of(b) != number || !is_live(b))
            continue;
        if (heuristics && (b->heuristic == HEUR_NONE || !(heuristics >> (b->heuristic - 1) & 1)))
            continue;
        limit--;
        gimle_umsg("0x%lX[%lu]\n", (unsigned long)b->addr, (unsigned long)b->size);
        l.shown[i] = true;
        if (b->kind == LEAK_DEFINITE || b->kind == LEAK_INDIRECT)
            list_indirect(&l, i, 2);
    }
    free(l.shown);
    return true;
}

/* ---- pointers ----------------------------------------------------------------------- */

typedef struct Pointers {
    Thread *asker;
    GuestAddr a;
    uint64_t len;       /**< 1: only pointers to a itself count */
    uint64_t *buf;
    VEC(HeapBlock *) blocks;
} Pointers;

static bool points_there(const Pointers *s, uint64_t v)
{
    return v - s->a < s->len;
}

static void say_pointer(const Pointers *s, const char *where, uint64_t v)
{
    if (v == s->a)
        gimle_umsg("%s points at 0x%lx\n", where, (unsigned long)s->a);
    else
        gimle_umsg("%s interior points at %lu bytes inside 0x%lx\n", where, (unsigned long)(v - s->a),
                   (unsigned long)s->a);
}

static void scan(Pointers *s, GuestAddr start, GuestAddr end)
{
    char where[32];
    start = (start + WORD - 1) & ~(GuestAddr)(WORD - 1);
    while (start + WORD <= end) {
        size_t want = end - start < CHUNK ? end - start : CHUNK;
        size_t got = gimle_read_guest(s->buf, start, want);
        for (size_t k = 0; k < got / WORD; k++) {
            GuestAddr at = start + k * WORD;
            if (!points_there(s, s->buf[k]) || !shadow_all_defined(at, WORD))
                continue;
            snprintf(where, sizeof where, "*0x%lx", (unsigned long)at);
            say_pointer(s, where, s->buf[k]);
            mc_print_address(s->asker, at);
        }
        start = got == want ? start + want : (start + got + 4096) & ~4095ULL;
    }
}

static void add_block(void *ctx, HeapBlock *b)
{
    Pointers *s = ctx;
    if (b->kind < HEAP_CUSTOM) /* those lie in memory that is scanned anyway */
        vec_push(&s->blocks, b);
}

static int by_address(const void *x, const void *y)
{
    const HeapBlock *a = *(HeapBlock *const *)x, *b = *(HeapBlock *const *)y;
    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void look_at_registers(void *ctx, Thread *t)
{
    Pointers *s = ctx;
    char where[64];
    for (unsigned r = 0; r < gimle_guest->n_regs; r++) {
        if (gimle_guest->regs[r].cls != RC_GPR || mc_reg_vbits(t, (RegId)r, WORD))
            continue;
        uint64_t v = gimle_thread_get_reg(t, (RegId)r);
        snprintf(where, sizeof where, "tid %u register %s", gimle_thread_id(t), gimle_guest->regs[r].name);
        if (points_there(s, v))
            say_pointer(s, where, v);
    }
}

void leak_who_points_at(Thread *t, GuestAddr a, uint64_t len)
{
    Pointers s = { .asker = t, .a = a, .len = len ? len : 1, .buf = malloc(CHUNK) };
    GuestMapping m;
    CHECK(s.buf != NULL, "out of memory");
    if (len > 1)
        gimle_umsg("Searching for pointers pointing in %lu bytes from 0x%lx\n", (unsigned long)len,
                   (unsigned long)a);
    else
        gimle_umsg("Searching for pointers to 0x%lx\n", (unsigned long)a);
    for (GuestAddr at = 0; gimle_mapping_next(at, &m); at = m.end) {
        bool device = m.is_file && m.path && strncmp(m.path, "/dev/", 5) == 0;
        if ((m.prot & 3) == 3 && !m.is_heap_arena && !device)
            scan(&s, m.start, m.end);
    }
    gimle_heap_for_each(add_block, &s);
    if (s.blocks.n)
        qsort(s.blocks.data, s.blocks.n, sizeof *s.blocks.data, by_address);
    for (size_t i = 0; i < s.blocks.n; i++)
        scan(&s, s.blocks.data[i]->addr, s.blocks.data[i]->addr + s.blocks.data[i]->size);
    gimle_thread_for_each_stopped(look_at_registers, &s);
    vec_free(&s.blocks);
    free(s.buf);
}
