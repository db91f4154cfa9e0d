/* SPDX-License-Identifier: MIT */
/*
 * Names of client-side replacements: _vg{r,w}EEEEP{ZU,ZZ}_SONAME_FUNCTION, where EEEE are an
 * equivalence tag (0000: none), P a priority digit, and ZU says that only the soname is Z-encoded, ZZ
 * that both are (documented in valgrind.h and the core manual, "Wrapping Specifications").
 */
#include "client_redirect.h"

#include <string.h>

enum { PREFIX = 4, TAG = 5 };

/** One Z-escape: Za '*', Zp '+', … */
static char z_char(char c)
{
    static const struct { char code, plain; } escape[] = {
        { 'a', '*' }, { 'p', '+' }, { 'c', ':' }, { 'd', '.' }, { 'u', '_' }, { 'h', '-' },
        { 's', ' ' }, { 'A', '@' }, { 'D', '$' }, { 'L', '(' }, { 'P', '%' }, { 'R', ')' },
        { 'S', '/' }, { 'Z', 'Z' },
    };
    for (size_t i = 0; i < sizeof escape / sizeof escape[0]; i++)
        if (escape[i].code == c)
            return escape[i].plain;
    return 0;
}

/** Decode up to @p stop (or the end); returns what follows, NULL if malformed or too long. */
static const char *z_decode(const char *s, char stop, char *out, size_t size)
{
    size_t n = 0;
    while (*s && *s != stop) {
        char c = *s++;
        if (c == 'Z' && !(c = z_char(*s++)))
            return NULL;
        if (n + 1 >= size)
            return NULL;
        out[n++] = c;
    }
    out[n] = 0;
    return s;
}

bool client_redirect_parse(const char *name, ClientRedirect *out)
{
    if (strncmp(name, "_vgr", PREFIX) != 0 && strncmp(name, "_vgw", PREFIX) != 0)
        return false;
    out->wrap = name[PREFIX - 1] == 'w';
    const char *s = name + PREFIX;
    if (strlen(s) < TAG + 3 || s[TAG] != 'Z' || (s[TAG + 1] != 'U' && s[TAG + 1] != 'Z') ||
        s[TAG + 2] != '_')
        return false;
    bool encoded = s[TAG + 1] == 'Z';
    s = z_decode(s + TAG + 3, '_', out->soname, sizeof out->soname);
    if (!s || *s != '_')
        return false;
    s++;
    if (encoded)
        return z_decode(s, 0, out->function, sizeof out->function) != NULL;
    if (strlen(s) >= sizeof out->function)
        return false;
    strcpy(out->function, s);
    return true;
}
