/* SPDX-License-Identifier: MIT */
/* See fake_tool.h: kind 1 is "Bad", kind 2 is "Param" with an extra line. */
#include "fake_tool.h"

#include <stdlib.h>
#include <string.h>

static bool equal(const GimleError *a, const GimleError *b) { return a->addr == b->addr; }

static void print(const GimleError *e, ErrorPrinter *p)
{
    gimle_print_what(p, "BadThing", "Bad thing of size %d", (int)e->kind);
    gimle_print_stack(p, e->where);
    if (e->addr)
        gimle_print_aux(p, " Address 0x%lx is <odd>", (unsigned long)e->addr);
}

static const char *supp_name(const GimleError *e) { return e->kind == 1 ? "Bad" : "Param"; }
static const char *supp_extra(const GimleError *e) { return e->kind == 2 ? e->string : NULL; }

static bool recognise(const char *name, GimleSupp *s)
{
    s->kind = strcmp(name, "Bad") == 0 ? 1 : strcmp(name, "Param") == 0 ? 2 : 0;
    return s->kind != 0;
}

static int supp_line(GimleSupp *s, const char *line)
{
    if (s->kind != 2 || s->string)
        return 0;
    if (strncmp(line, "fun:", 4) == 0 || strncmp(line, "obj:", 4) == 0)
        return -1;
    s->string = strdup(line);
    return 1;
}

static bool supp_match(const GimleError *e, const GimleSupp *s)
{
    return e->kind == s->kind && (!s->string || (e->string && strcmp(s->string, e->string) == 0));
}

static const GimleErrorOps ops = {
    .equal = equal, .print = print, .supp_name = supp_name, .supp_recognise = recognise,
    .supp_line = supp_line, .supp_match = supp_match, .supp_extra = supp_extra,
};

const ReportTool fake_tool = {
    .name = "Faketool", .short_name = "faketool", .description = "a test", .copyright = "(c)",
    .errors = &ops,
};
