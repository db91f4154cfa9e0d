/* SPDX-License-Identifier: MIT */
/*
 * Contexts are made once for each different stack trace, and described at once, so that code which is
 * unloaded later keeps its names.  A tree is only built when it is printed: the contexts, sorted by
 * their frames from the innermost, are the tree's leaves in order.
 */
#include "alloc_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hashmap.h"
#include "base/vec.h"

enum { MAX_INLINED = 16, SPARE_FRAMES = 20, MAX_FRAMES = MASSIF_MAX_DEPTH + SPARE_FRAMES };

/** A function in a trace. Equal nodes of the tree are the same pointer. */
typedef struct Node {
    const char *fn;   /**< or "" */
    const char *text; /**< for output */
    bool is_main;
} Node;

/** The functions at one address, inlined ones first. */
typedef struct Place {
    unsigned n;
    Node node[];
} Place;

struct Context {
    const StackTrace *trace;
    bool ignored;
    bool is_in_trees; /**< is one of contexts */
    uint64_t bytes;
    unsigned n;
    const Node *frame[];
};

struct TreeSizes {
    uint32_t n;
    uint64_t bytes[];
};

static Arena arena;
static HashMap places;   /**< address + 1 → Place */
static VEC(Context *) by_trace; /**< id of the trace, twice, plus in_function; NULL: not made yet */
static VEC(Context *) contexts; /**< in the order in which they had bytes first */

static const char *const usual_alloc_fns[] = {
    "malloc", "__builtin_new", "operator new(unsigned long)", "__builtin_vec_new",
    "operator new[](unsigned long)", "calloc", "realloc", "memalign", "posix_memalign", "valloc",
    "pvalloc", "aligned_alloc", "operator new(unsigned long, std::nothrow_t const&)",
    "operator new[](unsigned long, std::nothrow_t const&)",
    "operator new(unsigned long, std::align_val_t)",
    "operator new[](unsigned long, std::align_val_t)",
    "operator new(unsigned long, std::align_val_t, std::nothrow_t const&)",
    "operator new[](unsigned long, std::align_val_t, std::nothrow_t const&)",
};
static const char *const page_alloc_fns[] = { "mmap", "mmap64", "mremap", "brk", "__brk", "sbrk",
                                              "syscall" };

/* ---- describing --------------------------------------------------------------------------------- */

static const Place *place_of(GuestAddr pc)
{
    Place *p = hashmap_get_ptr(&places, pc + 1);
    if (p)
        return p;
    CodeFrame frames[MAX_INLINED];
    unsigned n = gimle_describe_code(pc, frames, MAX_INLINED, &arena);
    p = arena_alloc(&arena, sizeof *p + n * sizeof p->node[0]);
    p->n = n;
    for (unsigned i = 0; i < n; i++)
        p->node[i] = (Node){ frames[i].fn ? frames[i].fn : "", frames[i].text, frames[i].is_main };
    hashmap_put(&places, pc + 1, (uint64_t)(uintptr_t)p);
    return p;
}

void context_code_changed(GuestAddr a, size_t len)
{
    uint64_t key, place;
    for (size_t it = 0; hashmap_next(&places, &it, &key, &place);) {
        if (key - 1 - a < len) {
            hashmap_clear(&places);
            by_trace.n = 0;
            return;
        }
    }
}

static bool is_in_list(const char *fn, const OptList *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(fn, l->item[i]) == 0)
            return true;
    return false;
}

static bool is_in_table(const char *fn, const char *const *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(fn, table[i]) == 0)
            return true;
    return false;
}

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static bool is_alloc_fn(const char *fn)
{
    return is_in_table(fn, usual_alloc_fns, COUNT(usual_alloc_fns)) ||
           (ms_options.pages_as_heap && is_in_table(fn, page_alloc_fns, COUNT(page_alloc_fns))) ||
           is_in_list(fn, &ms_options.alloc_fns);
}

/**
 * The name of the function that has the code at frame @p i, or "": --alloc-fn and --ignore-fn are about
 * functions that exist in the program, not about what was compiled into them.
 */
static const char *function_at(const StackTrace *t, unsigned i)
{
    const Place *p = place_of(t->pc[i] - (i > 0));
    return p->n ? p->node[p->n - 1].fn : "";
}

/** The first frame that is not one of an allocation function; the last frame always stays. */
static unsigned skip_alloc_fns(const StackTrace *t, bool in_function)
{
    unsigned i = in_function && t->n > 1;
    while (i + 1 < t->n && is_alloc_fn(function_at(t, i)))
        i++;
    return i;
}

/** Does --ignore-fn name the innermost function, from frame @p i on, that has a name? */
static bool starts_with_ignored(const StackTrace *t, unsigned i)
{
    while (i + 1 < t->n && !*function_at(t, i))
        i++;
    return i < t->n && is_in_list(function_at(t, i), &ms_options.ignore_fns);
}

/** The functions of --depth frames from frame @p i on, up to main; returns how many. */
static unsigned expand(const StackTrace *t, unsigned i, const Node **out, unsigned max)
{
    unsigned n = 0;
    for (unsigned end = i + (unsigned)ms_options.depth; i < t->n && i < end; i++) {
        const Place *p = place_of(t->pc[i] - (i > 0));
        for (unsigned k = 0; k < p->n && n < max; k++) {
            out[n++] = &p->node[k];
            if (p->node[k].is_main && !gimle_core_option("show-below-main"))
                return n;
        }
    }
    return n;
}

static Context *context_new(const StackTrace *t, bool in_function)
{
    const Node *nodes[MAX_FRAMES * 2];
    unsigned first = skip_alloc_fns(t, in_function), n = expand(t, first, nodes, MAX_FRAMES * 2);
    Context *c = arena_alloc(&arena, sizeof *c + n * sizeof c->frame[0]);
    c->trace = t;
    c->ignored = starts_with_ignored(t, first);
    c->n = n;
    memcpy(c->frame, nodes, n * sizeof nodes[0]);
    return c;
}

Context *context_here(Thread *t, bool in_function)
{
    const GuestAddr nowhere = 0;
    const StackTrace *trace = t ? gimle_stack_trace_depth(t, (unsigned)ms_options.depth + SPARE_FRAMES)
                                : gimle_stack_trace_intern(&nowhere, 1);
    uint64_t key = (uint64_t)trace->id * 2 + in_function;
    while (by_trace.n <= key)
        vec_push(&by_trace, NULL);
    Context **c = &by_trace.data[key];
    if (!*c)
        *c = context_new(trace, in_function);
    return *c;
}

bool context_is_ignored(const Context *c) { return c->ignored; }
const StackTrace *context_trace(const Context *c) { return c->trace; }

void context_add(Context *c, int64_t bytes)
{
    c->bytes += (uint64_t)bytes;
    if (!c->is_in_trees)
        vec_push(&contexts, c);
    c->is_in_trees = true;
}

/* ---- sizes at one moment ---------------------------------------------------------------------------- */

TreeSizes *tree_sizes_copy(void)
{
    TreeSizes *s = malloc(sizeof *s + contexts.n * sizeof s->bytes[0]);
    CHECK(s, "out of memory");
    s->n = (uint32_t)contexts.n;
    for (uint32_t i = 0; i < s->n; i++)
        s->bytes[i] = contexts.data[i]->bytes;
    return s;
}

uint64_t tree_sizes_total(const TreeSizes *s)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->n; i++)
        sum += s->bytes[i];
    return sum;
}

void tree_sizes_free(TreeSizes *s) { free(s); }

/* ---- printing ------------------------------------------------------------------------------------------ */

/** One context at one moment. */
typedef struct Leaf {
    const Context *c;
    uint64_t bytes;
} Leaf;

/** Leaves [first, end) have the same frame at some depth. */
typedef struct Group {
    const Leaf *first, *end;
    uint64_t bytes;
    const char *text;
} Group;

typedef struct Printer {
    FILE *f;
    uint64_t least; /**< bytes of the smallest node that is shown */
} Printer;

static int compare_leaves(const void *a, const void *b)
{
    const Context *x = ((const Leaf *)a)->c, *y = ((const Leaf *)b)->c;
    for (unsigned i = 0; i < x->n && i < y->n; i++) {
        int d = strcmp(x->frame[i]->text, y->frame[i]->text);
        if (d)
            return d;
    }
    return x->n < y->n ? -1 : x->n > y->n;
}

static int compare_groups(const void *a, const void *b)
{
    const Group *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return strcmp(x->text, y->text);
}

/** The children of the node that has leaves [first, end), whose frames are at @p depth. */
static Group *group_leaves(const Leaf *first, const Leaf *end, unsigned depth, unsigned *n)
{
    Group *g = malloc(((size_t)(end - first) + 1) * sizeof *g);
    CHECK(g, "out of memory");
    *n = 0;
    while (first < end && first->c->n <= depth)
        first++;
    while (first < end) {
        Group *new = &g[(*n)++];
        *new = (Group){ .first = first, .text = first->c->frame[depth]->text };
        for (; first < end && strcmp(first->c->frame[depth]->text, new->text) == 0; first++)
            new->bytes += first->bytes;
        new->end = first;
    }
    qsort(g, *n, sizeof *g, compare_groups);
    return g;
}

static void print_node(Printer *p, const Group *g, unsigned depth, bool hide_all);

static void print_rest(Printer *p, unsigned depth, uint64_t bytes, unsigned places)
{
    fprintf(p->f, "%*sn0: %lu in %u place%s, %sbelow massif's threshold (%.2f%%)\n", (int)depth, "",
            (unsigned long)bytes, places, places == 1 ? "" : "s", places == 1 ? "" : "all ",
            ms_options.threshold);
}

/** Larger ones first; what is not shown is one of them. */
static void print_children(Printer *p, const Group *g, unsigned n, unsigned shown, unsigned depth)
{
    uint64_t rest = 0;
    for (unsigned i = shown; i < n; i++)
        rest += g[i].bytes;
    bool rest_is_due = n > shown;
    for (unsigned i = 0; i < shown; i++) {
        if (rest_is_due && rest > g[i].bytes) {
            print_rest(p, depth, rest, n - shown);
            rest_is_due = false;
        }
        print_node(p, &g[i], depth, false);
    }
    if (rest_is_due)
        print_rest(p, depth, rest, n - shown);
}

static void print_node(Printer *p, const Group *g, unsigned depth, bool hide_all)
{
    unsigned n, shown = 0;
    Group *children = group_leaves(g->first, g->end, depth, &n);
    while (!hide_all && shown < n && children[shown].bytes >= p->least)
        shown++;
    fprintf(p->f, "%*sn%u: %lu %s\n", (int)depth, "", shown + (n > shown),
            (unsigned long)g->bytes, g->text);
    print_children(p, children, n, shown, depth + 1);
    free(children);
}

void tree_print(FILE *f, const TreeSizes *s, uint64_t total, const char *root)
{
    Leaf *leaf = malloc(((size_t)s->n + 1) * sizeof *leaf);
    CHECK(leaf, "out of memory");
    Group all = { .first = leaf, .text = root };
    unsigned n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        leaf[n++] = (Leaf){ contexts.data[i], s->bytes[i] };
        all.bytes += s->bytes[i];
    }
    all.end = leaf + n;
    qsort(leaf, n, sizeof *leaf, compare_leaves);
    Printer p = { f, (uint64_t)((double)total * ms_options.threshold / 100) };
    print_node(&p, &all, 0, all.bytes == 0);
    free(leaf);
}
