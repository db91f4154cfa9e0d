/* SPDX-License-Identifier: MIT */
/*
 * Errors as JSON, one object a line:
 *   {"unique":0,"tid":1,"kind":"InvalidRead","what":"Invalid read of size 4",
 *    "details":[{"stack":[{"ip":"0x1","fn":"main","file":"a.c","line":2}]},{"text":"Address …"}]}
 */
#include <string.h>

#include "coregrind/report/report_internal.h"

static void add_string(StrBuf *out, const char *s)
{
    strbuf_addc(out, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            strbuf_addc(out, '\\');
        if (c < 0x20)
            strbuf_printf(out, "\\u%04x", c);
        else
            strbuf_addc(out, (char)c);
    }
    strbuf_addc(out, '"');
}

static void add_member(StrBuf *out, const char *name, const char *value)
{
    if (!value)
        return;
    strbuf_printf(out, ",\"%s\":", name);
    add_string(out, value);
}

static void json_begin(ErrorPrinter *p, const GimleError *e)
{
    char name[32];
    strbuf_printf(&p->out, "{\"unique\":%u,\"tid\":%u", e->unique, e->tid);
    if (*report_thread_name(e->tid, name))
        add_member(&p->out, "threadname", name);
}

static void json_what(ErrorPrinter *p, const char *kind, const char *text)
{
    add_member(&p->out, "kind", kind);
    add_member(&p->out, "what", text);
}

static void json_leak(ErrorPrinter *p, const char *kind, uint64_t bytes, uint64_t blocks,
                      const char *text)
{
    json_what(p, kind, text);
    strbuf_printf(&p->out, ",\"leakedbytes\":%llu,\"leakedblocks\":%llu", (unsigned long long)bytes,
                  (unsigned long long)blocks);
}

/** The next entry of "details". */
static void next_part(ErrorPrinter *p) { strbuf_adds(&p->out, p->parts++ ? "," : ",\"details\":["); }

static bool add_frame(void *ctx, const FrameInfo *f, unsigned n)
{
    StrBuf *out = ctx;
    strbuf_printf(out, "%s{\"ip\":\"0x%lX\"", n ? "," : "", (unsigned long)f->pc);
    add_member(out, "obj", f->obj);
    add_member(out, "fn", f->fn);
    if (f->file && f->line) {
        add_member(out, "dir", f->dir);
        add_member(out, "file", f->file);
        strbuf_printf(out, ",\"line\":%u", f->line);
    }
    strbuf_addc(out, '}');
    return true;
}

static void json_stack(ErrorPrinter *p, const StackTrace *t)
{
    next_part(p);
    strbuf_adds(&p->out, "{\"stack\":[");
    frames_walk(t, true, add_frame, &p->out);
    strbuf_adds(&p->out, "]}");
}

static void json_aux(ErrorPrinter *p, const char *text)
{
    next_part(p);
    strbuf_adds(&p->out, "{\"text\":");
    add_string(&p->out, text);
    strbuf_addc(&p->out, '}');
}

static void json_suppression(ErrorPrinter *p, const GimleError *e)
{
    StrBuf supp = { 0 };
    suppress_generate(e, &supp);
    add_member(&p->out, "suppression", strbuf_text(&supp));
    strbuf_free(&supp);
}

static void json_end(ErrorPrinter *p, const GimleError *e)
{
    if (p->parts)
        strbuf_addc(&p->out, ']');
    if (core_options->gen_suppressions == GEN_SUPP_ALL)
        json_suppression(p, e);
    strbuf_adds(&p->out, "}\n");
    sink_write(SINK_JSON, strbuf_text(&p->out), p->out.len);
}

const PrinterOps json_printer = {
    .begin = json_begin, .what = json_what, .leak = json_leak, .stack = json_stack,
    .aux = json_aux, .suppression = json_suppression, .end = json_end,
};
