/* SPDX-License-Identifier: MIT */
/* Writes massif.out files: the format that ms_print and massif-visualizer read. */
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshots.h"

static const char heap_root[] = "(heap allocation functions) malloc/new/new[], --alloc-fns, etc.";
static const char page_root[] = "(page allocation syscalls) mmap/mremap/brk, --alloc-fns, etc.";

static void write_head(FILE *f)
{
    static const char *const units[] = { "i", "ms", "B" };
    char *options = ms_options_text();
    fprintf(f, "desc: %s\ncmd:", options);
    free(options);
    for (const char *const *a = gimle_client_argv(); *a; a++)
        fprintf(f, " %s", *a);
    fprintf(f, "\ntime_unit: %s\n", units[ms_options.time_unit]);
}

static void write_snapshot(FILE *f, const Snapshot *s, unsigned number)
{
    fprintf(f, "#-----------\nsnapshot=%u\n#-----------\n", number);
    fprintf(f, "time=%lu\nmem_heap_B=%lu\nmem_heap_extra_B=%lu\nmem_stacks_B=%lu\n",
            (unsigned long)s->time, (unsigned long)s->heap, (unsigned long)s->extra,
            (unsigned long)s->stacks);
    if (!s->tree) {
        fputs("heap_tree=empty\n", f);
        return;
    }
    fprintf(f, "heap_tree=%s\n", s->peak ? "peak" : "detailed");
    tree_print(f, s->tree, s->heap + s->extra + s->stacks,
               ms_options.pages_as_heap ? page_root : heap_root);
}

void output_write_to(const char *option, const char *pattern, const Snapshot *s, unsigned n)
{
    char *name = gimle_expand_file_name(option, pattern);
    int fd = gimle_open_output(name);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (f) {
        write_head(f);
        for (unsigned i = 0; i < n; i++)
            write_snapshot(f, &s[i], i);
    }
    bool failed = !f || ferror(f);
    if (f && fclose(f) != 0)
        failed = true;
    if (failed)
        gimle_umsg("error: cannot write output file '%s': %s\n", name, strerror(errno));
    free(name);
}

void output_write(void)
{
    unsigned n;
    const Snapshot *all = snapshots_all(&n);
    output_write_to("--massif-out-file", ms_options.out_file, all, n);
}
