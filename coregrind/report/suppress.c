/* SPDX-License-Identifier: MIT */
/*
 * Suppressions: loading the files and deciding whether one covers an error.  Names of a trace are
 * looked up only as far as some pattern wants to see them.  The list does not change once loaded.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "coregrind/report/report_internal.h"

static VEC(Suppression) supps;
static VEC(const char *) read_before; /* the banner: files that -v tells of after it */
static bool banner_said;

Suppression *suppress_list(size_t *n)
{
    *n = supps.n;
    return supps.data;
}

void suppress_add(const Suppression *s) { vec_push(&supps, *s); }

void suppress_forget_all(void) { vec_free(&supps); }

/* ---- files ------------------------------------------------------------------------------- */

static size_t loaded; /* of --suppressions */

static bool read_file(const char *path, StrBuf *out)
{
    FILE *f = fopen(path, "re");
    char buf[8192];
    if (!f)
        return false;
    for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;)
        strbuf_add(out, buf, n);
    int bad = ferror(f) ? errno : 0;
    fclose(f);
    errno = bad;
    return bad == 0;
}

/**
 * The end: a line of wrong use, or, for who called us "valgrind", lines in the log.  @p line: what is wrong
 * there is @p why; 0: about the file itself.
 */
static _Noreturn void fail_file(const char *what, const char *path, const char *state, unsigned line,
                                const char *why)
{
    if (!options_as_valgrind())
        gimle_user_error("FATAL: %ssuppressions file \"%s\"%s%s%s", what, path, state, *why ? ": " : "", why);
    gimle_umsg("\n");
    gimle_umsg("FATAL: %ssuppressions file \"%s\"%s%s\n", what, path, state, line ? ":" : "");
    if (line)
        gimle_umsg("   %s\nexiting now.\n", why);
    exit(1);
}

static void say_file(const char *path) { gimle_msg(MSG_DEBUG, "Reading suppressions file: %s\n", path); }

void suppress_say_files(void)
{
    banner_said = true;
    for (size_t i = 0; i < read_before.n; i++)
        say_file(read_before.data[i]);
}

static void load_file(const char *path)
{
    StrBuf text = { 0 };
    unsigned line;
    const char *why;
    if (core_options->verbose && banner_said)
        say_file(path);
    else
        vec_push(&read_before, path);
    bool ok = read_file(path, &text);
    if (!ok && errno == EISDIR)
        fail_file("", path, " is a directory", 0, "");
    if (!ok)
        fail_file("can't open ", path, "", 0, strerror(errno));
    if (text.s && !suppress_parse(path, text.s, &line, &why)) {
        char near[32];
        snprintf(near, sizeof near, " near line %u", line);
        fail_file("in ", path, near, line, why);
    }
    strbuf_free(&text);
}

void suppress_load_more(void)
{
    for (; loaded < core_options->suppressions.n; loaded++)
        load_file(core_options->suppressions.item[loaded]);
}

void suppress_load(const char *lib_dir)
{
    if (!report_tool->errors)
        return;
    if (core_options->default_suppressions && lib_dir) {
        StrBuf path = { 0 };
        strbuf_printf(&path, "%s/default.supp", lib_dir);
        if (access(path.s, R_OK) == 0)
            load_file(path.s); /* suppressions point to the path: not freed */
        else
            strbuf_free(&path);
    }
    suppress_load_more();
}

/* ---- matching ------------------------------------------------------------------------------ */

bool suppress_wildcard(const char *pattern, const char *s)
{
    const char *star = NULL, *resume = NULL;
    while (*s) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = s;
        } else if (*pattern == '?' || *pattern == *s) {
            pattern++;
            s++;
        } else if (star) {
            pattern = star;
            s = ++resume;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == 0;
}

enum { MAX_INLINED = 64 };

/** The frames of a trace, inlined ones included, described as far as asked. */
typedef struct LazyFrames {
    const StackTrace *trace;
    unsigned next_pc;
    VEC(FrameInfo) frame;
    Arena arena;
} LazyFrames;

/** Frame @p i or NULL beyond the end. */
static const FrameInfo *lazy_frame(LazyFrames *l, size_t i)
{
    while (i >= l->frame.n && l->next_pc < l->trace->n) {
        FrameInfo f[MAX_INLINED];
        unsigned k = l->next_pc++;
        unsigned n = debuginfo_describe_pc(l->trace->pc[k] - (k > 0), f, MAX_INLINED, &l->arena);
        for (unsigned j = 0; j < n; j++)
            vec_push(&l->frame, f[j]);
    }
    return i < l->frame.n ? &l->frame.data[i] : NULL;
}

static bool frame_matches(const SuppFrame *s, const FrameInfo *f)
{
    const char *raw = f->fn_raw ? f->fn_raw : f->fn;
    if (s->kind == SUPP_OBJ)
        return suppress_wildcard(s->pattern, f->obj ? f->obj : "???");
    if (s->kind == SUPP_SRC)
        return f->file && suppress_wildcard(s->pattern, f->file) && (!s->line || s->line == f->line);
    if (suppress_wildcard(s->pattern, raw ? raw : "???"))
        return true;
    return raw && debuginfo_is_below_main(raw) && suppress_wildcard(s->pattern, "(below main)");
}

/** The patterns match the innermost frames; "..." stands for any number of them, none included. */
static bool frames_match(const Suppression *s, LazyFrames *l)
{
    size_t p = 0, i = 0, any = SIZE_MAX, resume = 0;
    while (p < s->n_frames) {
        if (s->frame[p].kind == SUPP_ANY) {
            any = ++p;
            resume = i;
            continue;
        }
        const FrameInfo *f = lazy_frame(l, i);
        if (!f)
            return false;
        if (frame_matches(&s->frame[p], f)) {
            p++;
            i++;
        } else if (any != SIZE_MAX) {
            p = any;
            i = ++resume;
        } else {
            return false;
        }
    }
    return true;
}

Suppression *suppress_match(const GimleError *e)
{
    LazyFrames l = { .trace = e->where };
    Suppression *found = NULL;
    const GimleErrorOps *ops = report_tool->errors;
    if (!e->where || !ops->supp_match)
        return NULL;
    for (size_t i = 0; i < supps.n && !found; i++)
        if (ops->supp_match(e, &supps.data[i].tool) && frames_match(&supps.data[i], &l))
            found = &supps.data[i];
    vec_free(&l.frame);
    arena_free(&l.arena);
    return found;
}
