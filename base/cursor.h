/* SPDX-License-Identifier: MIT */
/*
 * Reading binary data that may be bad: a cursor never leaves its bytes.  Reading past the end
 * yields zeros and sets bad, so callers test once after several reads.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Cursor {
    const uint8_t *p, *end;
    bool bad;
} Cursor;

/** Cursor at @p offset of @p size bytes at @p data; bad if that is outside. */
static inline Cursor cursor_at(const void *data, size_t size, uint64_t offset)
{
    if (!data || offset > size)
        return (Cursor){.bad = true};
    return (Cursor){(const uint8_t *)data + offset, (const uint8_t *)data + size, false};
}

static inline size_t cursor_left(const Cursor *c)
{
    return (size_t)(c->end - c->p);
}

/** Little-endian number of @p n <= 8 bytes. */
static inline uint64_t cursor_fixed(Cursor *c, unsigned n)
{
    uint64_t v = 0;
    if (cursor_left(c) < n) {
        c->bad = true;
        c->p = c->end;
        return 0;
    }
    memcpy(&v, c->p, n);
    c->p += n;
    return v;
}

/** Likewise, sign-extended; n > 0. */
static inline int64_t cursor_signed(Cursor *c, unsigned n)
{
    unsigned shift = 64 - 8 * n;
    return (int64_t)(cursor_fixed(c, n) << shift) >> shift;
}

static inline void cursor_skip(Cursor *c, uint64_t n)
{
    if (cursor_left(c) < n) {
        c->bad = true;
        n = cursor_left(c);
    }
    c->p += n;
}

/** Restrict @p c to its next @p length bytes; bad if there are fewer. */
static inline void cursor_limit(Cursor *c, uint64_t length)
{
    if (length > cursor_left(c))
        c->bad = true;
    else
        c->end = c->p + length;
}

/** LEB128; bits above 64 are dropped. */
uint64_t cursor_uleb(Cursor *c);
int64_t cursor_sleb(Cursor *c);
/** NUL-terminated string, "" if it does not end. */
const char *cursor_string(Cursor *c);
/** DWARF's initial length: 4 or 12 bytes; sets the size of offsets that follow (4 or 8). */
uint64_t cursor_dwarf_length(Cursor *c, unsigned *offset_size);

#endif
