/* SPDX-License-Identifier: MIT */
/*
 * From return addresses to described frames, and a frame as text.  A trace ends after main (or
 * what calls it), since nobody wants to read about libc's start-up.
 */
#include <stdlib.h>
#include <string.h>

#include "coregrind/report/report_internal.h"

enum { MAX_INLINED = 64 };

void frames_walk(const StackTrace *t, bool cut, FrameFn *fn, void *ctx)
{
    Arena arena = { 0 };
    FrameInfo *f = arena_array(&arena, FrameInfo, MAX_INLINED);
    bool done = false;
    unsigned line = 0;
    cut = cut && !core_options->show_below_main;
    for (unsigned i = 0; t && i < t->n && !done; i++) {
        unsigned n = debuginfo_describe_pc(t->pc[i] - (i > 0), f, MAX_INLINED, &arena);
        for (unsigned k = 0; k < n && !done; k++) {
            const char *name = f[k].fn_raw;
            bool below = name && debuginfo_is_below_main(name);
            if (below && !core_options->show_below_main)
                f[k].fn = "(below main)", f[k].fn_offset = 0;
            if (!fn(ctx, &f[k], line++))
                done = true;
            if (cut && name && (below || debuginfo_is_main(name)))
                done = true;
        }
    }
    arena_free(&arena);
}

const char *frame_supp_name(const FrameInfo *f)
{
    if (f->fn && strcmp(f->fn, "(below main)") == 0)
        return f->fn;
    return f->fn_raw ? f->fn_raw : f->fn;
}

/** "/home/me/src/a.c" after the first --fullpath-after text that occurs in it. */
static void add_full_path(const FrameInfo *f, StrBuf *out)
{
    StrBuf path = { 0 };
    if (f->dir)
        strbuf_printf(&path, "%s/", f->dir);
    strbuf_adds(&path, f->file);
    const char *from = path.s;
    for (size_t i = 0; i < core_options->fullpath_after.n; i++) {
        const char *after = core_options->fullpath_after.item[i];
        const char *hit = strstr(path.s, after);
        if (hit) {
            from = hit + strlen(after);
            break;
        }
    }
    strbuf_adds(out, from + (strncmp(from, "./", 2) == 0 ? 2 : 0));
    strbuf_free(&path);
}

void frame_text(const FrameInfo *f, StrBuf *out)
{
    strbuf_printf(out, "0x%lX: %s", (unsigned long)f->pc, f->fn ? f->fn : "???");
    if (f->fn && core_options->sym_offsets && !f->inlined)
        strbuf_printf(out, "+%lu", (unsigned long)f->fn_offset);
    if (f->file && f->line) {
        strbuf_adds(out, " (");
        if (core_options->fullpath_after.n > 0)
            add_full_path(f, out);
        else
            strbuf_adds(out, f->file);
        strbuf_printf(out, ":%u)", f->line);
    } else if (f->obj) {
        strbuf_printf(out, " (in %s)", f->obj);
    }
}

GuestAddr gimle_describe_line(GuestAddr pc, CodeFrame *out, Arena *arena)
{
    FrameInfo f;
    GuestAddr end;
    debuginfo_describe_line(pc, &f, &end, arena);
    bool below = f.fn_raw && debuginfo_is_below_main(f.fn_raw);
    if (below && !core_options->show_below_main)
        f.fn = "(below main)";
    *out = (CodeFrame){ .fn = f.fn, .file = f.file, .dir = f.dir, .line = f.line,
                        .is_main = below || (f.fn_raw && debuginfo_is_main(f.fn_raw)) };
    return end;
}

unsigned gimle_describe_code(GuestAddr pc, CodeFrame *frames, unsigned max, Arena *arena)
{
    FrameInfo f[MAX_INLINED];
    StrBuf text = { 0 };
    unsigned n = debuginfo_describe_pc(pc, f, max < MAX_INLINED ? max : MAX_INLINED, arena);
    for (unsigned i = 0; i < n; i++) {
        bool below = f[i].fn_raw && debuginfo_is_below_main(f[i].fn_raw);
        bool is_main = below || (f[i].fn_raw && debuginfo_is_main(f[i].fn_raw));
        if (below && !core_options->show_below_main)
            f[i].fn = "(below main)", f[i].fn_offset = 0;
        strbuf_clear(&text);
        frame_text(&f[i], &text);
        frames[i] = (CodeFrame){
            .fn = f[i].fn, .file = f[i].file, .dir = f[i].dir, .line = f[i].line,
            .object = f[i].obj ? arena_strdup(arena, f[i].obj) : NULL, .inlined = f[i].inlined,
            .is_main = is_main, .text = arena_strdup(arena, strbuf_text(&text)),
        };
    }
    strbuf_free(&text);
    return n;
}
