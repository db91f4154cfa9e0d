/* SPDX-License-Identifier: MIT */
/*
 * The client's allocation functions, run over the guest heap.  HeapBlock.user is the block's piece in the
 * model that says how large it is (placement.h).  In the place of its stack trace, which only a tool looks
 * at, each block has its context; NULL with --heap=no.
 */
#include "heap_profile.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

#include "gimle/xtree.h"
#include "placement.h"
#include "snapshots.h"

enum { ROUND = 16 };
/** No more is ever asked for in earnest. */
#define LARGEST (1ULL << 45)

static Context *context_of(const HeapBlock *b) { return (Context *)(uintptr_t)b->alloc; }

static void set_context(HeapBlock *b, Context *c)
{
    b->alloc = (const StackTrace *)(const void *)c;
}

static bool writes_tree;   /**< --xtree-memory */

void heap_profile_start(void)
{
    gimle_heap_init(ROUND, 0, 0);
    writes_tree = ms_options.heap && gimle_core_option("xtree-memory") != HEAP_TREE_NONE;
}

void heap_profile_end(void)
{
    if (writes_tree)
        gimle_heap_tree_write("--xtree-memory-file", gimle_core_option_text("xtree-memory-file"));
}

static uint64_t usable(const HeapBlock *b) { return piece_usable((const Piece *)(uintptr_t)b->user); }
static int64_t slop(const HeapBlock *b) { return (int64_t)(usable(b) - b->size); }

/** The guest heap's block, with room for all that the client may think is there; NULL if no memory. */
static HeapBlock *place_block(Thread *t, uint64_t size, uint64_t align, HeapAllocKind kind)
{
    if (size > LARGEST || align > LARGEST)
        return NULL;
    Piece *p = piece_new(size, align);
    HeapBlock *b = gimle_heap_alloc(t, piece_usable(p), align, kind);
    if (!b) {
        piece_free(p);
        return NULL;
    }
    b->size = size;
    b->user = (uint64_t)(uintptr_t)p;
    return b;
}

static void unplace_block(Thread *t, HeapBlock *b)
{
    piece_free((Piece *)(uintptr_t)b->user);
    gimle_heap_free(t, b, NULL);
}

/** Totals and tree: @p b is live from now on. */
static void count_in(HeapBlock *b, Context *c)
{
    set_context(b, c);
    if (context_is_ignored(c))
        return;
    context_add(c, (int64_t)b->size);
    if (writes_tree)
        gimle_heap_tree_alloc(context_trace(c), b->size);
    ms_totals_add_heap((int64_t)b->size, ms_options.heap_admin + slop(b));
    snapshot_after_change();
}

static HeapBlock *new_block(Thread *t, uint64_t size, uint64_t align, HeapAllocKind kind, bool zero)
{
    snapshot_first();
    HeapBlock *b = place_block(t, size, align, kind);
    if (!b)
        return NULL;
    if (zero)
        memset((void *)(uintptr_t)b->addr, 0, size);
    if (ms_options.heap)
        count_in(b, context_here(t, true));
    return b;
}

static void free_block(Thread *t, HeapBlock *b)
{
    Context *c = context_of(b);
    if (c && !context_is_ignored(c)) {
        snapshot_before_shrink();
        context_add(c, -(int64_t)b->size);
        if (writes_tree)
            gimle_heap_tree_free(t, context_trace(c), b->size);
        ms_totals_add_heap(-(int64_t)b->size, -(ms_options.heap_admin + slop(b)));
        snapshot_after_change();
    }
    unplace_block(t, b);
}

/**
 * Give the old block's bytes to the new size: one step as the profile sees it.  As in Valgrind a block that is
 * or becomes one to ignore stays so; if it is resized elsewhere its bytes are counted, with it or not, and
 * that is no event.
 */
static void count_resize(Thread *t, Context *old, Context *new, int64_t old_size, int64_t old_slop, HeapBlock *b)
{
    if (context_is_ignored(old)) {
        set_context(b, old);
        if (!context_is_ignored(new))
            context_add(new, (int64_t)b->size);
        return;
    }
    set_context(b, new);
    if (context_is_ignored(new))
        return;
    if (writes_tree) {
        gimle_heap_tree_free(t, context_trace(old), (size_t)old_size);
        gimle_heap_tree_alloc(context_trace(new), b->size);
    }
    context_add(old, -old_size);
    context_add(new, (int64_t)b->size);
    ms_totals_add_heap((int64_t)b->size - old_size, slop(b) - old_slop);
    snapshot_after_change();
}

static GuestAddr resize_block(Thread *t, HeapBlock *old, uint64_t size)
{
    int64_t old_size = (int64_t)old->size, old_slop = slop(old);
    Context *c = context_of(old), *here = c ? context_here(t, true) : NULL;
    HeapBlock *b = old;
    if (c && !context_is_ignored(c) && !context_is_ignored(here) && size < old->size)
        snapshot_before_shrink();
    if (size > usable(old) || !gimle_heap_resize(old, size)) {
        b = place_block(t, size, ROUND, (HeapAllocKind)old->kind);
        if (!b)
            return 0;
        memcpy((void *)(uintptr_t)b->addr, (void *)(uintptr_t)old->addr,
               old->size < size ? old->size : size);
        unplace_block(t, old);
    }
    if (c)
        count_resize(t, c, here, old_size, old_slop, b);
    return b->addr;
}

/* ---- the functions: Intercept.aux is the HeapAllocKind --------------------------------------------- */

static HeapAllocKind kind_of(const GuestCall *c) { return (HeapAllocKind)c->what->aux; }

static void return_block(GuestCall *c, const HeapBlock *b)
{
    guest_call_return(c, b ? b->addr : 0);
}

static void do_malloc(GuestCall *c)
{
    return_block(c, new_block(c->thread, guest_call_arg(c, 0), ROUND, HEAP_MALLOC, false));
}

/** operator new: where there is no memory the original fails too, and throws or returns NULL. */
static void new_with_alignment(GuestCall *c, uint64_t align)
{
    HeapBlock *b = new_block(c->thread, guest_call_arg(c, 0), align, kind_of(c), false);
    if (b)
        guest_call_return(c, b->addr);
    else
        guest_call_original(c);
}

static uint64_t usable_alignment(uint64_t wanted)
{
    uint64_t align = ROUND;
    while (align < wanted && align < 1ULL << 62)
        align *= 2;
    return align;
}

static void do_new(GuestCall *c) { new_with_alignment(c, ROUND); }
static void do_new_aligned(GuestCall *c)
{
    new_with_alignment(c, usable_alignment(guest_call_arg(c, 1)));
}

static void do_free(GuestCall *c)
{
    HeapBlock *b = gimle_heap_find_start(guest_call_arg(c, 0));
    if (b)
        free_block(c->thread, b);
}

static void do_calloc(GuestCall *c)
{
    uint64_t size;
    HeapBlock *b = NULL;
    if (!__builtin_mul_overflow(guest_call_arg(c, 0), guest_call_arg(c, 1), &size))
        b = new_block(c->thread, size, ROUND, HEAP_MALLOC, true);
    return_block(c, b);
}

static void do_realloc(GuestCall *c)
{
    GuestAddr a = guest_call_arg(c, 0);
    uint64_t size = guest_call_arg(c, 1);
    HeapBlock *b = a ? gimle_heap_find_start(a) : NULL;
    guest_call_return(c, 0);
    if (a == 0)
        return_block(c, new_block(c->thread, size, ROUND, HEAP_MALLOC, false));
    else if (b && size == 0)
        free_block(c->thread, b);
    else if (b && (int64_t)size > 0)
        guest_call_return(c, resize_block(c->thread, b, size));
}

static void aligned(GuestCall *c, uint64_t align, uint64_t size)
{
    return_block(c, new_block(c->thread, size, usable_alignment(align), HEAP_MALLOC, false));
}

static void do_memalign(GuestCall *c) { aligned(c, guest_call_arg(c, 0), guest_call_arg(c, 1)); }
static void do_valloc(GuestCall *c) { aligned(c, 4096, guest_call_arg(c, 0)); }
static void do_pvalloc(GuestCall *c) { aligned(c, 4096, (guest_call_arg(c, 0) + 4095) & ~4095ULL); }

static void do_posix_memalign(GuestCall *c)
{
    uint64_t align = guest_call_arg(c, 1);
    if (align == 0 || align % 8 || (align & (align - 1))) {
        guest_call_return(c, EINVAL);
        return;
    }
    HeapBlock *b = new_block(c->thread, guest_call_arg(c, 2), usable_alignment(align), HEAP_MALLOC,
                             false);
    guest_call_return(c, b ? 0 : ENOMEM);
    if (b)
        gimle_write_guest(guest_call_arg(c, 0), &(GuestAddr){ b->addr }, sizeof(GuestAddr));
}

static void do_usable_size(GuestCall *c)
{
    HeapBlock *b = gimle_heap_find_start(guest_call_arg(c, 0));
    guest_call_return(c, b ? usable(b) : 0);
}

/* Nothing to see in the replaced heap, and nothing to tune. */
static void do_malloc_trim(GuestCall *c) { guest_call_return(c, 0); }
static void do_mallopt(GuestCall *c) { guest_call_return(c, 1); }
static void do_malloc_stats(GuestCall *c) { (void)c; }

static void return_zeros(GuestCall *c, size_t size)
{
    static const char zeros[sizeof(struct mallinfo2)];
    GuestAddr out = guest_call_arg(c, 0);
    gimle_write_guest(out, zeros, size);
    guest_call_return(c, out);
}

static void do_mallinfo(GuestCall *c) { return_zeros(c, sizeof(struct mallinfo)); }
static void do_mallinfo2(GuestCall *c) { return_zeros(c, sizeof(struct mallinfo2)); }

const Intercept ms_intercepts[] = {
#define MALLOC_NAME(symbol, function, kind)                                                \
    { "*", #symbol, IC_ANY_OBJECT, do_##function, NULL, kind, NULL },
#include "gimle/malloc_names.def"
#undef MALLOC_NAME
    { .symbol = NULL }
};
