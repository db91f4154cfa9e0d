/* SPDX-License-Identifier: MIT */
/*
 * Mark and sweep over the guest heap.  A word is a pointer if it is aligned, addressable and
 * defined and its value lies in a live block.  A block is reachable if a chain of pointers to
 * starts of blocks leads to it from a root, possibly lost if every chain needs a pointer into
 * the middle of a block; of the rest, those that only other lost blocks point to are lost
 * indirectly.
 */
#include <stdlib.h>
#include <string.h>

#include "../shadow/shadow.h"
#include "base/check.h"
#include "base/vec.h"
#include "leak.h"

enum { SCAN_CHUNK = 64 << 10, WORD = 8 };

typedef struct Search {
    LeakHeap *h;
    VEC(uint32_t) stack;     /**< blocks whose contents are still to be looked at */
    VEC(GuestAddr) unused;   /**< stack pointers whose red zones hold nothing */
    const Thread *ending;    /**< the thread that has called exit(), or NULL */
    VEC(uint64_t) registers; /**< of all threads */
    GuestAddr lo, hi;        /**< range that all blocks are in */
    unsigned heuristics;
    bool in_cliques;         /**< second phase: what hangs on what */
    uint32_t leader;         /**< of the clique being followed */
    bool have_blocks;
    uint64_t *buf;           /**< SCAN_CHUNK bytes of client memory */
} Search;

/* ---- blocks ------------------------------------------------------------------------- */

static void add_block(void *ctx, HeapBlock *b)
{
    Search *s = ctx;
    LeakHeap *h = s->h;
    if (b->kind == HEAP_META_POOL) /* the blocks that it is divided into count */
        return;
    if (h->n == h->cap)
        h->block = vec_grow(h->block, &h->cap, sizeof *h->block);
    h->block[h->n++] = (LeakBlock){ .addr = b->addr, .size = b->size, .where = b->alloc,
                                    .kind = LEAK_DEFINITE, .alloc_kind = b->kind,
                                    .leader = UINT32_MAX };
}

static bool is_of_client(const LeakBlock *b) { return b->alloc_kind >= HEAP_CUSTOM; }

static int by_address(const void *a, const void *b)
{
    const LeakBlock *x = a, *y = b;
    if (x->addr != y->addr)
        return x->addr < y->addr ? -1 : 1;
    return is_of_client(x) - is_of_client(y);
}

/** A heap block in which the client has registered blocks of its own stands for nothing itself. */
static void drop_divided_blocks(LeakHeap *h)
{
    size_t kept = 0;
    for (size_t i = 0; i < h->n; i++) {
        const LeakBlock *b = &h->block[i], *next = b + 1;
        bool divided = !is_of_client(b) && i + 1 < h->n && is_of_client(next) && next->addr < b->addr + b->size;
        if (!divided)
            h->block[kept++] = *b;
    }
    h->n = kept;
}

static void collect_blocks(Search *s)
{
    gimle_heap_for_each(add_block, s);
    LeakHeap *h = s->h;
    if (h->n == 0)
        return;
    qsort(h->block, h->n, sizeof *h->block, by_address);
    drop_divided_blocks(h);
    s->lo = h->block[0].addr;
    s->hi = h->block[h->n - 1].addr + h->block[h->n - 1].size + 1;
}

/** Index of the block that contains @p a (an empty one contains its start), or UINT32_MAX. */
static uint32_t block_at(const Search *s, GuestAddr a)
{
    if (a < s->lo || a >= s->hi)
        return UINT32_MAX;
    size_t lo = 0, hi = s->h->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (s->h->block[mid].addr <= a)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == 0)
        return UINT32_MAX;
    const LeakBlock *b = &s->h->block[lo - 1];
    return a < b->addr + (b->size ? b->size : 1) ? (uint32_t)(lo - 1) : UINT32_MAX;
}

/* ---- heuristics --------------------------------------------------------------------- */

/** A defined word of the client at @p a. */
static bool read_word(GuestAddr a, uint64_t *v)
{
    return shadow_all_defined(a, WORD) && gimle_read_guest(v, a, WORD) == WORD;
}

/** A word that points to read-only data or code: perhaps a vtable. */
static bool is_vtable_like(uint64_t v)
{
    GuestMapping m;
    return v % WORD == 0 && gimle_mapping_at(v, &m) && m.is_file;
}

/** Does the interior pointer @p p into @p b mean the whole block? */
static LeakHeuristic heuristic_for(const Search *s, GuestAddr p, const LeakBlock *b)
{
    uint64_t first, second;
    if (s->heuristics == 0 || !read_word(b->addr, &first))
        return HEUR_NONE;
    /* libstdc++ strings before C++11: length, capacity, reference count, then the characters. */
    if ((s->heuristics & 1) && p == b->addr + 3 * WORD && read_word(b->addr + WORD, &second) &&
        first <= second && b->size >= 3 * WORD + 1 && second <= b->size - 3 * WORD - 1 &&
        second == b->size - 3 * WORD - 1)
        return HEUR_STDSTRING;
    if ((s->heuristics & 2) && p == b->addr + 8 && first == b->size - 8)
        return HEUR_LENGTH64;
    /* new T[n] with a destructor: the number of elements, then the elements. */
    if ((s->heuristics & 4) && p == b->addr + WORD && first > 0 && b->size > WORD && (b->size - WORD) % first == 0)
        return HEUR_NEWARRAY;
    if ((s->heuristics & 8) && p % WORD == 0 && is_vtable_like(first) && read_word(p, &second) &&
        is_vtable_like(second))
        return HEUR_MULTIPLE_INHERITANCE;
    return HEUR_NONE;
}

/* ---- marking ------------------------------------------------------------------------ */

static void push(Search *s, uint32_t i)
{
    if (!s->h->block[i].pending) {
        s->h->block[i].pending = true;
        vec_push(&s->stack, i);
    }
}

/** First phase: @p p was found where blocks reached as @p from are. */
static void mark(Search *s, uint64_t p, LeakKind from)
{
    uint32_t i = block_at(s, p);
    if (i == UINT32_MAX)
        return;
    LeakBlock *b = &s->h->block[i];
    if (b->kind == LEAK_REACHABLE)
        return;
    LeakKind kind = from;
    if (p != b->addr && kind == LEAK_REACHABLE) {
        LeakHeuristic h = heuristic_for(s, p, b);
        if (h == HEUR_NONE)
            kind = LEAK_POSSIBLE;
        else
            b->heuristic = (uint8_t)h;
    }
    if (kind < (LeakKind)b->kind) {
        if (p == b->addr)
            b->heuristic = HEUR_NONE;
        b->kind = (uint8_t)kind;
        push(s, i);
    }
}

/** Second phase: the block at @p p hangs on the present leader. */
static void mark_clique(Search *s, uint64_t p)
{
    uint32_t i = block_at(s, p);
    if (i == UINT32_MAX || i == s->leader)
        return;
    LeakBlock *b = &s->h->block[i], *leader = &s->h->block[s->leader];
    if (b->kind == LEAK_DEFINITE) {
        /* Not seen yet, or the leader of a clique that this one takes over. */
        leader->indirect += b->size + b->indirect;
        b->indirect = 0;
        b->kind = LEAK_INDIRECT;
        bool was_leader = b->leader == i;
        b->leader = s->leader;
        if (!was_leader)
            push(s, i);
    }
}

/* ---- scanning ----------------------------------------------------------------------- */

static void look_at(Search *s, uint64_t word, LeakKind from)
{
    if (word < s->lo || word >= s->hi)
        return;
    if (s->in_cliques)
        mark_clique(s, word);
    else
        mark(s, word, from);
}

/** Is @p a in a red zone that has only remains of functions that have returned? */
static bool is_remains(const Search *s, GuestAddr a)
{
    for (size_t i = 0; i < s->unused.n; i++)
        if (a < s->unused.data[i] && a >= s->unused.data[i] - gimle_guest->red_zone)
            return true;
    return false;
}

/** Look at each aligned, addressable and defined word of [start, end). */
static void scan(Search *s, GuestAddr start, GuestAddr end, LeakKind from)
{
    uint64_t *buf = s->buf;
    start = (start + WORD - 1) & ~(GuestAddr)(WORD - 1);
    while (start + WORD <= end) {
        size_t want = end - start < SCAN_CHUNK ? end - start : SCAN_CHUNK;
        size_t got = gimle_read_guest(buf, start, want);
        for (size_t k = 0; k < got / WORD; k++)
            if (buf[k] >= s->lo && buf[k] < s->hi && shadow_all_defined(start + k * WORD, WORD) &&
                !is_remains(s, start + k * WORD))
                look_at(s, buf[k], from);
        /* What cannot be read is left out, by pages. */
        start = got == want ? start + want : (start + got + 4096) & ~4095ULL;
    }
}

static void drain(Search *s)
{
    while (s->stack.n) {
        LeakBlock *b = &s->h->block[s->stack.data[--s->stack.n]];
        b->pending = false;
        scan(s, b->addr, b->addr + b->size, (LeakKind)b->kind);
    }
}

static void scan_mappings(Search *s)
{
    GuestMapping m;
    for (GuestAddr a = 0; gimle_mapping_next(a, &m); a = m.end) {
        bool device = m.is_file && m.path && strncmp(m.path, "/dev/", 5) == 0;
        if ((m.prot & 3) != 3 || m.is_heap_arena || device)
            continue;
        scan(s, m.start, m.end, LEAK_REACHABLE);
        drain(s);
    }
}

/** Only a function that calls none, and has no frame but its frame pointer, keeps things there. */
static bool may_use_red_zone(const Search *s, Thread *t, GuestAddr sp)
{
    uint64_t top[2] = { 0, 0 };
    if (t == s->ending)
        return false;
    if (t != gimle_thread_self()) /* it may be anywhere, on no stack even */
        return true;
    const StackTrace *where = gimle_stack_trace(t);
    if (where->n < 2)
        return false;
    gimle_read_guest(top, sp, sizeof top);
    return top[0] == where->pc[1] || top[1] == where->pc[1];
}

static void collect_registers(void *ctx, Thread *t)
{
    Search *s = ctx;
    GuestAddr sp = gimle_thread_get_reg(t, gimle_guest->sp);
    if (!may_use_red_zone(s, t, sp))
        vec_push(&s->unused, sp);
    if (!s->have_blocks) {
        s->have_blocks = true;
        collect_blocks(s);
    }
    for (unsigned r = 0; r < gimle_guest->n_regs; r++)
        if (gimle_guest->regs[r].cls == RC_GPR && mc_reg_vbits(t, (RegId)r, WORD) == 0)
            vec_push(&s->registers, gimle_thread_get_reg(t, (RegId)r));
}

static const LeakBlock *ordered; /* what by_age() compares; the search runs alone */

/** The block whose place of allocation was seen first comes first; of one place, the higher one: the heap
 *  grows downwards. */
static int by_age(const void *a, const void *b)
{
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    const StackTrace *x = ordered[i].where, *y = ordered[k].where;
    uint32_t x_id = x ? x->id : 0, y_id = y ? y->id : 0;
    if (x_id != y_id)
        return x_id < y_id ? -1 : 1;
    return i > k ? -1 : i < k;
}

/** Of blocks that point to each other in a circle the oldest stands for all. */
static void find_cliques(Search *s)
{
    uint32_t *order = malloc((s->h->n + 1) * sizeof *order), n = 0;
    CHECK(order != NULL, "out of memory");
    s->in_cliques = true;
    for (uint32_t i = 0; i < s->h->n; i++)
        if (s->h->block[i].kind == LEAK_DEFINITE)
            order[n++] = i;
    ordered = s->h->block;
    qsort(order, n, sizeof *order, by_age);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = order[k];
        LeakBlock *b = &s->h->block[i];
        if (b->kind != LEAK_DEFINITE || b->leader != UINT32_MAX)
            continue;
        s->leader = b->leader = i;
        push(s, i);
        drain(s);
    }
    free(order);
}

void leak_search(LeakHeap *h, unsigned heuristics, const Thread *ending)
{
    Search s = { .h = h, .heuristics = heuristics, .ending = ending,
                 .buf = malloc(SCAN_CHUNK) };
    CHECK(s.buf != NULL, "out of memory");
    *h = (LeakHeap){ 0 };
    gimle_thread_for_each_stopped(collect_registers, &s);
    if (!s.have_blocks)
        collect_blocks(&s);
    if (h->n) {
        for (size_t i = 0; i < s.registers.n; i++)
            look_at(&s, s.registers.data[i], LEAK_REACHABLE);
        drain(&s);
        scan_mappings(&s);
        find_cliques(&s);
    }
    free(s.buf);
    vec_free(&s.stack);
    vec_free(&s.unused);
    vec_free(&s.registers);
}

void leak_search_free(LeakHeap *h)
{
    free(h->block);
    *h = (LeakHeap){ 0 };
}
