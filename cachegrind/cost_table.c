/* SPDX-License-Identifier: MIT */
/* Blocks with their counters, instructions by address, and lines. */
#include "cost_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hashmap.h"
#include "base/vec.h"

enum { CHUNK_BYTES = 128 };

/** What one instruction of the client has cost. */
typedef struct InsnCost {
    GuestAddr addr;
    uint64_t cost[]; /**< insn_kinds */
} InsnCost;

/** Neighbouring instructions. */
typedef struct Chunk {
    GuestAddr number; /**< address / CHUNK_BYTES */
    InsnCost *insn[CHUNK_BYTES];
} Chunk;

static Arena arena;
static HashMap chunks;  /**< number + 1 → Chunk */
static HashMap pages;   /**< page + 1 of each instruction */
static HashMap strings; /**< hash of the text → text */
static VEC(Block *) blocks;
static bool is_everywhere; /**< some block has more pages than are noted */
static VEC(LineCost) lines;

/** Costs that are kept for each instruction: all, or the number of its runs. */
static unsigned insn_kinds(void)
{
    return cg_options.cache_sim || cg_options.branch_sim ? COST_KINDS : 1;
}

static Chunk *chunk_at(GuestAddr number)
{
    static Chunk *last;
    if (last && last->number == number)
        return last;
    last = hashmap_get_ptr(&chunks, number + 1);
    if (!last) {
        last = arena_new(&arena, Chunk);
        last->number = number;
        hashmap_put(&chunks, number + 1, (uint64_t)(uintptr_t)last);
    }
    return last;
}

static InsnCost *cost_insn(GuestAddr a)
{
    InsnCost **c = &chunk_at(a / CHUNK_BYTES)->insn[a % CHUNK_BYTES];
    if (!*c) {
        *c = arena_alloc(&arena, sizeof **c + insn_kinds() * sizeof (*c)->cost[0]);
        (*c)->addr = a;
    }
    return *c;
}

void cost_add_block(Block *b)
{
    static uint64_t last;
    vec_push(&blocks, b);
    is_everywhere |= b->n_pages > BLOCK_PAGES;
    for (uint32_t i = 0; i < b->n_pages && i < BLOCK_PAGES; i++) {
        uint64_t page = (b->base >> BLOCK_PAGE_BITS) + (uint64_t)(int64_t)b->page[i];
        if (page + 1 != last)
            hashmap_put(&pages, page + 1, 1);
        last = page + 1;
    }
}

/* ---- counters become costs of instructions ---------------------------------------------------- */

/** Add @p n counters to the costs of the instruction at @p a, from @p first on. */
static void collect(GuestAddr a, unsigned first, const uint64_t *counter, unsigned n)
{
    InsnCost *c = NULL;
    for (unsigned k = 0; k < n; k++)
        if (counter[k]) {
            c = c ? c : cost_insn(a);
            c->cost[first + k] += counter[k];
        }
}

static void collect_stretch(const Stretch *s, uint64_t runs)
{
    for (uint32_t k = 0; runs && k < s->head.n; k++) {
        const StretchInsn *x = &s->insn[k];
        InsnCost *c = cost_insn(x->addr);
        c->cost[COST_IR] += runs * x->fetches;
        if (insn_kinds() == 1)
            continue;
        c->cost[COST_DR] += runs * x->reads;
        c->cost[COST_DW] += runs * x->writes;
        c->cost[COST_BC] += runs * x->conditional;
        c->cost[COST_BI] += runs * x->indirect;
    }
}

static void collect_item(const Item *i)
{
    const void *item = i;
    const Group *g = item;
    const LaneRefs *l = item;
    const Branch *b = item;
    const uint64_t *c = item_counters(i);
    switch ((ItemKind)i->kind) {
    case ITEM_STRETCH:
        collect_stretch(item, item_block(i)->runs[i->counter]);
        break;
    case ITEM_FETCH:
        collect(((const Fetch *)item)->addr, COST_I1MR, c, 2);
        break;
    case ITEM_GROUP:
        for (unsigned k = 0; k < i->n; k++)
            collect(g->ref[k].insn, g->ref[k].ref.kind + 1u, c + 2 * k, 2);
        break;
    case ITEM_LANES:
        collect(l->addr, l->lanes.kind, c, 3);
        break;
    case ITEM_CONDITIONAL:
        collect(b->addr, COST_BCM, c, 1);
        break;
    case ITEM_INDIRECT:
        collect(b->addr, COST_BIM, c, 1);
        break;
    case ITEM_REPEATED:
        collect(b->addr, COST_IR, c, 1);
        collect(b->addr, COST_BC, c + 1, 2);
        break;
    }
}

static bool any_of(const uint64_t *counter, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (counter[i])
            return true;
    return false;
}

static void collect_blocks(void)
{
    for (size_t i = 0; i < blocks.n; i++) {
        const Block *b = blocks.data[i];
        if (!any_of(b->runs, b->n_runs) && !any_of(b->counters, b->n_counters))
            continue;
        const char *p = (const char *)(b + 1), *end = (const char *)b + b->len;
        for (; p < end; p += ((const Item *)(const void *)p)->len)
            collect_item((const Item *)(const void *)p);
        memset(b->runs, 0, b->n_runs * sizeof *b->runs);
        memset(b->counters, 0, b->n_counters * sizeof *b->counters);
    }
}

/* ---- lines ------------------------------------------------------------------------------------ */

/** The same pointer for the same text. */
static const char *intern(const char *s)
{
    uint64_t h = 1469598103934665603ULL;
    for (const char *p = s; *p; p++)
        h = (h ^ (uint8_t)*p) * 1099511628211ULL;
    for (h |= 1;; h += 2) {
        const char *known = hashmap_get_ptr(&strings, h);
        if (known && strcmp(known, s) == 0)
            return known;
        if (!known) {
            known = arena_strdup(&arena, s);
            hashmap_put(&strings, h, (uint64_t)(uintptr_t)known);
            return known;
        }
    }
}

static bool is_same(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static const char *intern_or_null(const char *s) { return s ? intern(s) : NULL; }

/** The name that file @p file of directory @p dir has in the output. */
static const char *file_name(const char *dir, const char *file, Arena *tmp)
{
    static const char *last_dir, *last_file, *last_name;
    if (last_name && is_same(dir, last_dir) && is_same(file, last_file))
        return last_name; /* as that of the instruction before, most often */
    last_dir = intern_or_null(dir);
    last_file = intern_or_null(file);
    if (file && dir && *dir)
        file = arena_printf(tmp, "%s/%s", dir, file);
    last_name = intern(file ? file : "???");
    return last_name;
}

/** Line of the innermost code, function that it was compiled into; up to where that is so. */
static GuestAddr describe(GuestAddr a, LineCost *l, Arena *tmp)
{
    static const char *last_fn;
    CodeFrame f;
    GuestAddr end = gimle_describe_line(a, &f, tmp);
    const char *fn = f.fn ? f.fn : "???";
    l->fn = last_fn = last_fn && strcmp(fn, last_fn) == 0 ? last_fn : intern(fn);
    l->line = f.file ? f.line : 0;
    l->file = file_name(f.dir, f.file, tmp);
    return end;
}

static bool has_cost(const InsnCost *c)
{
    for (unsigned k = 0; k < insn_kinds(); k++)
        if (c->cost[k])
            return true;
    return false;
}

static bool may_have_insns(GuestAddr a, size_t len)
{
    GuestAddr first = a >> BLOCK_PAGE_BITS, last = (a + len - 1) >> BLOCK_PAGE_BITS;
    if (len == 0 || is_everywhere || last - first > pages.n)
        return len != 0;
    for (GuestAddr p = first; p <= last; p++)
        if (hashmap_get_ptr(&pages, p + 1))
            return true;
    return false;
}

static int compare_chunks(const void *a, const void *b)
{
    const Chunk *x = *(Chunk *const *)a, *y = *(Chunk *const *)b;
    return x->number < y->number ? -1 : x->number > y->number;
}

typedef VEC(Chunk *) ChunkList;

/** Those with instructions in [a, a+len), sorted. */
static ChunkList chunks_in(GuestAddr a, size_t len)
{
    ChunkList found = { 0 };
    uint64_t chunk;
    for (size_t it = 0; hashmap_next(&chunks, &it, NULL, &chunk);) {
        Chunk *c = (Chunk *)(uintptr_t)chunk;
        if ((c->number + 1) * CHUNK_BYTES > a && c->number * CHUNK_BYTES < a + len)
            vec_push(&found, c);
    }
    if (found.n)
        qsort(found.data, found.n, sizeof found.data[0], compare_chunks);
    return found;
}

/** Code that is of one line. */
typedef struct Described {
    GuestAddr first, end;
    LineCost line;
} Described;

/** The costs of @p c move to its line. */
static void settle_insn(InsnCost *c, Described *d, Arena *tmp)
{
    if (c->addr < d->first || c->addr >= d->end) {
        d->line = (LineCost){ .line = 0 };
        d->first = c->addr;
        d->end = describe(c->addr, &d->line, tmp);
    }
    LineCost l = d->line, *last = lines.n ? &lines.data[lines.n - 1] : NULL;
    if (!last || last->file != l.file || last->fn != l.fn || last->line != l.line)
        vec_push(&lines, l);
    last = &lines.data[lines.n - 1];
    for (unsigned k = 0; k < insn_kinds(); k++)
        last->cost[k] += c->cost[k];
    memset(c->cost, 0, insn_kinds() * sizeof c->cost[0]);
}

void cost_settle(GuestAddr a, size_t len)
{
    Arena tmp = { 0 };
    Described d = { 0 };
    if (!may_have_insns(a, len))
        return;
    collect_blocks();
    ChunkList found = chunks_in(a, len);
    for (size_t i = 0; i < found.n; i++)
        for (unsigned k = 0; k < CHUNK_BYTES; k++) {
            InsnCost *c = found.data[i]->insn[k];
            if (c && c->addr - a < len && has_cost(c)) {
                settle_insn(c, &d, &tmp);
                arena_reset(&tmp);
            }
        }
    arena_free(&tmp);
    vec_free(&found);
}

void cost_forget(void)
{
    uint64_t chunk;
    collect_blocks();
    for (size_t it = 0; hashmap_next(&chunks, &it, NULL, &chunk);)
        for (unsigned k = 0; k < CHUNK_BYTES; k++) {
            InsnCost *c = ((Chunk *)(uintptr_t)chunk)->insn[k];
            if (c)
                memset(c->cost, 0, insn_kinds() * sizeof c->cost[0]);
        }
}

static int compare_lines(const void *a, const void *b)
{
    const LineCost *x = a, *y = b;
    int d = x->file == y->file ? 0 : strcmp(x->file, y->file);
    if (d == 0)
        d = x->fn == y->fn ? 0 : strcmp(x->fn, y->fn);
    return d ? d : x->line < y->line ? -1 : x->line > y->line;
}

const LineCost *cost_lines(size_t *n)
{
    size_t to = 0;
    if (lines.n)
        qsort(lines.data, lines.n, sizeof lines.data[0], compare_lines);
    for (size_t i = 0; i < lines.n; i++) {
        if (to && compare_lines(&lines.data[to - 1], &lines.data[i]) == 0) {
            for (unsigned k = 0; k < COST_KINDS; k++)
                lines.data[to - 1].cost[k] += lines.data[i].cost[k];
        } else {
            lines.data[to++] = lines.data[i];
        }
    }
    *n = lines.n = to;
    return lines.data;
}
