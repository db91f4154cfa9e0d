/* SPDX-License-Identifier: MIT */
/*
 * The tool prints an error once per output that is on; these functions hand the parts to the
 * format at work.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "coregrind/report/report_internal.h"

static void format(StrBuf *b, const char *fmt, va_list ap)
{
    strbuf_vprintf(b, fmt, ap);
    while (b->len > 0 && b->s[b->len - 1] == '\n')
        b->s[--b->len] = 0;
}

void gimle_print_what(ErrorPrinter *p, const char *xml_kind, const char *fmt, ...)
{
    StrBuf b = { 0 };
    va_list ap;
    va_start(ap, fmt);
    format(&b, fmt, ap);
    va_end(ap);
    p->ops->what(p, xml_kind, strbuf_text(&b));
    strbuf_free(&b);
}

void gimle_print_xwhat_leak(ErrorPrinter *p, const char *xml_kind, uint64_t bytes, uint64_t blocks,
                            const char *fmt, ...)
{
    StrBuf b = { 0 };
    va_list ap;
    va_start(ap, fmt);
    format(&b, fmt, ap);
    va_end(ap);
    p->ops->leak(p, xml_kind, bytes, blocks, strbuf_text(&b));
    strbuf_free(&b);
}

void gimle_print_stack(ErrorPrinter *p, const StackTrace *t)
{
    if (t)
        p->ops->stack(p, t);
}

void gimle_print_aux(ErrorPrinter *p, const char *fmt, ...)
{
    StrBuf b = { 0 };
    va_list ap;
    va_start(ap, fmt);
    format(&b, fmt, ap);
    va_end(ap);
    const char *text = strbuf_text(&b);
    p->ops->aux(p, text + (*text == ' '));
    strbuf_free(&b);
}

bool gimle_printer_is_xml(const ErrorPrinter *p) { return p->ops == &xml_printer; }

ErrorPrinter *gimle_print_begin_apart(void)
{
    ErrorPrinter *p = malloc(sizeof *p);
    CHECK(p != NULL, "out of memory");
    *p = (ErrorPrinter){ .ops = &text_printer, .sink = SINK_LOG, .list = true };
    return p;
}

void gimle_print_end_apart(ErrorPrinter *p)
{
    message_flush();
    message_lines(MSG_USER, strbuf_text(&p->out), p->out.len);
    strbuf_free(&p->out);
    free(p);
}

static void print_to(const PrinterOps *ops, SinkId sink, const GimleError *e, bool list)
{
    ErrorPrinter p = { .ops = ops, .sink = sink, .list = list };
    ops->begin(&p, e);
    report_tool->errors->print(e, &p);
    ops->end(&p, e);
    strbuf_free(&p.out);
}

void printer_error(const GimleError *e, bool list)
{
    if (sink_is_open(SINK_JSON) && !list)
        print_to(&json_printer, SINK_JSON, e, list);
    if (core_options->xml) {
        if (sink_is_open(SINK_XML) && !list)
            print_to(&xml_printer, SINK_XML, e, list);
        return;
    }
    if (sink_is_open(SINK_LOG))
        print_to(&text_printer, SINK_LOG, e, list);
}
