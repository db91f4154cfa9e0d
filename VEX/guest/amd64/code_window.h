/* SPDX-License-Identifier: MIT */
/* Which guest code may be read, asked for in pieces so that the question is rare. */
#ifndef VEX_GUEST_AMD64_CODE_WINDOW_H
#define VEX_GUEST_AMD64_CODE_WINDOW_H

#include "guest/lift.h"

enum { CODE_PAGE = 4096, CODE_WINDOW = 4 * CODE_PAGE, MAX_INSN_BYTES = 15, MAX_LOOKS = 12 };

/** Code from start on, up to end, is known to be readable; empty at first. */
typedef struct CodeWindow {
    GuestAddr start, end;
    VexRange looked[MAX_LOOKS]; /**< what code_window_look() was told */
    unsigned n_looked;
    bool looked_too_far;        /**< there was more than that */
    const CodeCopy *copy;       /**< what is in it is read from it; may be NULL */
} CodeWindow;

/** The translation depends on code in [from, to) outside of its own; empty: begins a new range. */
static inline void code_window_look(CodeWindow *w, GuestAddr from, GuestAddr to)
{
    VexRange *last = w->n_looked ? &w->looked[w->n_looked - 1] : NULL;
    if (last && last->addr + last->len == from)
        last->len += (uint32_t)(to - from);
    else if (last && last->len == 0)
        *last = (VexRange){ from, (uint32_t)(to - from) };
    else if (w->n_looked < MAX_LOOKS)
        w->looked[w->n_looked++] = (VexRange){ from, (uint32_t)(to - from) };
    else
        w->looked_too_far = true;
}

/**
 * Bytes of code readable at @p a, at least MAX_INSN_BYTES if there are as many.  The question
 * is asked for whole pages, of which either all bytes may be read or none.
 */
static inline size_t code_window_at(CodeWindow *w, GuestAddr a)
{
    if (a >= w->start && a < w->end && w->end - a >= MAX_INSN_BYTES)
        return w->end - a;
    const VexConfig *c = vex_config();
    GuestAddr page = a & ~(GuestAddr)(CODE_PAGE - 1);
    GuestAddr n = c->code_readable ? c->code_readable(c->code_ctx, page, CODE_WINDOW) : CODE_WINDOW;
    w->start = page;
    w->end = page + n;
    return n > a - page ? n - (a - page) : 0;
}

/** The bytes of the code at @p a, and how many there are (code_window_at()). */
static inline const uint8_t *code_window_bytes(CodeWindow *w, GuestAddr a, size_t *avail)
{
    const uint8_t *p = w->copy ? code_copy_find(w->copy, a, avail) : NULL;
    if (p)
        return p;
    *avail = code_window_at(w, a);
    return (const uint8_t *)a;
}

#endif
