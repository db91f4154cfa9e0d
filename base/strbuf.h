/* SPDX-License-Identifier: MIT */
/* A growing string. */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

/** Zero-initialised is empty; s is NUL-terminated once something was added, else NULL. */
typedef struct StrBuf {
    char *s;
    size_t len, cap;
} StrBuf;

void strbuf_add(StrBuf *b, const char *s, size_t n);
void strbuf_adds(StrBuf *b, const char *s);
void strbuf_addc(StrBuf *b, char c);
void strbuf_printf(StrBuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vprintf(StrBuf *b, const char *fmt, va_list ap);
/** The text, "" if nothing was added. */
const char *strbuf_text(const StrBuf *b);
void strbuf_clear(StrBuf *b);
void strbuf_free(StrBuf *b);

#endif
