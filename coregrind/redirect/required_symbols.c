/* SPDX-License-Identifier: MIT */
/*
 * --require-text-symbol=:SONAME:SYMBOL, both patterns: a library of that name without such a function ends
 * the run, so that whoever relies on functions being replaced finds out that they are not there.
 */
#include "coregrind/redirect/required_symbols.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coregrind/core/options.h"
#include "gimle/report.h"

typedef struct Requirement {
    char soname[NAME_MAX], symbol[NAME_MAX];
    bool met;
} Requirement;

/** The first character stands before both patterns. */
static bool parse(const char *spec, Requirement *r)
{
    const char *second = spec[0] ? strchr(spec + 1, spec[0]) : NULL;
    if (!second || second == spec + 1 || !second[1])
        return false;
    int n = (int)(second - spec - 1);
    return snprintf(r->soname, sizeof r->soname, "%.*s", n, spec + 1) < NAME_MAX &&
           snprintf(r->symbol, sizeof r->symbol, "%s", second + 1) < NAME_MAX;
}

void required_symbols_init(void)
{
    const OptList *list = &core_options->require_text_symbol;
    for (size_t i = 0; i < list->n; i++) {
        Requirement r;
        char option[PATH_MAX];
        if (parse(list->item[i], &r))
            continue;
        snprintf(option, sizeof option, "--require-text-symbol=%s", list->item[i]);
        options_bad(option, "Invalid --require-text-symbol= specification.");
    }
}

static bool look_at(void *arg, const char *name, const SymbolInfo *s)
{
    Requirement *r = arg;
    r->met = s->kind != SYM_OBJECT && fnmatch(r->symbol, name, 0) == 0;
    return !r->met;
}

void required_symbols_check(Module *m)
{
    const OptList *list = &core_options->require_text_symbol;
    for (size_t i = 0; i < list->n; i++) {
        Requirement r = { .met = false };
        if (!parse(list->item[i], &r) || fnmatch(r.soname, module_soname(m), 0) != 0)
            continue;
        debuginfo_each_symbol(m, "", true, look_at, &r);
        if (r.met)
            continue;
        const char *us = options_program_name();
        gimle_umsg("\n");
        fprintf(stderr, "%s:  Fatal error at when loading library with soname\n%s:     %s\n"
                "%s:  Cannot find any text symbol with a name that matches the pattern\n%s:     %s\n"
                "%s:  as required by a --require-text-symbol= specification.\n\n"
                "%s:  Cannot continue -- exiting now.\n\n",
                us, us, module_soname(m), us, us, r.symbol, us, us);
        exit(1);
    }
}
