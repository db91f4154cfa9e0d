/* SPDX-License-Identifier: MIT */
/* Variable-length numbers and strings of a cursor. */
#include "base/cursor.h"

uint64_t cursor_uleb(Cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        if (c->p == c->end) {
            c->bad = true;
            return 0;
        }
        uint8_t b = *c->p++;
        if (shift < 64)
            v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
}

int64_t cursor_sleb(Cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0;;) {
        if (c->p == c->end) {
            c->bad = true;
            return 0;
        }
        uint8_t b = *c->p++;
        if (shift < 64)
            v |= (uint64_t)(b & 0x7f) << shift;
        shift += 7;
        if (!(b & 0x80)) {
            if (shift < 64 && (b & 0x40))
                v |= ~0ull << shift;
            return (int64_t)v;
        }
    }
}

const char *cursor_string(Cursor *c)
{
    const uint8_t *nul = cursor_left(c) ? memchr(c->p, 0, cursor_left(c)) : NULL;
    if (!nul) {
        c->bad = true;
        c->p = c->end;
        return "";
    }
    const char *s = (const char *)c->p;
    c->p = nul + 1;
    return s;
}

uint64_t cursor_dwarf_length(Cursor *c, unsigned *offset_size)
{
    uint64_t n = cursor_fixed(c, 4);
    *offset_size = 4;
    if (n == 0xffffffff) {
        *offset_size = 8;
        n = cursor_fixed(c, 8);
    }
    return n;
}
