/* SPDX-License-Identifier: MIT */
/*
 * The XML output: one tag a line, elements in the order that readers expect (unique, tid,
 * threadname, kind, what or xwhat, stack, auxwhat, stack..., suppression), written error by error.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "coregrind/report/report_internal.h"

void xml_escape(StrBuf *out, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '<')
            strbuf_adds(out, "&lt;");
        else if (c == '>')
            strbuf_adds(out, "&gt;");
        else if (c == '&')
            strbuf_adds(out, "&amp;");
        else if (c >= 0x20 || c == '\n' || c == '\t' || c == '\r')
            strbuf_addc(out, (char)c);
        else
            strbuf_addc(out, '?'); /* not allowed in XML in any form */
    }
}

/** "<tag>text</tag>" on a line of its own; nothing if @p text is NULL. */
static void element(StrBuf *out, unsigned indent, const char *tag, const char *text)
{
    if (!text)
        return;
    strbuf_printf(out, "%*s<%s>", (int)indent, "", tag);
    xml_escape(out, text);
    strbuf_printf(out, "</%s>\n", tag);
}

/* ---- the document --------------------------------------------------------------------------- */

static void put(StrBuf *b)
{
    sink_write(SINK_XML, strbuf_text(b), b->len);
    strbuf_free(b);
}

void xml_status(const char *state)
{
    StrBuf b = { 0 };
    char time[32];
    strbuf_printf(&b, "\n<status>\n  <state>%s</state>\n  <time>%s </time>\n</status>\n\n", state,
                  message_elapsed(time));
    put(&b);
}

void xml_preamble(const ReportTool *tool, const char *const *argv)
{
    StrBuf b = { 0 }, line = { 0 };
    unsigned n;
    strbuf_adds(&b, "<?xml version=\"1.0\"?>\n\n<valgrindoutput>\n\n");
    strbuf_printf(&b, "<protocolversion>%d</protocolversion>\n", (int)core_options->xml_protocol);
    strbuf_printf(&b, "<protocoltool>%s</protocoltool>\n\n<preamble>\n", tool->short_name);
    strbuf_printf(&line, "%s, %s", tool->name, tool->description);
    element(&b, 2, "line", line.s);
    element(&b, 2, "line", tool->copyright);
    strbuf_clear(&line);
    strbuf_printf(&line, REPORT_USING, options_version());
    element(&b, 2, "line", line.s);
    strbuf_clear(&line);
    strbuf_adds(&line, "Command:");
    for (unsigned i = 0; argv[i]; i++)
        strbuf_printf(&line, " %s", argv[i]);
    element(&b, 2, "line", line.s);
    strbuf_printf(&b, "</preamble>\n\n<pid>%d</pid>\n<ppid>%d</ppid>\n<tool>%s</tool>\n",
                  (int)getpid(), (int)getppid(), tool->short_name);
    if (core_options->xml_user_comment)
        strbuf_printf(&b, "<usercomment>%s</usercomment>\n", core_options->xml_user_comment);
    strbuf_adds(&b, "\n<args>\n  <vargv>\n");
    element(&b, 4, "exe", options_argv0());
    const char *const *args = options_all(&n);
    for (unsigned i = 0; i < n; i++)
        element(&b, 4, "arg", args[i]);
    strbuf_adds(&b, "  </vargv>\n  <argv>\n");
    for (unsigned i = 0; argv[i]; i++)
        element(&b, 4, i == 0 ? "exe" : "arg", argv[i]);
    strbuf_adds(&b, "  </argv>\n</args>\n");
    strbuf_free(&line);
    put(&b);
    xml_status("RUNNING");
}

void xml_client_message(unsigned tid, const char *text, const StackTrace *trace)
{
    StrBuf b = { 0 };
    char name[32];
    strbuf_printf(&b, "<clientmsg>\n  <tid>%u</tid>\n", tid);
    if (*report_thread_name(tid, name))
        element(&b, 2, "threadname", name);
    element(&b, 2, "text", text);
    if (trace)
        xml_stack(&b, trace, 2);
    strbuf_adds(&b, "</clientmsg>\n\n");
    put(&b);
}

/* ---- errors ------------------------------------------------------------------------------------ */

typedef struct StackCtx {
    StrBuf *out;
    unsigned indent;
} StackCtx;

static bool add_frame(void *ctx, const FrameInfo *f, unsigned n)
{
    const StackCtx *c = ctx;
    unsigned in = c->indent + 4;
    char num[24];
    (void)n;
    strbuf_printf(c->out, "%*s<frame>\n", (int)c->indent + 2, "");
    snprintf(num, sizeof num, "0x%lX", (unsigned long)f->pc);
    element(c->out, in, "ip", num);
    element(c->out, in, "obj", f->obj);
    element(c->out, in, "fn", f->fn);
    if (f->file && f->line) {
        element(c->out, in, "dir", f->dir);
        element(c->out, in, "file", f->file);
        snprintf(num, sizeof num, "%u", f->line);
        element(c->out, in, "line", num);
    }
    strbuf_printf(c->out, "%*s</frame>\n", (int)c->indent + 2, "");
    return true;
}

void xml_stack(StrBuf *out, const StackTrace *t, unsigned indent)
{
    StackCtx c = { out, indent };
    strbuf_printf(out, "%*s<stack>\n", (int)indent, "");
    frames_walk(t, true, add_frame, &c);
    strbuf_printf(out, "%*s</stack>\n", (int)indent, "");
}

static void xml_begin(ErrorPrinter *p, const GimleError *e)
{
    char name[32];
    unsigned tid = e->tid ? e->tid : 1;
    strbuf_printf(&p->out, "<error>\n  <unique>0x%x</unique>\n  <tid>%u</tid>\n", e->unique, tid);
    if (*report_thread_name(tid, name))
        element(&p->out, 2, "threadname", name);
}

static void xml_what(ErrorPrinter *p, const char *kind, const char *text)
{
    element(&p->out, 2, "kind", kind);
    element(&p->out, 2, "what", text);
}

static void xml_leak(ErrorPrinter *p, const char *kind, uint64_t bytes, uint64_t blocks,
                     const char *text)
{
    element(&p->out, 2, "kind", kind);
    strbuf_adds(&p->out, "  <xwhat>\n");
    element(&p->out, 4, "text", text);
    strbuf_printf(&p->out, "    <leakedbytes>%llu</leakedbytes>\n    <leakedblocks>%llu</leakedblocks>\n",
                  (unsigned long long)bytes, (unsigned long long)blocks);
    strbuf_adds(&p->out, "  </xwhat>\n");
}

static void xml_error_stack(ErrorPrinter *p, const StackTrace *t) { xml_stack(&p->out, t, 2); }
static void xml_aux(ErrorPrinter *p, const char *text) { element(&p->out, 2, "auxwhat", text); }
static void xml_suppression(ErrorPrinter *p, const GimleError *e) { suppress_generate_xml(e, &p->out); }

static void xml_end(ErrorPrinter *p, const GimleError *e)
{
    if (core_options->gen_suppressions == GEN_SUPP_ALL)
        xml_suppression(p, e);
    strbuf_adds(&p->out, "</error>\n\n");
    sink_write(SINK_XML, strbuf_text(&p->out), p->out.len);
}

const PrinterOps xml_printer = {
    .begin = xml_begin, .what = xml_what, .leak = xml_leak, .stack = xml_error_stack,
    .aux = xml_aux, .suppression = xml_suppression, .end = xml_end,
};
