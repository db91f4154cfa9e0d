/* SPDX-License-Identifier: MIT */
/*
 * The client's allocation functions, run on the host side over the guest heap.  Everything in
 * an arena that is not in a live block is not addressable; freed blocks stay so until the heap
 * reuses them.
 */
#include "intercept_malloc.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "errors.h"
#include "origin/origin.h"
#include "shadow/shadow.h"
#include "gimle/xtree.h"

/** Blocks of this size are zeroed by the kernel. */
enum { BIG_ZERO = 1 << 20 };

/** What one thread counted; its own but for reading the sum.  Never freed. */
typedef struct HeapCounts {
    _Atomic uint64_t allocs, frees, bytes;
    struct HeapCounts *next;
} HeapCounts;

static _Atomic(HeapCounts *) all_counts;
static _Thread_local HeapCounts *my_counts __attribute__((tls_model("initial-exec")));

static __attribute__((noinline)) HeapCounts *new_counts(void)
{
    HeapCounts *c = calloc(1, sizeof *c);
    CHECK(c != NULL, "out of memory");
    c->next = atomic_load(&all_counts);
    while (!atomic_compare_exchange_weak(&all_counts, &c->next, c))
        ;
    return my_counts = c;
}

McHeapStats mc_heap_stats(void)
{
    McHeapStats sum = { 0 };
    for (HeapCounts *c = atomic_load(&all_counts); c; c = c->next) {
        sum.allocs += c->allocs;
        sum.frees += c->frees;
        sum.bytes += c->bytes;
    }
    return sum;
}

/** Only the owner writes, so no locked addition is needed. */
static inline void add(_Atomic uint64_t *n, uint64_t by)
{
    atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

static inline void count(uint64_t allocs, uint64_t frees, uint64_t bytes)
{
    HeapCounts *c = my_counts;
    if (__builtin_expect(!c, 0))
        c = new_counts();
    add(&c->allocs, allocs);
    add(&c->frees, frees);
    add(&c->bytes, bytes);
}

void mc_heap_count(uint64_t allocs, uint64_t frees, uint64_t bytes) { count(allocs, frees, bytes); }

static void on_arena(GuestAddr a, size_t len)
{
    shadow_set_noaccess(a, len);
    shadow_trim_after(len);
}

static void on_dead(GuestAddr a, size_t len) { gimle_shadow_refill(a, len, SH_NOACCESS); }

/** Both stacks of each block are kept, and there is nothing else to do when it comes or goes. */
static bool is_plain;

void mc_heap_start(void)
{
    is_plain = mc_options.keep_stacks == KEEP_BOTH && mc_options.xtree_memory == HEAP_TREE_NONE &&
               mc_options.malloc_fill < 0 && mc_options.free_fill < 0;
    gimle_heap_on_arena(on_arena);
    gimle_heap_on_dead(on_dead);
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

/** What few ask for when a block comes. */
static __attribute__((noinline)) void begin_with_care(Thread *t, HeapBlock *b, Contents c)
{
    int keep = mc_options.keep_stacks;
    b->alloc = trace_for(t, keep != KEEP_NONE && keep != KEEP_FREE);
    if (mc_options.xtree_memory != HEAP_TREE_NONE)
        gimle_heap_tree_alloc(b->alloc, b->size);
    if (c != CONTENTS_ZERO && mc_options.malloc_fill >= 0)
        fill(b->addr, b->size, mc_options.malloc_fill);
}

/** A new live block with its shadow; NULL if there is no memory. */
static inline HeapBlock *new_block(Thread *t, size_t size, size_t align, HeapAllocKind kind, Contents c)
{
    HeapBlock *b = gimle_heap_alloc(t, size, align, kind);
    if (!b)
        return NULL;
    GuestAddr a = b->addr;
    b->user = origin_birth();
    count(1, 0, size);
    if (__builtin_expect(is_plain, 1))
        b->alloc = gimle_stack_trace(t);
    else
        begin_with_care(t, b, c);
    if (c == CONTENTS_ZERO)
        zero(a, size);
    if (c != CONTENTS_ZERO && __builtin_expect(shadow_block_is_easy(size), 1))
        shadow_block_begins(a, size);
    else
        shadow_set(a, size, c == CONTENTS_ZERO ? SH_DEFINED : SH_UNDEFINED);
    return b;
}

/** What few ask for when a block goes. */
static __attribute__((noinline)) void end_with_care(Thread *t, HeapBlock *b)
{
    if (mc_options.free_fill >= 0)
        fill(b->addr, b->size, mc_options.free_fill);
    if (mc_options.xtree_memory != HEAP_TREE_NONE)
        gimle_heap_tree_free(t, b->alloc, b->size);
    if (mc_options.keep_stacks == KEEP_ALLOC_THEN_FREE)
        b->alloc = NULL;
}

static inline void retire(Thread *t, HeapBlock *b)
{
    GuestAddr a = b->addr;
    size_t size = b->size;
    if (__builtin_expect(!is_plain, 0))
        end_with_care(t, b);
    if (__builtin_expect(b->kind < HEAP_CUSTOM && shadow_block_is_easy(size), 1))
        shadow_block_ends(a, size);
    else
        shadow_set_noaccess(a, size);
    gimle_heap_free(t, b, trace_for(t, mc_options.keep_stacks >= KEEP_FREE));
}

/**
 * The contents of @p old, which the caller has claimed, in a block of @p size bytes: always a new
 * one, so that pointers into the old one are found out.  NULL: no memory, nothing has changed.
 */
static HeapBlock *move_block(Thread *t, HeapBlock *old, size_t size)
{
    HeapBlock *b = new_block(t, size, 16, HEAP_MALLOC, CONTENTS_UNDEFINED);
    if (!b) {
        __atomic_store_n(&old->taken, 0, __ATOMIC_RELEASE);
        return NULL;
    }
    size_t keep = old->size < size ? old->size : size;
    memcpy((void *)(uintptr_t)b->addr, (void *)(uintptr_t)old->addr, keep);
    shadow_copy(old->addr, b->addr, keep);
    mc_heap_count(0, 1, 0);
    retire(t, old);
    return b;
}

/** Is the value what a negative size looks like?  Then it is reported. */
static bool is_fishy(Thread *t, const char *what, uint64_t value)
{
    if ((int64_t)value >= 0)
        return false;
    mc_error_fishy(t, what, (int64_t)value);
    return true;
}

/** Arguments @p first to @p last decide what happens: the undefined ones are reported. */
static void decided_by(GuestCall *c, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++)
        if (mc_reg_vbits(c->thread, gimle_guest->arg[i], gimle_guest->word))
            mc_error_cond(c->thread, mc_reg_origin(c->thread, gimle_guest->arg[i]));
}

/** The live block at @p a for the thread that is going to free it; reports if there is none. */
static HeapBlock *claim(Thread *t, GuestAddr a, HeapAllocKind kind)
{
    const HeapBlock *there = gimle_heap_find_start(a);
    HeapBlock *b = there ? gimle_heap_claim(a, there->kind) : NULL;
    if (!b) {
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

/**
 * Return @p b; if there is none, what the original does where there is no memory: errno is its own.
 * Nobody has as much as argument @p size_arg is made to ask for.
 */
static void return_block(GuestCall *c, const HeapBlock *b, unsigned size_arg)
{
    if (b) {
        guest_call_return(c, b->addr);
        return;
    }
    guest_call_set_arg(c, size_arg, INT64_MAX);
    guest_call_original(c);
}

static void do_malloc(GuestCall *c)
{
    uint64_t size = guest_call_arg(c, 0);
    HeapBlock *b = NULL;
    decided_by(c, 0, 0);
    if (!is_fishy(c->thread, size_argument[HEAP_MALLOC], size))
        b = new_block(c->thread, size, 16, HEAP_MALLOC, CONTENTS_UNDEFINED);
    return_block(c, b, 0);
}

/** operator new: where there is no memory the original fails too, and throws or returns NULL. */
static void new_with_alignment(GuestCall *c, uint64_t align)
{
    uint64_t size = guest_call_arg(c, 0);
    HeapBlock *b = NULL;
    decided_by(c, 0, 0);
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
    decided_by(c, 0, 0);
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
    bool too_much = __builtin_mul_overflow(n, each, &size); /* which calloc itself looks after */
    decided_by(c, 0, 1);
    if (!too_much && !is_fishy(c->thread, "calloc(nmemb)", n) &&
        !is_fishy(c->thread, "calloc(size)", each))
        b = new_block(c->thread, size, 16, HEAP_MALLOC, CONTENTS_ZERO);
    if (!b)
        guest_call_set_arg(c, 0, INT64_MAX);
    return_block(c, b, 1);
}

static void do_realloc(GuestCall *c)
{
    Thread *t = c->thread;
    GuestAddr old_addr = guest_call_arg(c, 0);
    uint64_t size = guest_call_arg(c, 1);
    HeapBlock *b = NULL;
    decided_by(c, 0, 1);
    if (old_addr && size == 0) {
        guest_call_return(c, 0);
        mc_heap_count(0, 1, 0);
        b = claim(t, old_addr, HEAP_MALLOC);
        if (b)
            retire(t, b);
        return;
    }
    if (old_addr == 0) {
        if (!is_fishy(t, size_argument[HEAP_MALLOC], size))
            b = new_block(t, size, 16, HEAP_MALLOC, CONTENTS_UNDEFINED);
    } else if (!is_fishy(t, "realloc(size)", size)) {
        HeapBlock *old = claim(t, old_addr, HEAP_MALLOC);
        if (!old)
            mc_heap_count(1, 1, size);
        else
            b = move_block(t, old, size);
    }
    if (!b)
        guest_call_set_arg(c, 0, 0); /* the original does not know our block */
    return_block(c, b, 1);
}

static uint64_t round_up_power(uint64_t v)
{
    uint64_t p = 16;
    while (p < v && p < 1ULL << 62)
        p *= 2;
    return p;
}

static void aligned(GuestCall *c, uint64_t align, uint64_t size, unsigned size_arg)
{
    HeapBlock *b = NULL;
    if (!is_fishy(c->thread, "memalign(size)", size))
        b = new_block(c->thread, size, round_up_power(align), HEAP_MALLOC, CONTENTS_UNDEFINED);
    return_block(c, b, size_arg);
}

static void do_memalign(GuestCall *c)
{
    decided_by(c, 0, 1);
    aligned(c, guest_call_arg(c, 0), guest_call_arg(c, 1), 1);
}

static void do_valloc(GuestCall *c)
{
    decided_by(c, 0, 0);
    aligned(c, 4096, guest_call_arg(c, 0), 0);
}

static void do_pvalloc(GuestCall *c)
{
    decided_by(c, 0, 0);
    aligned(c, 4096, (guest_call_arg(c, 0) + 4095) & ~4095ULL, 0);
}

/* ---- looking into the heap, tuning it: there is nothing to see and nothing to tune ---- */

static void do_malloc_trim(GuestCall *c) { guest_call_return(c, 0); }
static void do_mallopt(GuestCall *c) { guest_call_return(c, 1); }
static void do_malloc_stats(GuestCall *c) { (void)c; }

/** The result is a structure, at the address that the caller passes. */
static void return_zeros(GuestCall *c, size_t size)
{
    static const char zeros[sizeof(struct mallinfo2)];
    GuestAddr out = guest_call_arg(c, 0), bad;
    if (shadow_check_addressable(out, size, &bad) != SHADOW_OK)
        mc_error_access(c->thread, out, (unsigned)size, true);
    shadow_set_defined_if_addressable(out, size);
    gimle_write_guest(out, zeros, size);
    guest_call_return(c, out);
}

static void do_mallinfo(GuestCall *c) { return_zeros(c, sizeof(struct mallinfo)); }
static void do_mallinfo2(GuestCall *c) { return_zeros(c, sizeof(struct mallinfo2)); }

static void do_posix_memalign(GuestCall *c)
{
    GuestAddr out = guest_call_arg(c, 0);
    uint64_t align = guest_call_arg(c, 1), size = guest_call_arg(c, 2);
    GuestAddr bad;
    decided_by(c, 1, 2);
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
    gimle_write_guest(out, &(GuestAddr){ b->addr }, 8);
}

static void do_usable_size(GuestCall *c)
{
    HeapBlock *b = gimle_heap_find_start(guest_call_arg(c, 0));
    guest_call_return(c, b ? b->size : 0);
}

/* ---- quick forms: all that does not report -------------------------------------------- */

#define QUICK(name)                                                                        \
    static GuestQuick name(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,             \
                           struct VexState *s, const Intercept *what)

static GuestQuick quick_result(struct VexState *s, const HeapBlock *b)
{
    if (!b)
        return guest_quick_declined();
    mc_result_is_defined(s);
    return guest_quick_done(b->addr);
}

QUICK(quick_malloc)
{
    (void)a1, (void)a2, (void)a3, (void)what;
    if ((int64_t)a0 < 0 || mc_arguments_suspect(s, 1))
        return guest_quick_declined();
    return quick_result(s, new_block(gimle_thread_of_state(s), a0, 16, HEAP_MALLOC,
                                     CONTENTS_UNDEFINED));
}

QUICK(quick_new)
{
    (void)a1, (void)a2, (void)a3;
    if ((int64_t)a0 < 0 || mc_arguments_suspect(s, 1))
        return guest_quick_declined();
    HeapBlock *b = new_block(gimle_thread_of_state(s), a0, 16, (HeapAllocKind)what->aux,
                             CONTENTS_UNDEFINED);
    return b ? quick_result(s, b) : guest_quick_declined();
}

QUICK(quick_calloc)
{
    uint64_t size;
    (void)a2, (void)a3, (void)what;
    if ((int64_t)a0 < 0 || (int64_t)a1 < 0 || __builtin_mul_overflow(a0, a1, &size) ||
        mc_arguments_suspect(s, 2))
        return guest_quick_declined();
    return quick_result(s, new_block(gimle_thread_of_state(s), size, 16, HEAP_MALLOC,
                                     CONTENTS_ZERO));
}

QUICK(quick_free)
{
    (void)a1, (void)a2, (void)a3;
    if (mc_arguments_suspect(s, 1))
        return guest_quick_declined();
    if (a0 == 0)
        return guest_quick_done(0);
    HeapBlock *b = gimle_heap_claim(a0, (HeapAllocKind)what->aux);
    if (!b)
        return guest_quick_declined();
    mc_heap_count(0, 1, 0);
    retire(gimle_thread_of_state(s), b);
    return guest_quick_done(0);
}

QUICK(quick_realloc)
{
    Thread *t = gimle_thread_of_state(s);
    (void)a2, (void)a3, (void)what;
    if (a0 == 0 || a1 == 0 || (int64_t)a1 < 0 || mc_arguments_suspect(s, 2))
        return guest_quick_declined();
    HeapBlock *old = gimle_heap_claim(a0, HEAP_MALLOC);
    return old ? quick_result(s, move_block(t, old, a1)) : guest_quick_declined();
}

/* ---- the table ---------------------------------------------------------------------- */

#define quick_memalign NULL
#define quick_posix_memalign NULL
#define quick_valloc NULL
#define quick_pvalloc NULL
#define quick_usable_size NULL
#define quick_malloc_trim NULL
#define quick_mallopt NULL
#define quick_mallinfo NULL
#define quick_mallinfo2 NULL
#define quick_malloc_stats NULL
#define quick_new_aligned NULL

const Intercept mc_malloc_intercepts[] = {
#define MALLOC_NAME(symbol, function, kind)                                                \
    { "*", #symbol, IC_ANY_OBJECT, do_##function, NULL, kind, quick_##function },
#include "gimle/malloc_names.def"
#undef MALLOC_NAME
    { .symbol = NULL }
};
