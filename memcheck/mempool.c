/* SPDX-License-Identifier: MIT */
/*
 * Blocks and memory pools that the client manages itself.  Their blocks are recorded with the
 * guest heap, so that reports and leak checks know them; a pool is the list of its blocks.
 */
#include "mempool.h"

#include <pthread.h>

#include "base/vec.h"
#include "errors.h"
#include "intercept_malloc.h"
#include "origin/origin.h"
#include "shadow/shadow.h"
#include "gimle/xtree.h"

/* ---- single blocks ------------------------------------------------------------------ */

/** Nobody's bytes before and after [a, a+size). */
static void set_red_zones(GuestAddr a, size_t size, size_t red_zone)
{
    if (red_zone == 0)
        return;
    shadow_set_noaccess(a - red_zone, red_zone);
    shadow_set_noaccess(a + size, red_zone);
}

/* Stacks are kept as for the blocks of malloc. */

static const StackTrace *where_allocated(Thread *t)
{
    bool keep = mc_options.keep_stacks != KEEP_NONE && mc_options.keep_stacks != KEEP_FREE;
    return keep ? gimle_stack_trace(t) : NULL;
}

static void free_block(Thread *t, HeapBlock *b)
{
    if (mc_options.keep_stacks == KEEP_ALLOC_THEN_FREE)
        b->alloc = NULL;
    gimle_heap_free(t, b, mc_options.keep_stacks >= KEEP_FREE ? gimle_stack_trace(t) : NULL);
}

void client_block_new(Thread *t, GuestAddr a, size_t size, size_t red_zone, bool zeroed)
{
    HeapBlock *b = gimle_heap_register(t, a, size, red_zone);
    if (!b)
        return;
    b->kind = HEAP_CUSTOM;
    b->user = origin_birth();
    b->alloc = where_allocated(t);
    mc_heap_count(1, 0, size);
    if (mc_options.xtree_memory != HEAP_TREE_NONE)
        gimle_heap_tree_alloc(b->alloc, size);
    shadow_set(a, size, zeroed ? SH_DEFINED : SH_UNDEFINED);
    set_red_zones(a, size, red_zone);
}

void client_block_free(Thread *t, GuestAddr a, size_t red_zone)
{
    mc_heap_count(0, 1, 0);
    HeapBlock *b = gimle_heap_find_start(a);
    if (!b) {
        mc_error_free(t, a);
        return;
    }
    if (b->kind != HEAP_CUSTOM && mc_options.show_mismatched_frees)
        mc_error_mismatch(t, a);
    shadow_set_noaccess(a - red_zone, b->size + 2 * red_zone);
    if (mc_options.xtree_memory != HEAP_TREE_NONE)
        gimle_heap_tree_free(t, b->alloc, b->size);
    free_block(t, b);
}

void client_block_resize(Thread *t, GuestAddr a, size_t old_size, size_t new_size, size_t red_zone)
{
    HeapBlock *b = gimle_heap_find_start(a);
    if (!b || b->size != old_size || new_size == 0) {
        mc_error_free(t, a);
        return;
    }
    b->size = new_size;
    if (mc_options.xtree_memory != HEAP_TREE_NONE) {
        gimle_heap_tree_free(t, b->alloc, old_size);
        gimle_heap_tree_alloc(b->alloc, new_size);
    }
    if (new_size > old_size)
        shadow_set_undefined(a + old_size, new_size - old_size);
    else
        shadow_set_noaccess(a + new_size, old_size - new_size);
    set_red_zones(a, new_size, red_zone);
}

/* ---- pools -------------------------------------------------------------------------- */

typedef struct Pool {
    GuestAddr id;
    size_t red_zone;
    bool zeroed;
    bool divided;    /**< VALGRIND_MEMPOOL_METAPOOL: its blocks hold others */
    bool frees_all;  /**< VALGRIND_MEMPOOL_AUTO_FREE: which go with them */
    VEC(GuestAddr) block;
} Pool;

/** Held while the heap is called, so it has no rank. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static VEC(Pool) pools;

/** Number of pool @p id, or -1. Lock held. */
static long find_pool(GuestAddr id)
{
    for (size_t i = 0; i < pools.n; i++)
        if (pools.data[i].id == id)
            return (long)i;
    return -1;
}

/** Forget block @p i of @p p: its memory is not addressable any more. Lock held. */
static void drop_block(Thread *t, Pool *p, size_t i)
{
    HeapBlock *b = gimle_heap_find_in_pool(p->block.data[i]);
    vec_remove(&p->block, i);
    if (!b)
        return;
    shadow_set_noaccess(b->addr, b->size);
    free_block(t, b);
}

/** A block of pool @p p that was allocated at @p where. */
static HeapBlock *register_block(Thread *t, const Pool *p, GuestAddr a, size_t size,
                                 const StackTrace *where)
{
    HeapBlock *b = gimle_heap_register(t, a, size, p->red_zone);
    if (b) {
        b->kind = p->divided ? HEAP_META_POOL : HEAP_POOL;
        b->user = origin_birth();
        b->alloc = where;
    }
    return b;
}

static void pool_create(Thread *t, const uint64_t *a)
{
    (void)t;
    enum { AUTO_FREE = 1, METAPOOL = 2 };
    vec_push(&pools, ((Pool){ .id = a[0], .red_zone = a[1], .zeroed = a[2] != 0,
                              .divided = (a[3] & METAPOOL) != 0, .frees_all = (a[3] & AUTO_FREE) != 0 }));
}

/** The blocks go with their pool, and are no blocks that were freed. */
static void pool_destroy(Thread *t, Pool *p, const uint64_t *a)
{
    (void)t, (void)a;
    for (size_t i = 0; i < p->block.n; i++) {
        HeapBlock *b = gimle_heap_find_in_pool(p->block.data[i]);
        if (!b)
            continue;
        shadow_set_noaccess(b->addr - p->red_zone, b->size + 2 * p->red_zone);
        gimle_heap_forget(b);
    }
    vec_free(&p->block);
    vec_remove(&pools, (size_t)(p - pools.data));
}

static void pool_alloc(Thread *t, Pool *p, const uint64_t *a)
{
    if (!register_block(t, p, a[1], a[2], where_allocated(t)))
        return;
    mc_heap_count(1, 0, a[2]);
    shadow_set(a[1], a[2], p->zeroed ? SH_DEFINED : SH_UNDEFINED);
    set_red_zones(a[1], a[2], p->red_zone);
    vec_push(&p->block, a[1]);
}

/** Index of the block at @p a in @p p, or -1. */
static long find_block(const Pool *p, GuestAddr a)
{
    for (size_t i = 0; i < p->block.n; i++)
        if (p->block.data[i] == a)
            return (long)i;
    return -1;
}

typedef struct Inner {
    GuestAddr start, end;
    VEC(GuestAddr) found;
} Inner;

static void collect_inner(void *ctx, HeapBlock *b)
{
    Inner *in = ctx;
    if (b->kind == HEAP_CUSTOM && b->addr >= in->start && b->addr + b->size <= in->end)
        vec_push(&in->found, b->addr);
}

/** Free what the client has registered in [a, a+len); these do not count as calls. */
static void free_inner_blocks(Thread *t, GuestAddr a, size_t len)
{
    Inner in = { .start = a, .end = a + len };
    gimle_heap_for_each(collect_inner, &in);
    for (size_t i = 0; i < in.found.n; i++) {
        HeapBlock *b = gimle_heap_find_start(in.found.data[i]);
        shadow_set_noaccess(b->addr, b->size);
        if (mc_options.xtree_memory != HEAP_TREE_NONE)
            gimle_heap_tree_free(t, b->alloc, b->size);
        free_block(t, b);
    }
    vec_free(&in.found);
}

static void pool_free(Thread *t, Pool *p, const uint64_t *a)
{
    long i = find_block(p, a[1]);
    HeapBlock *b = i < 0 ? NULL : gimle_heap_find_in_pool(a[1]);
    if (i < 0) {
        mc_error_free(t, a[1]);
        return;
    }
    if (b && p->frees_all)
        free_inner_blocks(t, b->addr, b->size);
    drop_block(t, p, (size_t)i);
}

/**
 * Keep only what lies in [a[1], +a[2]): blocks outside go, blocks across the border shrink.  What
 * they lose stays as it was.
 */
static void pool_trim(Thread *t, Pool *p, const uint64_t *a)
{
    GuestAddr lo = a[1], hi = a[1] + a[2];
    for (size_t i = p->block.n; i-- > 0;) {
        HeapBlock *b = gimle_heap_find_in_pool(p->block.data[i]);
        if (!b)
            continue;
        GuestAddr start = b->addr, end = b->addr + b->size;
        if (start >= lo && end <= hi)
            continue;
        const StackTrace *where = b->alloc;
        GuestAddr new_start = start < lo ? lo : start, new_end = end > hi ? hi : end;
        if (new_start >= new_end) {
            drop_block(t, p, i);
            continue;
        }
        gimle_heap_forget(b);
        register_block(t, p, new_start, new_end - new_start, where);
        p->block.data[i] = new_start;
    }
}

static void pool_move(Thread *t, Pool *p, const uint64_t *a)
{
    (void)t;
    p->id = a[1];
}

/** The block at a[1] is now at a[2], with size a[3]. */
static void pool_change(Thread *t, Pool *p, const uint64_t *a)
{
    long i = find_block(p, a[1]);
    HeapBlock *b = i < 0 ? NULL : gimle_heap_find_in_pool(a[1]);
    if (!b) {
        mc_error_free(t, a[1]);
        return;
    }
    const StackTrace *where = b->alloc;
    gimle_heap_forget(b);
    register_block(t, p, a[2], a[3], where);
    p->block.data[i] = a[2];
}

/* ---- requests ----------------------------------------------------------------------- */

enum { REQ_CREATE = 0x1303, REQ_EXISTS = 0x130a };

static void (*const on_pool[])(Thread *t, Pool *p, const uint64_t *a) = {
    [0x1304 - REQ_CREATE] = pool_destroy, [0x1305 - REQ_CREATE] = pool_alloc,
    [0x1306 - REQ_CREATE] = pool_free,    [0x1307 - REQ_CREATE] = pool_trim,
    [0x1308 - REQ_CREATE] = pool_move,    [0x1309 - REQ_CREATE] = pool_change,
};

bool mempool_request(Thread *t, const uint64_t args[6], uint64_t *result)
{
    if (args[0] < REQ_CREATE || args[0] > REQ_EXISTS)
        return false;
    pthread_mutex_lock(&lock);
    long i = find_pool(args[1]);
    *result = 0;
    if (args[0] == REQ_EXISTS)
        *result = i >= 0;
    else if (args[0] == REQ_CREATE)
        pool_create(t, args + 1);
    else if (i >= 0)
        on_pool[args[0] - REQ_CREATE](t, &pools.data[i], args + 1);
    pthread_mutex_unlock(&lock);
    if (i < 0 && args[0] != REQ_CREATE && args[0] != REQ_EXISTS)
        mc_error_mempool(t, args[1]);
    return true;
}
