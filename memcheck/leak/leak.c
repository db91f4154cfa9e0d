/* SPDX-License-Identifier: MIT */
/*
 * Loss records: blocks of one kind that were allocated at the same place, with what is printed
 * of them, and the summary.
 */
#include "leak.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../errors.h"
#include "base/vec.h"
#include "leak_tree.h"

typedef struct Record {
    McLoss loss;
} Record;

typedef VEC(Record) RecordVec;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /**< a leaf */
static LeakTotals last;
/** Records of the previous check, for delta checks; sorted as made. */
static RecordVec previous;

/** The blocks of that check, if the client asked for it. */
static LeakHeap last_heap;

LeakTotals leak_last_totals(void) { return last; }
const LeakHeap *leak_last_heap(void) { return &last_heap; }

/* ---- making records ----------------------------------------------------------------- */

/** Do the stacks count as one under --leak-resolution? */
static bool same_place(const StackTrace *a, const StackTrace *b)
{
    static const unsigned depth[] = { 2, 4, 0 };
    unsigned n = depth[mc_options.leak_resolution];
    if (a == b)
        return true;
    if (n == 0 || !a || !b)
        return false;
    for (unsigned k = 0; k < n; k++) {
        bool end_a = k >= a->n, end_b = k >= b->n;
        if (end_a || end_b)
            return end_a == end_b;
        if (a->pc[k] != b->pc[k])
            return false;
    }
    return true;
}

static int compare_pc(const StackTrace *a, const StackTrace *b)
{
    if (a == b)
        return 0;
    if (!a || !b)
        return a ? 1 : -1;
    static const unsigned depth[] = { 2, 4, 1000000 };
    unsigned n = depth[mc_options.leak_resolution];
    for (unsigned k = 0; k < n; k++) {
        if (k >= a->n || k >= b->n)
            return (k < a->n) - (k < b->n);
        if (a->pc[k] != b->pc[k])
            return a->pc[k] < b->pc[k] ? -1 : 1;
    }
    return 0;
}

/** Blocks of one record together; within a record by address. */
static int by_place(const void *x, const void *y)
{
    const LeakBlock *a = *(LeakBlock *const *)x, *b = *(LeakBlock *const *)y;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int c = compare_pc(a->where, b->where);
    return c ? c : a->addr < b->addr ? -1 : a->addr > b->addr;
}

/** Ascending by size; ties as Valgrind breaks them: kind, blocks, age of the stack. */
static int by_size(const void *x, const void *y)
{
    const McLoss *a = &((const Record *)x)->loss, *b = &((const Record *)y)->loss;
    uint64_t ta = a->bytes + a->indirect_bytes, tb = b->bytes + b->indirect_bytes;
    if (ta != tb)
        return ta < tb ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->blocks != b->blocks)
        return a->blocks < b->blocks ? -1 : 1;
    uint32_t ia = a->where ? a->where->id : 0, ib = b->where ? b->where->id : 0;
    return ia < ib ? -1 : ia > ib;
}

static void make_records(const LeakHeap *h, RecordVec *out)
{
    LeakBlock **order = malloc((h->n + 1) * sizeof *order);
    CHECK(order != NULL, "out of memory");
    for (size_t i = 0; i < h->n; i++)
        order[i] = &h->block[i];
    qsort(order, h->n, sizeof *order, by_place);
    for (size_t i = 0; i < h->n; i++) {
        const LeakBlock *b = order[i];
        bool same = i > 0 && order[i - 1]->kind == b->kind &&
                    same_place(order[i - 1]->where, b->where);
        if (!same)
            vec_push(out, ((Record){ .loss = { .kind = (LeakKind)b->kind, .where = b->where } }));
        McLoss *l = &out->data[out->n - 1].loss;
        if (l->where && b->where && b->where->id < l->where->id)
            l->where = b->where; /* the stack that was seen first is shown */
        l->bytes += b->size;
        l->indirect_bytes += b->kind == LEAK_DEFINITE ? b->indirect : 0;
        l->blocks++;
    }
    free(order);
}

/** Take the numbers of the previous check into @p now; what was there and is gone has zeros. */
static void compare_with_previous(RecordVec *now)
{
    size_t n = now->n;
    for (size_t k = 0; k < previous.n; k++) {
        const McLoss *old = &previous.data[k].loss;
        size_t i = 0;
        while (i < n && !(now->data[i].loss.kind == old->kind &&
                          same_place(now->data[i].loss.where, old->where)))
            i++;
        if (i == n)
            vec_push(now, ((Record){ .loss = { .kind = old->kind, .where = old->where } }));
        McLoss *l = &now->data[i == n ? now->n - 1 : i].loss;
        l->old_bytes = old->bytes;
        l->old_indirect_bytes = old->indirect_bytes;
        l->old_blocks = old->blocks;
    }
}

/* ---- reporting ---------------------------------------------------------------------- */

static bool passes_delta(const LeakRequest *r, const McLoss *l)
{
    uint64_t now = l->bytes + l->indirect_bytes, before = l->old_bytes + l->old_indirect_bytes;
    if (r->delta == LEAK_DELTA_INCREASED)
        return now > before || l->blocks > l->old_blocks;
    if (r->delta == LEAK_DELTA_CHANGED)
        return now != before || l->blocks != l->old_blocks;
    return l->blocks > 0;
}

/** How many of the smallest records are left out by LeakRequest.limit. */
static size_t beyond_limit(const LeakRequest *r, const RecordVec *v)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        n += passes_delta(r, &v->data[i].loss) && (r->show_kinds >> v->data[i].loss.kind & 1);
    return r->limit && n > r->limit ? n - r->limit : 0;
}

static LeakTotals report_records(const LeakRequest *r, RecordVec *v)
{
    LeakTotals t = { 0 };
    Xtree tree;
    if (r->tree)
        leak_tree_start(&tree);
    if (v->n)
        qsort(v->data, v->n, sizeof *v->data, by_size);
    size_t left_out = beyond_limit(r, v);
    for (size_t i = 0; i < v->n; i++) {
        McLoss *l = &v->data[i].loss;
        l->number = (unsigned)(i + 1);
        l->of = (unsigned)v->n;
        l->delta = r->delta != LEAK_DELTA_ANY;
        bool wanted = r->full && passes_delta(r, l);
        bool shown = wanted && !r->tree && (r->show_kinds >> l->kind & 1);
        if (shown && left_out > 0) {
            left_out--;
            shown = false;
        }
        bool counted = wanted && r->count_errors && (r->error_kinds >> l->kind & 1);
        if (mc_error_leak(r->thread, l, shown, counted)) {
            t.bytes[l->kind] += l->bytes;
            t.blocks[l->kind] += l->blocks;
            if (r->tree && wanted)
                leak_tree_add(&tree, l);
        } else {
            t.suppressed_bytes += l->bytes;
            t.suppressed_blocks += l->blocks;
        }
    }
    if (r->tree)
        leak_tree_write(&tree, r->tree);
    return t;
}

/** Compared with the previous check if that was asked for. */
static void summary_line(const LeakRequest *r, const char *what, uint64_t bytes, uint64_t blocks,
                         uint64_t old_bytes, uint64_t old_blocks)
{
    char a[MC_DELTA_TEXT], b[MC_DELTA_TEXT];
    bool delta = r->delta != LEAK_DELTA_ANY;
    gimle_umsg("   %s: %s bytes in %s blocks\n", what, mc_with_delta(a, delta, bytes, old_bytes),
               mc_with_delta(b, delta, blocks, old_blocks));
}

static void kind_line(const LeakRequest *r, const LeakTotals *t, const char *what, LeakKind k)
{
    summary_line(r, what, t->bytes[k], t->blocks[k], last.bytes[k], last.blocks[k]);
}

/** Blocks that only a heuristic made reachable. */
static void print_heuristics(const LeakHeap *h)
{
    static const char *const name[HEUR_COUNT] = {
        [HEUR_STDSTRING] = "stdstring", [HEUR_LENGTH64] = "length64",
        [HEUR_NEWARRAY] = "newarray", [HEUR_MULTIPLE_INHERITANCE] = "multipleinheritance",
    };
    uint64_t bytes[HEUR_COUNT] = { 0 }, blocks[HEUR_COUNT] = { 0 };
    bool any = false;
    for (size_t i = 0; i < h->n; i++) {
        const LeakBlock *b = &h->block[i];
        if (b->kind != LEAK_REACHABLE || b->heuristic == HEUR_NONE)
            continue;
        bytes[b->heuristic] += b->size;
        blocks[b->heuristic]++;
        any = true;
    }
    if (any)
        gimle_umsg("                      of which reachable via heuristic:\n");
    for (int k = 1; k < HEUR_COUNT; k++) {
        char x[32], y[32];
        if (blocks[k])
            gimle_umsg("                        %-19s: %s bytes in %s blocks\n", name[k],
                       mc_commas(x, bytes[k]), mc_commas(y, blocks[k]));
    }
}

static void print_summary(const LeakRequest *r, const LeakHeap *h, const LeakTotals *t)
{
    gimle_umsg("LEAK SUMMARY:\n");
    kind_line(r, t, "definitely lost", LEAK_DEFINITE);
    kind_line(r, t, "indirectly lost", LEAK_INDIRECT);
    kind_line(r, t, "  possibly lost", LEAK_POSSIBLE);
    kind_line(r, t, "still reachable", LEAK_REACHABLE);
    print_heuristics(h);
    summary_line(r, "     suppressed", t->suppressed_bytes, t->suppressed_blocks,
                 last.suppressed_bytes, last.suppressed_blocks);
    uint64_t lost = t->blocks[LEAK_DEFINITE] + t->blocks[LEAK_INDIRECT] + t->blocks[LEAK_POSSIBLE] +
                    t->blocks[LEAK_REACHABLE];
    bool hidden = r->full && t->blocks[LEAK_REACHABLE] && !(r->show_kinds >> LEAK_REACHABLE & 1);
    if (!r->full && lost > 0 && r->by_monitor) {
        gimle_umsg("To see details of leaked memory, give 'full' arg to leak_check\n");
    } else if (hidden && r->by_monitor) {
        gimle_umsg("Reachable blocks (those to which a pointer was found) are not shown.\n");
        gimle_umsg("To see them, add 'reachable any' args to leak_check\n");
    } else if (!r->full && lost > 0) {
        gimle_umsg("Rerun with --leak-check=full to see details of leaked memory\n");
    } else if (hidden) {
        gimle_umsg("Reachable blocks (those to which a pointer was found) are not shown.\n");
        gimle_umsg("To see them, rerun with: --leak-check=full --show-leak-kinds=all\n");
    }
    gimle_umsg("\n");
}

/* ---- the check ---------------------------------------------------------------------- */

void leak_check(const LeakRequest *r)
{
    LeakHeap h;
    RecordVec records = { 0 };
    leak_search(&h, r->heuristics, r->thread ? NULL : gimle_thread_self());
    make_records(&h, &records);
    if (r->delta != LEAK_DELTA_ANY)
        compare_with_previous(&records);
    if (h.n == 0 && r->summary && !r->xml) {
        gimle_umsg("All heap blocks were freed -- no leaks are possible\n");
        gimle_umsg("\n");
    }
    LeakTotals t = report_records(r, &records);
    if (h.n > 0 && r->summary && !r->xml)
        print_summary(r, &h, &t);
    pthread_mutex_lock(&lock);
    last = t;
    vec_free(&previous);
    previous = records;
    pthread_mutex_unlock(&lock);
    leak_search_free(&last_heap);
    if (r->thread)
        last_heap = h;
    else
        leak_search_free(&h);
}

const McLoss *leak_record(unsigned number)
{
    bool there = last_heap.n > 0 && number > 0 && number <= previous.n;
    return there ? &previous.data[number - 1].loss : NULL;
}

unsigned leak_record_of(const LeakBlock *b)
{
    for (size_t i = 0; i < previous.n; i++)
        if (previous.data[i].loss.kind == (LeakKind)b->kind && same_place(previous.data[i].loss.where, b->where))
            return previous.data[i].loss.number;
    return 0;
}

void leak_check_at_exit(bool quiet, bool xml)
{
    LeakRequest r = {
        .full = mc_options.leak_check >= LEAK_YES || mc_options.xtree_leak,
        .tree = mc_options.xtree_leak ? mc_options.xtree_leak_file : NULL,
        .show_kinds = mc_options.show_leak_kinds,
        .error_kinds = mc_options.error_leak_kinds,
        .heuristics = mc_options.leak_heuristics,
        .count_errors = true,
        .summary = !quiet,
        .xml = xml,
    };
    if (!r.full && (quiet || xml))
        return;
    leak_check(&r);
}
