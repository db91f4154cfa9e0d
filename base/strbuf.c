/* SPDX-License-Identifier: MIT */
/* See strbuf.h. */
#include "strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static void strbuf_reserve(StrBuf *b, size_t more)
{
    if (b->len + more + 1 <= b->cap)
        return;
    size_t cap = (b->len + more + 1) * 2;
    char *s = realloc(b->s, cap);
    CHECK(s != NULL, "out of memory: %zu bytes of text", cap);
    b->s = s;
    b->cap = cap;
}

void strbuf_add(StrBuf *b, const char *s, size_t n)
{
    strbuf_reserve(b, n);
    memcpy(b->s + b->len, s, n);
    b->len += n;
    b->s[b->len] = 0;
}

void strbuf_adds(StrBuf *b, const char *s) { strbuf_add(b, s, strlen(s)); }
void strbuf_addc(StrBuf *b, char c) { strbuf_add(b, &c, 1); }

void strbuf_vprintf(StrBuf *b, const char *fmt, va_list ap)
{
    va_list ap2;
    va_copy(ap2, ap);
    int n = vsnprintf(NULL, 0, fmt, ap2);
    va_end(ap2);
    if (n <= 0)
        return;
    strbuf_reserve(b, (size_t)n);
    vsnprintf(b->s + b->len, (size_t)n + 1, fmt, ap);
    b->len += (size_t)n;
}

void strbuf_printf(StrBuf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    strbuf_vprintf(b, fmt, ap);
    va_end(ap);
}

const char *strbuf_text(const StrBuf *b) { return b->s ? b->s : ""; }

void strbuf_clear(StrBuf *b)
{
    b->len = 0;
    if (b->s)
        b->s[0] = 0;
}

void strbuf_free(StrBuf *b)
{
    free(b->s);
    *b = (StrBuf){ 0 };
}
