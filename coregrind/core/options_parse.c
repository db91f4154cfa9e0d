/* SPDX-License-Identifier: MIT */
/*
 * One function per OptType turns text into the target's value; errors are sentences, printed by the
 * caller.  The values shown as defaults in help are the targets' own before anything was parsed.
 */
#include "coregrind/core/options_parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/** Index of @p s (of @p n bytes) in the list "a|b|c", or -1. */
static int choice_index(const char *choices, const char *s, size_t n)
{
    int i = 0;
    for (const char *c = choices; *c; i++) {
        size_t len = strcspn(c, "|");
        if (len == n && memcmp(c, s, n) == 0)
            return i;
        c += len;
        c += *c == '|';
    }
    return -1;
}

/** The i-th of the list "a|b|c" and its length. */
static const char *choice_name(const char *choices, int i, size_t *len)
{
    const char *c = choices;
    for (; i > 0; i--) {
        c += strcspn(c, "|");
        c += *c == '|';
    }
    *len = strcspn(c, "|");
    return c;
}

static int choice_count(const char *choices)
{
    int n = 1;
    for (const char *c = choices; *c; c++)
        n += *c == '|';
    return n;
}

static bool parse_bool(const GimleOption *row, const char *value, StrBuf *why)
{
    bool yes = strcmp(value, "yes") == 0;
    if (!yes && strcmp(value, "no") != 0) {
        strbuf_printf(why, "Invalid boolean value '%s' (should be 'yes' or 'no')", value);
        return false;
    }
    if (row->target)
        *(bool *)row->target = yes;
    return true;
}

static bool parse_int(const GimleOption *row, const char *value, StrBuf *why)
{
    char *end;
    errno = 0;
    long long v = strtoll(value, &end, 10);
    if (end == value || *end || errno) {
        strbuf_printf(why, "Invalid integer value '%s'", value);
        return false;
    }
    if (v < row->lo || v > row->hi) {
        strbuf_printf(why, "'%s' argument must be between %" PRId64 " and %" PRId64, row->name,
                      row->lo, row->hi);
        return false;
    }
    if (row->target)
        *(int64_t *)row->target = v;
    return true;
}

static bool parse_choice(const GimleOption *row, const char *value, StrBuf *why)
{
    int i = choice_index(row->choices, value, strlen(value));
    if (i < 0) {
        strbuf_printf(why, "Invalid value '%s' (should be one of %s)", value, row->choices);
        return false;
    }
    if (row->target)
        *(int *)row->target = i;
    return true;
}

/** "a,b", "all" or "none" into bits. */
static bool parse_set(const GimleOption *row, const char *value, StrBuf *why)
{
    unsigned bits = 0, all = (1u << choice_count(row->choices)) - 1;
    for (const char *s = value;; ) {
        size_t n = strcspn(s, ",");
        int i = choice_index(row->choices, s, n);
        if (i >= 0) {
            bits |= 1u << i;
        } else if (n == 3 && memcmp(s, "all", 3) == 0) {
            bits = all;
        } else if (n != 4 || memcmp(s, "none", 4) != 0) {
            strbuf_printf(why, "%s is an invalid %s set", value, row->name + 2);
            return false;
        }
        if (!s[n])
            break;
        s += n + 1;
    }
    if (row->target)
        *(unsigned *)row->target = bits;
    return true;
}

static bool parse_string(const GimleOption *row, const char *value, StrBuf *why)
{
    (void)why;
    if (row->target)
        *(const char **)row->target = value;
    return true;
}

static bool parse_list(const GimleOption *row, const char *value, StrBuf *why)
{
    (void)why;
    OptList *l = row->target;
    if (l) {
        const char **item = realloc(l->item, (l->n + 1) * sizeof *item);
        CHECK(item != NULL, "out of memory");
        l->item = item;
        l->item[l->n++] = value;
    }
    return true;
}

static bool parse_func(const GimleOption *row, const char *value, StrBuf *why)
{
    const char *bad = row->parse(value);
    if (bad)
        strbuf_adds(why, bad);
    return bad == NULL;
}

static bool (*const parsers[])(const GimleOption *, const char *, StrBuf *) = {
    [OPT_BOOL] = parse_bool,     [OPT_INT] = parse_int,   [OPT_STRING] = parse_string,
    [OPT_CHOICE] = parse_choice, [OPT_SET] = parse_set,   [OPT_LIST] = parse_list,
    [OPT_FUNC] = parse_func,
};

OptResult option_parse_arg(const GimleOption *rows, const char *arg, StrBuf *why)
{
    size_t n = strcspn(arg, "=");
    for (const GimleOption *row = rows; row && row->name; row++) {
        if (strlen(row->name) != n || memcmp(row->name, arg, n) != 0)
            continue;
        bool flag = row->type == OPT_FLAG;
        if (flag != (arg[n] == 0))
            continue;
        if (!flag)
            return parsers[row->type](row, arg + n + 1, why) ? OPTION_TAKEN : OPTION_BAD;
        if (row->target)
            ++*(int *)row->target;
        return OPTION_TAKEN;
    }
    return OPTION_UNKNOWN;
}

/* ---- help ------------------------------------------------------------------------------ */

static void add_default(const GimleOption *row, StrBuf *out)
{
    size_t len;
    if (!row->target)
        return;
    switch (row->type) {
    case OPT_BOOL:
        strbuf_printf(out, " [%s]", *(bool *)row->target ? "yes" : "no");
        break;
    case OPT_INT:
        strbuf_printf(out, " [%" PRId64 "]", *(int64_t *)row->target);
        break;
    case OPT_STRING:
        if (*(const char **)row->target)
            strbuf_printf(out, " [%s]", *(const char **)row->target);
        break;
    case OPT_CHOICE: {
        const char *name = choice_name(row->choices, *(int *)row->target, &len);
        strbuf_printf(out, " [%.*s]", (int)len, name);
        break;
    }
    case OPT_SET: {
        unsigned bits = *(unsigned *)row->target;
        const char *sep = "";
        strbuf_adds(out, " [");
        for (int i = 0; i < choice_count(row->choices); i++) {
            if (!(bits >> i & 1))
                continue;
            const char *name = choice_name(row->choices, i, &len);
            strbuf_printf(out, "%s%.*s", sep, (int)len, name);
            sep = ",";
        }
        strbuf_adds(out, bits ? "]" : "none]");
        break;
    }
    default:
        break;
    }
}

/** What stands after the '='. */
static void add_value(const GimleOption *row, StrBuf *out)
{
    if (row->type == OPT_BOOL)
        strbuf_adds(out, "=no|yes");
    else if (row->type == OPT_CHOICE)
        strbuf_printf(out, "=%s", row->choices);
    else if (row->type == OPT_SET)
        strbuf_adds(out, "=name,...");
    else if (row->type != OPT_FLAG)
        strbuf_printf(out, "=<%s>", row->choices ? row->choices : "text");
}

/** Append words of @p text, broken so that lines stay below 80 columns, at column 30. */
static void add_wrapped(const char *text, StrBuf *out)
{
    enum { INDENT = 30, WIDTH = 80 };
    size_t col = INDENT;
    for (const char *s = text; *s;) {
        size_t n = strcspn(s, " ");
        if (col > INDENT && col + 1 + n > WIDTH) {
            strbuf_printf(out, "\n%*s", INDENT, "");
            col = INDENT;
        } else if (col > INDENT) {
            strbuf_addc(out, ' ');
            col++;
        }
        strbuf_add(out, s, n);
        col += n;
        s += n + (s[n] == ' ');
    }
    strbuf_addc(out, '\n');
}

void option_help_line(const GimleOption *row, StrBuf *out)
{
    if (!row->help)
        return;
    StrBuf left = { 0 }, right = { 0 };
    strbuf_printf(&left, "    %s", row->name);
    add_value(row, &left);
    strbuf_adds(&right, row->help);
    add_default(row, &right);
    if (row->type == OPT_SET) {
        strbuf_adds(&right, "; names: ");
        for (const char *c = row->choices; *c; c++)
            strbuf_adds(&right, *c == '|' ? ", " : (char[]){ *c, 0 });
        strbuf_adds(&right, ", all, none");
    }
    if (left.len > 28)
        strbuf_printf(out, "%s\n%30s", left.s, "");
    else
        strbuf_printf(out, "%-30s", left.s);
    add_wrapped(strbuf_text(&right), out);
    strbuf_free(&left);
    strbuf_free(&right);
}

int64_t option_number(const GimleOption *row)
{
    if (!row->target)
        return -1;
    switch (row->type) {
    case OPT_BOOL:
        return *(bool *)row->target;
    case OPT_INT:
        return *(int64_t *)row->target;
    case OPT_SET:
        return *(unsigned *)row->target;
    case OPT_CHOICE:
    case OPT_FLAG:
        return *(int *)row->target;
    default:
        return -1;
    }
}
