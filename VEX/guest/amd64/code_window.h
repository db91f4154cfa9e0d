/* SPDX-License-Identifier: MIT */
/* Which guest code may be read, asked for in pieces so that the question is rare. */
#ifndef VEX_GUEST_AMD64_CODE_WINDOW_H
#define VEX_GUEST_AMD64_CODE_WINDOW_H

#include "vex.h"

enum { CODE_PAGE = 4096, CODE_WINDOW = 4 * CODE_PAGE, MAX_INSN_BYTES = 15 };

/** Code from start on, up to end, is known to be readable; empty at first. */
typedef struct CodeWindow {
    GuestAddr start, end;
} CodeWindow;

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
    *w = (CodeWindow){ page, page + n };
    return n > a - page ? n - (a - page) : 0;
}

#endif
