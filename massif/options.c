/* SPDX-License-Identifier: MIT */
/* Massif's options: their values, what several of them mean together, and as text again. */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "massif.h"

MsOptions ms_options = {
    .heap = true, .heap_admin = 8, .depth = 30, .detailed_freq = 10,
    .max_snapshots = 100, .threshold = 1.0, .peak_inaccuracy = 1.0,
    .out_file = "massif.out.%p",
};

static const char *parse_percent(const char *value, double *target)
{
    char *end;
    double v = strtod(value, &end);
    if (end == value || *end || !(v >= 0.0 && v <= 100.0))
        return "expected a percentage, 0 to 100";
    *target = v;
    return NULL;
}

static const char *parse_threshold(const char *value)
{
    return parse_percent(value, &ms_options.threshold);
}

static const char *parse_peak_inaccuracy(const char *value)
{
    return parse_percent(value, &ms_options.peak_inaccuracy);
}

const GimleOption ms_option_table[] = {
#define O ms_options
#define BOOL_OPTION(name, field, help) { name, OPT_BOOL, &O.field, NULL, 0, 0, help, NULL },
#define INT_OPTION(name, field, unit, lo, hi, help) { name, OPT_INT, &O.field, unit, lo, hi, help, NULL },
#define CHOICE_OPTION(name, field, choices, help) { name, OPT_CHOICE, &O.field, choices, 0, 0, help, NULL },
#define STRING_OPTION(name, field, unit, help) { name, OPT_STRING, &O.field, unit, 0, 0, help, NULL },
#define LIST_OPTION(name, field, help) { name, OPT_LIST, &O.field, "name", 0, 0, help, NULL },
#define PERCENT_OPTION(name, field, unit, help) { name, OPT_FUNC, NULL, unit, 0, 0, help, parse_##field },
#include "options.def"
#undef BOOL_OPTION
#undef INT_OPTION
#undef CHOICE_OPTION
#undef STRING_OPTION
#undef LIST_OPTION
#undef PERCENT_OPTION
#undef O
    { .name = NULL }
};

void ms_options_finish(void)
{
    MsOptions *o = &ms_options;
    if (o->pages_as_heap && o->stacks)
        gimle_user_error("--pages-as-heap=yes includes the stacks: it does not go with --stacks=yes");
    if (!o->heap || o->pages_as_heap)
        o->heap_admin = 0;
}

char *ms_options_text(void)
{
    StrBuf b = { 0 };
    unsigned n;
    const char *const *arg = gimle_tool_options(&n);
    for (unsigned i = 0; i < n; i++)
        strbuf_printf(&b, "%s%s", i ? " " : "", arg[i]);
    return b.len ? b.s : strdup("(none)");
}
