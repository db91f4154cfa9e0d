/* SPDX-License-Identifier: MIT */
/* Which guest code may be read, asked for in pieces so that the question is rare. */
#ifndef VEX_GUEST_AMD64_CODE_WINDOW_H
#define VEX_GUEST_AMD64_CODE_WINDOW_H

#include "vex.h"

enum { CODE_WINDOW = 256, MAX_INSN_BYTES = 15 };

/** Code from start on, up to end, is known to be readable. */
typedef struct CodeWindow {
    GuestAddr start, end;
} CodeWindow;

/** Bytes of code readable at @p a, at least MAX_INSN_BYTES if there are as many. */
static inline size_t code_window_at(CodeWindow *w, GuestAddr a)
{
    if (a >= w->start && a < w->end && w->end - a >= MAX_INSN_BYTES)
        return w->end - a;
    const VexConfig *c = vex_config();
    unsigned n = c->code_readable ? c->code_readable(c->code_ctx, a, CODE_WINDOW) : CODE_WINDOW;
    *w = (CodeWindow){ a, a + n };
    return n;
}

#endif
