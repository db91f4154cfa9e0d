/* SPDX-License-Identifier: MIT */
/*
 * The client's allocation functions, run on the host side over the guest heap.  Everything in
 * an arena that is not in a live block is not addressable; freed blocks stay so until the heap
 * reuses them.
 */
#include "intercept_malloc.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "errors.h"
#include "shadow/shadow.h"

/** HeapBlock.user: set by whoever frees the block, so that only one thread does. */
enum { BLOCK_TAKEN = 1 };
/** Blocks of this size are zeroed by the kernel. */
enum { BIG_ZERO = 1 << 20 };

static _Atomic uint64_t n_allocs, n_frees, n_bytes;

McHeapStats mc_heap_stats(void)
{
    return (McHeapStats){ .allocs = n_allocs, .frees = n_frees, .bytes = n_bytes };
}

void mc_heap_count(uint64_t allocs, uint64_t frees, uint64_t bytes)
{
    atomic_fetch_add_explicit(&n_allocs, allocs, memory_order_relaxed);
    atomic_fetch_add_explicit(&n_frees, frees, memory_order_relaxed);
    atomic_fetch_add_explicit(&n_bytes, bytes, memory_order_relaxed);
}

static void on_arena(GuestAddr a, size_t len) { shadow_set_noaccess(a, len); }

void mc_heap_start(void)
{
    gimle_heap_on_arena(on_arena);
    gimle_heap_init((size_t)mc_options.red_zone, (uint64_t)mc_options.freelist_vol,
                    (uint64_t)mc_options.freelist_big_blocks);
}

/* ---- blocks ------------------------------------------------------------------------- */

static const StackTrace *trace_for(Thread *t, bool wanted)
{
    return wanted ? gimle_stack_trace(t) : NULL;
}

static void fill(GuestAddr a, size_t size, int byte)
{
    memset((void *)(uintptr_t)a, byte, size);
}

/** Zero a block, leaving whole pages of large ones to the kernel. */
static void zero(GuestAddr a, size_t size)
{
    GuestAddr first = (a + 4095) & ~4095ULL, last = (a + size) & ~4095ULL;
    if (size >= BIG_ZERO && madvise((void *)(uintptr_t)first, last - first, MADV_DONTNEED) == 0) {
        fill(a, first - a, 0);
        fill(last, a + size - last, 0);
    } else {
        fill(a, size, 0);
    }
}

typedef enum Contents { CONTENTS_UNDEFINED, CONTENTS_ZERO } Contents;

/** A new live block with its shadow; NULL if there is no memory. */
static HeapBlock *new_block(Thread *t, size_t size, size_t align, HeapAllocKind kind, Contents c)
{
    HeapBlock *b = gimle_heap_alloc(t, size, align, kind);
    if (!b)
        return NULL;
    int keep = mc_options.keep_stacks;
    b->alloc = trace_for(t, keep != KEEP_NONE && keep != KEEP_FREE);
    b->user = 0;
    mc_heap_count(1, 0, size);
    if (c == CONTENTS_ZERO)
        zero(b->addr, size);
    else if (mc_options.malloc_fill >= 0)
        fill(b->addr, size, mc_options.malloc_fill);
    shadow_set(b->addr, size, c == CONTENTS_ZERO ? SH_DEFINED : SH_UNDEFINED);
    return b;
}

static void retire(Thread *t, HeapBlock *b)
{
    bool keep_free = mc_options.keep_stacks >= KEEP_FREE;
    if (mc_options.free_fill >= 0)
        fill(b->addr, b->size, mc_options.free_fill);
    shadow_set_noaccess(b->addr, b->size);
    if (mc_options.keep_stacks == KEEP_ALLOC_THEN_FREE)
        b->alloc = NULL;
    gimle_heap_free(t, b, trace_for(t, keep_free));
}

/** Is the value what a negative size looks like?  Then it is reported. */
static bool is_fishy(Thread *t, const char *what, uint64_t value)
{
    if ((int64_t)value >= 0)
        return false;
    mc_error_fishy(t, what, (int64_t)value);
    return true;
}

/** The live block at @p a for the thread that is going to free it; reports if there is none. */
static HeapBlock *claim(Thread *t, GuestAddr a, HeapAllocKind kind)
{
    HeapBlock *b = gimle_heap_find_start(a);
    if (!b || __atomic_fetch_or(&b->user, BLOCK_TAKEN, __ATOMIC_ACQ_REL) & BLOCK_TAKEN) {
        mc_error_free(t, a);
        return NULL;
    }
    if (b->kind != kind && mc_options.show_mismatched_frees)
        mc_error_mismatch(t, a);
    return b;
}

/* ---- the functions: Intercept.aux is the HeapAllocKind ------------------------------ */

static const char *const size_argument[] = {
    [HEAP_MALLOC] = "malloc(size)",
    [HEAP_NEW] = "__builtin_new(size)",
    [HEAP_NEW_ARRAY] = "__builtin_vec_new(size)",
};

static HeapAllocKind kind_of(const GuestCall *c) { return (HeapAllocKind)c->what->aux; }

static void return_block(GuestCall *c, const HeapBlock *b)
{
    guest_call_return(c, b ? b->addr : 0);
}

static void do_malloc(GuestCall *c)
{
    uint64_t size = guest_call_arg(c, 0);
    if (is_fishy(c->thread, size_argument[HEAP_MALLOC], size))
        guest_call_return(c, 0);
    else
        return_block(c, new_block(c->thread, size, 16, HEAP_MALLOC, CONTENTS_UNDEFINED));
}

/** operator new: where there is no memory the original fails too, and throws or returns NULL. */
static void new_with_alignment(GuestCall *c, uint64_t align)
{
    uint64_t size = guest_call_arg(c, 0);
    HeapBlock *b = NULL;
    if (!is_fishy(c->thread, size_argument[kind_of(c)], size))
        b = new_block(c->thread, size, align, kind_of(c), CONTENTS_UNDEFINED);
    if (b)
        guest_call_return(c, b->addr);
    else
        guest_call_original(c);
}

static void do_new(GuestCall *c) { new_with_alignment(c, 16); }
static void do_new_aligned(GuestCall *c) { new_with_alignment(c, guest_call_arg(c, 1)); }

static void do_free(GuestCall *c)
{
    GuestAddr a = guest_call_arg(c, 0);
    if (a == 0)
        return;
    mc_heap_count(0, 1, 0);
    HeapBlock *b = claim(c->thread, a, kind_of(c));
    if (b)
        retire(c->thread, b);
}

static void do_calloc(GuestCall *c)
{
    uint64_t n = guest_call_arg(c, 0), each = guest_call_arg(c, 1), size;
    HeapBlock *b = NULL;
    if (!is_fishy(c->thread, "calloc(nmemb)", n) && !is_fishy(c->thread, "calloc(size)", each) &&
        !__builtin_mul_overflow(n, each, &size))
        b = new_block(c->thread, size, 16, HEAP_MALLOC, CONTENTS_ZERO);
    return_block(c, b);
}

static void do_realloc(GuestCall *c)
{
    Thread *t = c->thread;
    GuestAddr old_addr = guest_call_arg(c, 0);
    uint64_t size = guest_call_arg(c, 1);
    guest_call_return(c, 0);
    if (old_addr == 0) {
        if (!is_fishy(t, size_argument[HEAP_MALLOC], size))
            return_block(c, new_block(t, size, 16, HEAP_MALLOC, CONTENTS_UNDEFINED));
        return;
    }
    if (size == 0) {
        mc_heap_count(0, 1, 0);
        HeapBlock *b = claim(t, old_addr, HEAP_MALLOC);
        if (b)
            retire(t, b);
        return;
    }
    if (is_fishy(t, "realloc(size)", size))
        return;
    HeapBlock *old = claim(t, old_addr, HEAP_MALLOC);
    if (!old) {
        mc_heap_count(1, 1, size);
        return;
    }
    /* Always a new block, so that pointers into the old one are found out. */
    HeapBlock *b = new_block(t, size, 16, HEAP_MALLOC, CONTENTS_UNDEFINED);
    if (!b) {
        __atomic_fetch_and(&old->user, ~(uint64_t)BLOCK_TAKEN, __ATOMIC_ACQ_REL);
        return;
    }
    size_t keep = old->size < size ? old->size : size;
    memcpy((void *)(uintptr_t)b->addr, (void *)(uintptr_t)old->addr, keep);
    shadow_copy(old->addr, b->addr, keep);
    mc_heap_count(0, 1, 0);
    retire(t, old);
    return_block(c, b);
}

static uint64_t round_up_power(uint64_t v)
{
    uint64_t p = 16;
    while (p < v && p < 1ULL << 62)
        p *= 2;
    return p;
}

static void aligned(GuestCall *c, uint64_t align, uint64_t size)
{
    HeapBlock *b = NULL;
    if (!is_fishy(c->thread, "memalign(size)", size))
        b = new_block(c->thread, size, round_up_power(align), HEAP_MALLOC, CONTENTS_UNDEFINED);
    return_block(c, b);
}

static void do_memalign(GuestCall *c) { aligned(c, guest_call_arg(c, 0), guest_call_arg(c, 1)); }
static void do_valloc(GuestCall *c) { aligned(c, 4096, guest_call_arg(c, 0)); }

static void do_pvalloc(GuestCall *c)
{
    aligned(c, 4096, (guest_call_arg(c, 0) + 4095) & ~4095ULL);
}

static void do_posix_memalign(GuestCall *c)
{
    GuestAddr out = guest_call_arg(c, 0);
    uint64_t align = guest_call_arg(c, 1), size = guest_call_arg(c, 2);
    GuestAddr bad;
    if (align == 0 || align % 8 || (align & (align - 1))) {
        guest_call_return(c, EINVAL);
        return;
    }
    HeapBlock *b = NULL;
    if (!is_fishy(c->thread, "posix_memalign(size)", size))
        b = new_block(c->thread, size, align < 16 ? 16 : align, HEAP_MALLOC, CONTENTS_UNDEFINED);
    guest_call_return(c, b ? 0 : ENOMEM);
    if (!b)
        return;
    if (shadow_check_addressable(out, 8, &bad) != SHADOW_OK)
        mc_error_access(c->thread, out, 8, true);
    shadow_set_defined_if_addressable(out, 8);
    gimle_write_guest(out, &b->addr, 8);
}

static void do_usable_size(GuestCall *c)
{
    HeapBlock *b = gimle_heap_find_start(guest_call_arg(c, 0));
    guest_call_return(c, b ? b->size : 0);
}

/* ---- the table ---------------------------------------------------------------------- */

#define ROW(symbol, handler, kind) { "*", symbol, IC_ANY_OBJECT, handler, NULL, kind }

const Intercept mc_malloc_intercepts[] = {
    ROW("malloc", do_malloc, HEAP_MALLOC),
    ROW("free", do_free, HEAP_MALLOC),
    ROW("cfree", do_free, HEAP_MALLOC),
    ROW("calloc", do_calloc, HEAP_MALLOC),
    ROW("realloc", do_realloc, HEAP_MALLOC),
    ROW("memalign", do_memalign, HEAP_MALLOC),
    ROW("aligned_alloc", do_memalign, HEAP_MALLOC),
    ROW("posix_memalign", do_posix_memalign, HEAP_MALLOC),
    ROW("valloc", do_valloc, HEAP_MALLOC),
    ROW("pvalloc", do_pvalloc, HEAP_MALLOC),
    ROW("malloc_usable_size", do_usable_size, HEAP_MALLOC),
    /* operator new */
    ROW("_Znwm", do_new, HEAP_NEW),
    ROW("_ZnwmRKSt9nothrow_t", do_new, HEAP_NEW),
    ROW("_ZnwmSt11align_val_t", do_new_aligned, HEAP_NEW),
    ROW("_ZnwmSt11align_val_tRKSt9nothrow_t", do_new_aligned, HEAP_NEW),
    ROW("__builtin_new", do_new, HEAP_NEW),
    ROW("builtin_new", do_new, HEAP_NEW),
    ROW("_Znam", do_new, HEAP_NEW_ARRAY),
    ROW("_ZnamRKSt9nothrow_t", do_new, HEAP_NEW_ARRAY),
    ROW("_ZnamSt11align_val_t", do_new_aligned, HEAP_NEW_ARRAY),
    ROW("_ZnamSt11align_val_tRKSt9nothrow_t", do_new_aligned, HEAP_NEW_ARRAY),
    ROW("__builtin_vec_new", do_new, HEAP_NEW_ARRAY),
    /* operator delete */
    ROW("_ZdlPv", do_free, HEAP_NEW),
    ROW("_ZdlPvm", do_free, HEAP_NEW),
    ROW("_ZdlPvRKSt9nothrow_t", do_free, HEAP_NEW),
    ROW("_ZdlPvSt11align_val_t", do_free, HEAP_NEW),
    ROW("_ZdlPvmSt11align_val_t", do_free, HEAP_NEW),
    ROW("_ZdlPvSt11align_val_tRKSt9nothrow_t", do_free, HEAP_NEW),
    ROW("__builtin_delete", do_free, HEAP_NEW),
    ROW("_ZdaPv", do_free, HEAP_NEW_ARRAY),
    ROW("_ZdaPvm", do_free, HEAP_NEW_ARRAY),
    ROW("_ZdaPvRKSt9nothrow_t", do_free, HEAP_NEW_ARRAY),
    ROW("_ZdaPvSt11align_val_t", do_free, HEAP_NEW_ARRAY),
    ROW("_ZdaPvmSt11align_val_t", do_free, HEAP_NEW_ARRAY),
    ROW("_ZdaPvSt11align_val_tRKSt9nothrow_t", do_free, HEAP_NEW_ARRAY),
    ROW("__builtin_vec_delete", do_free, HEAP_NEW_ARRAY),
    { .symbol = NULL }
};
