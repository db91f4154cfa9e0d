/* SPDX-License-Identifier: MIT */
/*
 * Reading suppressions:
 *   {
 *     name
 *     Tool,Tool:Kind
 *     extra lines that the tool understands
 *     fun:pattern | obj:pattern | src:file[:line] | ...
 *   }
 * Empty lines and lines that start with # do not count.  Suppressions of other tools are skipped.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "coregrind/report/report_internal.h"

typedef struct Reader {
    const char *file;
    char *next;        /**< text not yet read */
    unsigned line;     /**< number of the line last read */
    const char *why;
} Reader;

/** The next line that counts, trimmed; NULL at the end. */
static char *read_line(Reader *r)
{
    while (r->next && *r->next) {
        char *s = r->next, *end = s + strcspn(s, "\n");
        r->next = *end ? end + 1 : end;
        r->line++;
        while (end > s && isspace((unsigned char)end[-1]))
            end--;
        *end = 0;
        s += strspn(s, " \t\r\f\v");
        if (*s && *s != '#')
            return s;
    }
    return NULL;
}

static bool fail(Reader *r, const char *why)
{
    r->why = why;
    return false;
}

/** Is this tool in the comma-separated list at the start of "Tool,Tool:Kind"? */
static bool is_for_us(const char *line, size_t n)
{
    for (const char *s = line; s < line + n;) {
        size_t len = strcspn(s, ",:");
        if (strlen(report_tool->name) == len && memcmp(s, report_tool->name, len) == 0)
            return true;
        s += len + 1;
    }
    return false;
}

static bool parse_frame(Reader *r, char *s, SuppFrame *f)
{
    static const struct { const char *prefix; SuppFrameKind kind; } kinds[] = {
        { "fun:", SUPP_FUN }, { "obj:", SUPP_OBJ }, { "src:", SUPP_SRC },
    };
    *f = (SuppFrame){ .kind = SUPP_ANY };
    if (strcmp(s, "...") == 0)
        return true;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strncmp(s, kinds[i].prefix, 4) != 0)
            continue;
        f->kind = kinds[i].kind;
        f->pattern = strdup(s + 4);
        CHECK(f->pattern != NULL, "out of memory");
        char *colon = f->kind == SUPP_SRC ? strrchr(f->pattern, ':') : NULL;
        if (colon && colon[1] && colon[1 + strspn(colon + 1, "0123456789")] == 0) {
            f->line = (unsigned)strtoul(colon + 1, NULL, 10);
            *colon = 0;
        }
        return true;
    }
    return fail(r, "location should be \"...\", or should start with \"fun:\", \"obj:\", or \"src:\"");
}

/** From the line @p s after the extra lines to the closing brace. */
static bool parse_frames(Reader *r, char *s, Suppression *out)
{
    VEC(SuppFrame) frames = { 0 };
    bool real = false, ok = true;
    while (s && strcmp(s, "}") != 0) {
        SuppFrame f;
        ok = parse_frame(r, s, &f);
        if (!ok)
            break;
        real |= f.kind != SUPP_ANY;
        if (f.kind != SUPP_ANY || frames.n == 0 || frames.data[frames.n - 1].kind != SUPP_ANY)
            vec_push(&frames, f);
        s = read_line(r);
    }
    if (!s)
        ok = fail(r, "unexpected end-of-file (when reading stack trace)");
    if (ok && frames.n == 0)
        ok = fail(r, "missing stack trace");
    else if (ok && !real)
        ok = fail(r, "suppression must contain at least one location line which is not \"...\"");
    out->frame = frames.data;
    out->n_frames = frames.n;
    return ok;
}

static bool skip_to_brace(Reader *r)
{
    for (char *s; (s = read_line(r));)
        if (strcmp(s, "}") == 0)
            return true;
    return fail(r, "unexpected end-of-file (when reading stack trace)");
}

/** One suppression, its opening brace read already. */
static bool parse_one(Reader *r)
{
    Suppression s = { .file = r->file };
    const GimleErrorOps *ops = report_tool->errors;
    char *line = read_line(r);
    if (!line)
        return fail(r, "unexpected end-of-file (expecting a name)");
    if (strcmp(line, "}") == 0)
        return fail(r, "unexpected '}'");
    s.line = r->line;
    s.name = strdup(line);
    CHECK(s.name != NULL, "out of memory");
    line = read_line(r);
    if (!line)
        return fail(r, "unexpected end-of-file (expecting tool:suppr)");
    size_t n = strcspn(line, ":");
    if (!line[n] || n == 0)
        return fail(r, "malformed 'tool1,tool2,...:supp' line");
    if (!ops || !is_for_us(line, n)) {
        free(s.name);
        return skip_to_brace(r);
    }
    if (!ops->supp_recognise(line + n + 1, &s.tool))
        return fail(r, "unknown tool suppression type");
    for (;;) {
        line = read_line(r);
        int taken = line && ops->supp_line && strcmp(line, "}") != 0 ? ops->supp_line(&s.tool, line) : 0;
        if (taken < 0)
            return fail(r, "bad or missing extra suppression info");
        if (taken == 0)
            break;
    }
    if (!parse_frames(r, line, &s))
        return false;
    suppress_add(&s);
    return true;
}

bool suppress_parse(const char *file, char *text, unsigned *line, const char **why)
{
    Reader r = { .file = file, .next = text };
    bool ok = true;
    for (char *s; ok && (s = read_line(&r));)
        ok = strcmp(s, "{") == 0 ? parse_one(&r) : fail(&r, "expected '{' or end-of-file");
    *line = r.line;
    *why = r.why;
    return ok;
}
