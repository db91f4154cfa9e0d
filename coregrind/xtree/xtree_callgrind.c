/* SPDX-License-Identifier: MIT */
/*
 * Execution trees in callgrind's format: an entry is a chain of calls from the outermost function to the
 * innermost, each with the entry's numbers; names are written once and then named by number.
 */
#include <string.h>
#include <unistd.h>

#include "base/hashmap.h"
#include "base/vec.h"
#include "coregrind/xtree/xtree.h"

/** Numbers of names, by what they are. */
typedef struct Names {
    HashMap by_hash; /**< hash of the name, or of a later try → number */
    VEC(const char *) name;
} Names;

static uint64_t hash_of(const char *s)
{
    uint64_t h = 1;
    for (; *s; s++)
        h = hash_mix64(h ^ (unsigned char)*s) + 1;
    return h | 1;
}

/** "(3)", with the name if it is new. */
static void write_name(FILE *f, const char *key, Names *names, const char *name)
{
    uint64_t n = 0, h = hash_of(name);
    while (hashmap_get(&names->by_hash, h, &n) && strcmp(names->name.data[n - 1], name) != 0)
        h += 2;
    if (hashmap_get(&names->by_hash, h, &n)) {
        fprintf(f, "%s=(%lu)\n", key, (unsigned long)n);
        return;
    }
    vec_push(&names->name, name);
    hashmap_put(&names->by_hash, h, names->name.n);
    fprintf(f, "%s=(%zu) %s\n", key, names->name.n, name);
}

static void write_values(FILE *f, const Xtree *x, const uint64_t *value)
{
    for (unsigned i = 0; i < x->n_events; i++)
        fprintf(f, " %lu", (unsigned long)value[i]);
    fputc('\n', f);
}

static void write_path(FILE *f, const Xtree *x, const XtreePath *p, Names *files, Names *functions)
{
    for (unsigned i = 0; i < p->n; i++) {
        const XtreeFrame *at = &p->frame[i], *callee = at + 1;
        write_name(f, "fl", files, at->file);
        write_name(f, "fn", functions, at->fn);
        if (i + 1 < p->n) {
            fprintf(f, "%u\n", at->line);
            write_name(f, "cfi", files, callee->file);
            write_name(f, "cfn", functions, callee->fn);
            fprintf(f, "calls=0 %u\n", callee->line);
        }
        fprintf(f, "%u", at->line);
        write_values(f, x, p->entry->value);
    }
    fputc('\n', f);
}

static void write_head(FILE *f, const Xtree *x)
{
    fprintf(f, "# callgrind format\nversion: 1\ncreator: xtree-1\npid: %d\ncmd:", (int)getpid());
    for (const char *const *a = gimle_client_argv(); *a; a++)
        fprintf(f, " %s", *a);
    fputs("\n\npositions: line\n", f);
    for (unsigned i = 0; i < x->n_events; i++)
        fprintf(f, "event: %s : %s\n", x->event[i].name, x->event[i].what);
    fputs("events:", f);
    for (unsigned i = 0; i < x->n_events; i++)
        fprintf(f, " %s ", x->event[i].name);
    fputc('\n', f);
}

void xtree_write_callgrind(FILE *f, const Xtree *x, const XtreePath *path)
{
    Names files = { 0 }, functions = { 0 };
    uint64_t total[XTREE_EVENTS] = { 0 };
    write_head(f, x);
    for (size_t i = 0; i < x->entries.n; i++) {
        write_path(f, x, &path[i], &files, &functions);
        for (unsigned k = 0; k < x->n_events; k++)
            total[k] += path[i].entry->value[k];
    }
    fputs("totals:", f);
    write_values(f, x, total);
    hashmap_free(&files.by_hash);
    hashmap_free(&functions.by_hash);
    vec_free(&files.name);
    vec_free(&functions.name);
}
