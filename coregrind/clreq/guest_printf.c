/* SPDX-License-Identifier: MIT */
/*
 * The client's printf messages are formatted here, since its arguments are in its memory: each
 * conversion is cut out, checked, and handed to the host's printf with an argument fetched through
 * the client's va_list.  %n is refused, strings are read with checks and limited.
 */
#include "coregrind/clreq/guest_printf.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "coregrind/os/safe_copy.h"

enum { MAX_FORMAT = 1 << 16, MAX_STRING = 1 << 16, MAX_WIDTH = 4096 };

/** The va_list of the amd64 calling convention. */
typedef struct GuestVaList {
    uint32_t gp_offset, fp_offset;
    uint64_t overflow, reg_save;
} GuestVaList;

static uint64_t next_integer(GuestVaList *v)
{
    uint64_t x = 0, from;
    if (v->gp_offset < 48) {
        from = v->reg_save + v->gp_offset;
        v->gp_offset += 8;
    } else {
        from = v->overflow;
        v->overflow += 8;
    }
    return safe_read(from, &x, sizeof x) ? x : 0;
}

static double next_double(GuestVaList *v)
{
    double x = 0;
    uint64_t from;
    if (v->fp_offset < 176) {
        from = v->reg_save + v->fp_offset;
        v->fp_offset += 16;
    } else {
        from = v->overflow;
        v->overflow += 8;
    }
    return safe_read(from, &x, sizeof x) ? x : 0;
}

static long double next_long_double(GuestVaList *v)
{
    long double x = 0;
    uint64_t from = (v->overflow + 15) & ~15ULL;
    v->overflow = from + 16;
    return safe_read(from, &x, 10) ? x : 0;
}

/** Up to @p max bytes of the string at @p a. */
static void read_string(StrBuf *out, GuestAddr a, size_t max)
{
    while (max > 0) {
        char buf[256];
        size_t want = max < sizeof buf ? max : sizeof buf;
        size_t got = safe_read_some(a, buf, want), len = strnlen(buf, got);
        strbuf_add(out, buf, len);
        if (len < got || got < want)
            break;
        a += got;
        max -= got;
    }
}

/** One conversion specification, taken apart. */
typedef struct Spec {
    char text[64];     /**< "%-5l" with stars replaced; the conversion is appended */
    size_t n;
    int precision;     /**< -1: none */
    char length;       /**< 'H' hh, 'h', 0, 'l', 'L' (long double), 'q' for ll, j, z, t */
    char conversion;
} Spec;

static void spec_add(Spec *s, char c)
{
    if (s->n < sizeof s->text - 4)
        s->text[s->n++] = c;
}

/** A number or '*' at *f: appended to the text, its value returned. */
static int parse_number(Spec *s, const char **f, GuestVaList *v)
{
    int x = 0;
    char digits[16];
    if (**f == '*') {
        ++*f;
        x = (int)next_integer(v);
    } else {
        for (; **f >= '0' && **f <= '9'; ++*f)
            if (x < MAX_WIDTH)
                x = x * 10 + (**f - '0');
    }
    x = x > MAX_WIDTH ? MAX_WIDTH : x < -MAX_WIDTH ? -MAX_WIDTH : x;
    int n = snprintf(digits, sizeof digits, "%d", x);
    for (int i = 0; i < n; i++)
        spec_add(s, digits[i]);
    return x;
}

/** Parse after the '%'; returns what follows. */
static const char *parse_spec(const char *f, Spec *s, GuestVaList *v)
{
    *s = (Spec){ .text = "%", .n = 1, .precision = -1 };
    while (*f && strchr("-+ #0", *f))
        spec_add(s, *f++);
    if (*f == '*' || (*f >= '1' && *f <= '9'))
        parse_number(s, &f, v);
    if (*f == '.') {
        spec_add(s, *f++);
        s->precision = parse_number(s, &f, v);
    }
    for (; *f && strchr("hlqjztL", *f); f++)
        s->length = *f == 'h' ? (s->length == 'h' ? 'H' : 'h')
                    : *f == 'l' ? (s->length == 'l' ? 'q' : 'l') : *f == 'L' ? 'L' : 'q';
    s->conversion = *f;
    return *f ? f + 1 : f;
}

static void put(StrBuf *out, Spec *s, const char *suffix, uint64_t x)
{
    memcpy(s->text + s->n, suffix, strlen(suffix) + 1);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    strbuf_printf(out, s->text, x);
#pragma GCC diagnostic pop
}

/** Narrow @p x to the length modifier. */
static uint64_t narrow(const Spec *s, uint64_t x, bool is_signed)
{
    switch (s->length) {
    case 'H':
        return is_signed ? (uint64_t)(int64_t)(int8_t)x : (uint8_t)x;
    case 'h':
        return is_signed ? (uint64_t)(int64_t)(int16_t)x : (uint16_t)x;
    case 0:
        return is_signed ? (uint64_t)(int64_t)(int32_t)x : (uint32_t)x;
    default:
        return x;
    }
}

static void put_string(StrBuf *out, Spec *s, GuestAddr a)
{
    StrBuf text = { 0 };
    size_t max = s->precision >= 0 && s->precision < MAX_STRING ? (size_t)s->precision : MAX_STRING;
    if (a)
        read_string(&text, a, max);
    else
        strbuf_adds(&text, "(null)");
    put(out, s, "s", (uint64_t)(uintptr_t)strbuf_text(&text));
    strbuf_free(&text);
}

static void put_float(StrBuf *out, Spec *s, GuestVaList *v)
{
    char suffix[] = { 'L', s->conversion, 0 };
    long double x = s->length == 'L' ? next_long_double(v) : (long double)next_double(v);
    memcpy(s->text + s->n, suffix, sizeof suffix);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    strbuf_printf(out, s->text, x);
#pragma GCC diagnostic pop
}

static void put_spec(StrBuf *out, Spec *s, GuestVaList *v)
{
    char integer[] = { 'l', s->conversion, 0 };
    if (s->conversion == 0)
        return;
    if (s->conversion == '%')
        strbuf_addc(out, '%');
    else if (strchr("di", s->conversion))
        put(out, s, integer, narrow(s, next_integer(v), true));
    else if (strchr("uoxX", s->conversion))
        put(out, s, integer, narrow(s, next_integer(v), false));
    else if (s->conversion == 'c')
        put(out, s, "c", (unsigned char)next_integer(v));
    else if (s->conversion == 'p')
        put(out, s, "p", next_integer(v));
    else if (s->conversion == 's')
        put_string(out, s, next_integer(v));
    else if (strchr("fFeEgGaA", s->conversion))
        put_float(out, s, v);
    else
        strbuf_printf(out, "%%%c", s->conversion);
}

void guest_printf(StrBuf *out, GuestAddr format, GuestAddr va_list)
{
    GuestVaList v = { 0 };
    StrBuf fmt = { 0 };
    safe_read(va_list, &v, sizeof v);
    read_string(&fmt, format, MAX_FORMAT);
    for (const char *f = strbuf_text(&fmt); *f;) {
        size_t n = strcspn(f, "%");
        strbuf_add(out, f, n);
        f += n;
        if (*f == '%') {
            Spec s;
            f = parse_spec(f + 1, &s, &v);
            put_spec(out, &s, &v);
        }
    }
    strbuf_free(&fmt);
}
