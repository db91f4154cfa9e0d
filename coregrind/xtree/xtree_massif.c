/* SPDX-License-Identifier: MIT */
/*
 * Execution trees in massif's format: a snapshot for each event, with a tree that starts at the innermost
 * functions, larger branches first.
 */
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "coregrind/xtree/xtree.h"

/** Paths [lo, hi) of Writer.path: they agree in their innermost functions. */
typedef struct Branch {
    size_t lo, hi;
    uint64_t value;
} Branch;

typedef struct Writer {
    FILE *f;
    const XtreePath **path; /**< sorted from the innermost function on */
    unsigned event;
} Writer;

/** Function @p depth of @p p, counted from the innermost; NULL: there is none. */
static const XtreeFrame *frame_at(const XtreePath *p, unsigned depth)
{
    return depth < p->n ? &p->frame[p->n - 1 - depth] : NULL;
}

static int compare_frames(const XtreeFrame *a, const XtreeFrame *b)
{
    if (a->pc != b->pc)
        return a->pc < b->pc ? -1 : 1;
    return a->inlined < b->inlined ? -1 : a->inlined > b->inlined;
}

static int from_innermost(const void *a, const void *b)
{
    const XtreePath *x = *(const XtreePath *const *)a, *y = *(const XtreePath *const *)b;
    for (unsigned d = 0; d < x->n && d < y->n; d++) {
        int c = compare_frames(frame_at(x, d), frame_at(y, d));
        if (c)
            return c;
    }
    return x->n < y->n ? -1 : x->n > y->n;
}

static int larger_first(const void *a, const void *b)
{
    const Branch *x = a, *y = b;
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/** The branches of [lo, hi) by function @p depth; paths that end before are left out. */
static size_t branches_of(const Writer *w, size_t lo, size_t hi, unsigned depth, Branch *out)
{
    size_t n = 0;
    for (size_t i = lo; i < hi; i++) {
        const XtreeFrame *f = frame_at(w->path[i], depth);
        if (!f)
            continue;
        const XtreeFrame *before = n ? frame_at(w->path[out[n - 1].lo], depth) : NULL;
        if (!before || compare_frames(before, f) != 0)
            out[n++] = (Branch){ i, i, 0 };
        out[n - 1].hi = i + 1;
        out[n - 1].value += w->path[i]->entry->value[w->event];
    }
    if (n)
        qsort(out, n, sizeof *out, larger_first);
    return n;
}

static void write_branch(const Writer *w, const Branch *b, unsigned depth, const char *title)
{
    Branch *child = calloc(b->hi - b->lo + 1, sizeof *child);
    CHECK(child != NULL, "out of memory");
    size_t n = branches_of(w, b->lo, b->hi, depth, child);
    fprintf(w->f, "%*sn%zu: %lu %s\n", (int)depth, "", n, (unsigned long)b->value, title);
    for (size_t i = 0; i < n; i++)
        write_branch(w, &child[i], depth + 1, frame_at(w->path[child[i].lo], depth)->text);
    free(child);
}

static void write_event(Writer *w, const Xtree *x, unsigned event)
{
    char title[128];
    Branch all = { 0, x->entries.n, 0 };
    w->event = event;
    for (size_t i = 0; i < all.hi; i++)
        all.value += w->path[i]->entry->value[event];
    fprintf(w->f, "#-----------\nsnapshot=%u\n#-----------\ntime=%lu\nmem_heap_B=%lu\n"
            "mem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=detailed\n", event,
            (unsigned long)(clock() / (CLOCKS_PER_SEC / 1000)), (unsigned long)all.value);
    snprintf(title, sizeof title, "%s : %s", x->event[event].name, x->event[event].what);
    write_branch(w, &all, 0, title);
}

void xtree_write_massif(FILE *f, const Xtree *x, const XtreePath *path)
{
    Writer w = { .f = f, .path = calloc(x->entries.n + 1, sizeof *w.path) };
    CHECK(w.path != NULL, "out of memory");
    for (size_t i = 0; i < x->entries.n; i++)
        w.path[i] = &path[i];
    if (x->entries.n)
        qsort(w.path, x->entries.n, sizeof *w.path, from_innermost);
    fputs("desc: xtree.produce_report\ncmd:", f);
    for (const char *const *a = gimle_client_argv(); *a; a++)
        fprintf(f, " %s", *a);
    fputs("\ntime_unit: ms\n", f);
    for (unsigned k = 0; k < x->n_events; k++)
        write_event(&w, x, k);
    free(w.path);
}
