/* SPDX-License-Identifier: MIT */
/* Execution trees: from stack traces to functions, and the choice of the format. */
#include "coregrind/xtree/xtree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/strbuf.h"

enum { MAX_INLINED = 32 };

/** Add the functions at @p pc to @p p, which is innermost first while it is made. */
static void add_frames(XtreePath *p, unsigned cap, GuestAddr pc, bool *below_main, Arena *arena)
{
    CodeFrame f[MAX_INLINED];
    unsigned n = gimle_describe_code(pc, f, MAX_INLINED, arena);
    for (unsigned k = 0; k < n && p->n < cap && !*below_main; k++) {
        StrBuf file = { 0 };
        if (f[k].file)
            strbuf_printf(&file, "%s%s%s", f[k].dir ? f[k].dir : "", f[k].dir ? "/" : "", f[k].file);
        p->frame[p->n++] = (XtreeFrame){
            .pc = pc, .inlined = n - 1 - k, .line = f[k].line,
            .fn = f[k].fn ? f[k].fn : "UnknownFn???",
            .file = f[k].file ? arena_strdup(arena, strbuf_text(&file)) : "UnknownFile???",
            .text = f[k].text,
        };
        strbuf_free(&file);
        *below_main = f[k].is_main && gimle_core_option("show-below-main") <= 0;
    }
}

static XtreePath path_of(const Xtree *x, const XtreeEntry *e, Arena *arena)
{
    unsigned n = e->where ? e->where->n : 0, cap = n * 4 + MAX_INLINED;
    XtreePath p = { .entry = e, .frame = arena_array(arena, XtreeFrame, cap) };
    bool below_main = false;
    for (unsigned i = x->skip_innermost ? 1 : 0; i < n && !below_main; i++)
        add_frames(&p, cap, i ? e->where->pc[i] - 1 : e->where->pc[i], &below_main, arena);
    for (unsigned i = 0; i < p.n / 2; i++) {
        XtreeFrame t = p.frame[i];
        p.frame[i] = p.frame[p.n - 1 - i];
        p.frame[p.n - 1 - i] = t;
    }
    return p;
}

/** By places, outermost first. */
static int by_path(const void *a, const void *b)
{
    const XtreePath *x = a, *y = b;
    for (unsigned i = 0; i < x->n && i < y->n; i++) {
        const XtreeFrame *f = &x->frame[i], *g = &y->frame[i];
        if (f->pc != g->pc)
            return f->pc < g->pc ? -1 : 1;
        if (f->inlined != g->inlined)
            return f->inlined > g->inlined ? -1 : 1;
    }
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    uint32_t i = x->entry->where ? x->entry->where->id : 0, j = y->entry->where ? y->entry->where->id : 0;
    return i < j ? -1 : i > j;
}

static bool is_massif(const char *name)
{
    const char *ms = strstr(name, ".ms");
    return ms && !strstr(name, ".kcg");
}

void gimle_xtree_write(Xtree *x, const char *title, const char *option, const char *pattern)
{
    Arena arena = { 0 };
    char *name = gimle_expand_file_name(option, pattern);
    int fd = gimle_open_output(name);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (f) {
        XtreePath *path = arena_array(&arena, XtreePath, x->entries.n + 1);
        for (size_t i = 0; i < x->entries.n; i++)
            path[i] = path_of(x, &x->entries.data[i], &arena);
        if (x->entries.n)
            qsort(path, x->entries.n, sizeof *path, by_path);
        (is_massif(name) ? xtree_write_massif : xtree_write_callgrind)(f, x, path);
    }
    bool failed = !f || ferror(f);
    if (f && fclose(f) != 0)
        failed = true;
    if (failed)
        gimle_umsg("error: can not open xtree output file `%s': %s\n", name, strerror(errno));
    else if (gimle_core_option("quiet") <= 0 && gimle_core_option("xml") <= 0)
        gimle_umsg("%s: %s\n", title, name);
    free(name);
    arena_free(&arena);
}
