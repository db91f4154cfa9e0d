/* SPDX-License-Identifier: MIT */
/* --gen-suppressions: the suppression that would cover an error, in the form suppress_parse.c reads. */
#include <string.h>

#include "coregrind/report/report_internal.h"

static bool add_frame(void *ctx, const FrameInfo *f, unsigned n)
{
    StrBuf *out = ctx;
    const char *name = frame_supp_name(f);
    (void)n;
    if (name)
        strbuf_printf(out, "   fun:%s\n", name);
    else
        strbuf_printf(out, "   obj:%s\n", f->obj ? f->obj : "*");
    return true;
}

void suppress_generate(const GimleError *e, StrBuf *out)
{
    const GimleErrorOps *ops = report_tool->errors;
    const char *kind = ops->supp_name(e);
    const char *extra = ops->supp_extra ? ops->supp_extra(e) : NULL;
    if (!kind)
        return;
    strbuf_printf(out, "{\n   <insert_a_suppression_name_here>\n   %s:%s\n", report_tool->name, kind);
    if (extra)
        strbuf_printf(out, "   %s\n", extra);
    frames_walk(e->where, true, add_frame, out);
    strbuf_adds(out, "}\n");
}

static bool add_xml_frame(void *ctx, const FrameInfo *f, unsigned n)
{
    StrBuf *out = ctx;
    const char *name = frame_supp_name(f);
    const char *tag = name ? "fun" : "obj";
    (void)n;
    strbuf_printf(out, "    <sframe> <%s>", tag);
    xml_escape(out, name ? name : f->obj ? f->obj : "*");
    strbuf_printf(out, "</%s> </sframe>\n", tag);
    return true;
}

void suppress_generate_xml(const GimleError *e, StrBuf *out)
{
    const GimleErrorOps *ops = report_tool->errors;
    const char *kind = ops->supp_name(e);
    const char *extra = ops->supp_extra ? ops->supp_extra(e) : NULL;
    if (!kind)
        return;
    strbuf_adds(out, "  <suppression>\n    <sname>insert_a_suppression_name_here</sname>\n");
    strbuf_printf(out, "    <skind>%s:%s</skind>\n", report_tool->name, kind);
    if (extra) {
        strbuf_adds(out, "    <skaux>");
        xml_escape(out, extra);
        strbuf_adds(out, "</skaux>\n");
    }
    frames_walk(e->where, true, add_xml_frame, out);
    strbuf_adds(out, "    <rawtext>\n<![CDATA[\n");
    suppress_generate(e, out);
    strbuf_adds(out, "]]>\n    </rawtext>\n  </suppression>\n");
}
