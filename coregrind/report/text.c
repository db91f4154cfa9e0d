/* SPDX-License-Identifier: MIT */
/* Errors as the lines that people and programs read. */
#include <stdatomic.h>
#include <string.h>

#include "coregrind/report/report_internal.h"

#define COLOR_WHAT "\033[1;31m"
#define COLOR_AUX "\033[36m"
#define COLOR_OFF "\033[0m"

/** The thread that the last report was about: a change of it is announced. */
static _Atomic unsigned last_tid = 1;

static void add_line(ErrorPrinter *p, const char *indent, const char *color, const char *text)
{
    bool on = color && sink_color();
    strbuf_printf(&p->out, "%s%s%s%s\n", indent, on ? color : "", text, on ? COLOR_OFF : "");
}

/** Part @p i (0 or 1) of --error-markers as a line. */
static void add_marker(ErrorPrinter *p, int i)
{
    const char *m = core_options->error_markers;
    if (!m || p->list)
        return;
    size_t n = strcspn(m, ",");
    const char *begin = i == 0 ? m : m + n + (m[n] == ',');
    size_t len = i == 0 ? n : strlen(begin);
    if (len > 0)
        strbuf_printf(&p->out, "%.*s\n", (int)len, begin);
}

static void text_begin(ErrorPrinter *p, const GimleError *e)
{
    add_marker(p, 0);
    if (p->list || e->tid == 0 || atomic_exchange(&last_tid, e->tid) == e->tid)
        return;
    char name[32];
    report_thread_name(e->tid, name);
    strbuf_printf(&p->out, "Thread %u%s%s:\n", e->tid, *name ? " " : "", name);
}

static void text_what(ErrorPrinter *p, const char *kind, const char *text)
{
    (void)kind;
    add_line(p, "", COLOR_WHAT, text);
}

static void text_leak(ErrorPrinter *p, const char *kind, uint64_t bytes, uint64_t blocks,
                      const char *text)
{
    (void)bytes, (void)blocks;
    text_what(p, kind, text);
}

static bool add_frame(void *ctx, const FrameInfo *f, unsigned n)
{
    StrBuf *out = ctx;
    strbuf_adds(out, n == 0 ? "   at " : "   by ");
    frame_text(f, out);
    strbuf_addc(out, '\n');
    return true;
}

static void text_stack(ErrorPrinter *p, const StackTrace *t) { frames_walk(t, true, add_frame, &p->out); }
static void text_aux(ErrorPrinter *p, const char *text) { add_line(p, " ", COLOR_AUX, text); }

/** The suppression itself has no prefix, so that it can be copied from the log as it is. */
static void text_suppression(ErrorPrinter *p, const GimleError *e)
{
    StrBuf supp = { 0 };
    suppress_generate(e, &supp);
    message_lines(MSG_USER, strbuf_text(&p->out), p->out.len);
    sink_write(SINK_LOG, strbuf_text(&supp), supp.len);
    strbuf_clear(&p->out);
    strbuf_free(&supp);
}

static void text_end(ErrorPrinter *p, const GimleError *e)
{
    strbuf_addc(&p->out, '\n');
    add_marker(p, 1);
    if (core_options->gen_suppressions == GEN_SUPP_ALL)
        text_suppression(p, e);
    else
        message_lines(MSG_USER, strbuf_text(&p->out), p->out.len);
}

void report_stack(const StackTrace *trace)
{
    StrBuf b = { 0 };
    frames_walk(trace, true, add_frame, &b);
    message_flush();
    message_lines(MSG_USER, strbuf_text(&b), b.len);
    strbuf_free(&b);
}

void report_stack_after(const char *text, const StackTrace *trace)
{
    StrBuf b = { 0 };
    frames_walk(trace, true, add_frame, &b);
    const char *first = strchr(strbuf_text(&b), '\n');
    bool joins = first && *text && text[strlen(text) - 1] != '\n'; /* the first frame ends the line */
    gimle_msg(MSG_CLIENT, "%s%.*s", text, joins ? (int)(first + 1 - b.s) : 0, strbuf_text(&b));
    message_flush();
    const char *rest = joins ? first + 1 : strbuf_text(&b);
    message_lines(MSG_USER, rest, strlen(rest));
    strbuf_free(&b);
}

const PrinterOps text_printer = {
    .begin = text_begin, .what = text_what, .leak = text_leak, .stack = text_stack,
    .aux = text_aux, .suppression = text_suppression, .end = text_end,
};
