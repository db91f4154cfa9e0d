/* SPDX-License-Identifier: MIT */
/* Names as the programmer wrote them: C++, Rust and D by their prefixes, Ada's main program. */
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "coregrind/debuginfo/debuginfo_internal.h"

static char *demangle_by_prefix(const char *name)
{
    int style = DMGL_PARAMS | DMGL_ANSI;
    if (strncmp(name, "_Z", 2) == 0 || strncmp(name, "___Z", 4) == 0 ||
        strncmp(name, "_R", 2) == 0 || strncmp(name, "_GLOBAL_", 8) == 0)
        return cplus_demangle(name, style | DMGL_AUTO);
    if (strncmp(name, "_D", 2) == 0)
        return dlang_demangle(name, style);
    if (strncmp(name, "_ada_", 5) == 0)
        return ada_demangle(name, 0);
    return NULL;
}

const char *demangle_name(const char *name, Arena *a)
{
    if (!name || name[0] != '_' || !debuginfo_options.demangle)
        return name;
    /* A symbol version is no part of the mangled name. */
    const char *version = strchr(name, '@');
    const char *base = version ? arena_printf(a, "%.*s", (int)(version - name), name) : name;
    char *s = demangle_by_prefix(base);
    if (!s)
        return name;
    const char *copy = arena_strdup(a, s);
    free(s);
    return copy;
}

const char *debuginfo_demangle(const char *name, Arena *a)
{
    return demangle_name(name, a);
}
