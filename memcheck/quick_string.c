/* SPDX-License-Identifier: MIT */
/*
 * Quick forms of the string and memory functions: data and shadow are looked at in one pass of
 * vectors.  Whatever is not simply right, an undefined byte, one that is not addressable, an
 * overlap, is left to the full forms, which look again.  Aligned vectors do not cross a page, so they
 * may be read as soon as one of their bytes may.
 */
#include "quick_string.h"

#include <emmintrin.h>
#include <string.h>

#include "shadow/shadow.h"

enum { VEC = 16, PAGE = 4096, SMALL = 64 };

#define ARGS                                                                               \
    uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, struct VexState *s,                \
        const Intercept *what
#define UNUSED(...) (void)(uint64_t[]){ __VA_ARGS__ }, (void)what

/** What a search may end at, besides its limit. */
typedef enum Ends { ENDS_NUL = 1, ENDS_BYTE = 2, ENDS_LIMIT = 4 } Ends;

#define NOT_FOUND SIZE_MAX
#define NOT_QUICK (SIZE_MAX - 1)

static inline __m128i load(GuestAddr a) { return _mm_load_si128((const __m128i *)(uintptr_t)a); }
static inline __m128i loadu(GuestAddr a) { return _mm_loadu_si128((const __m128i *)(uintptr_t)a); }
static inline __m128i shadow(GuestAddr a)
{
    return _mm_loadu_si128((const __m128i *)(const void *)gimle_shadow(a));
}

/** Bit i: byte i is not zero. */
static inline unsigned nonzero(__m128i v)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128())) ^ 0xffff;
}

static inline GuestQuick done(struct VexState *s, uint64_t v)
{
    mc_result_is_defined(s);
    return guest_quick_done(v);
}

static inline bool in_range(GuestAddr a, size_t n)
{
    return a < GIMLE_CLIENT_END && n <= GIMLE_CLIENT_END - a;
}

/* ---- searching ---------------------------------------------------------------------- */

/**
 * Offset from @p a of the first byte that ends the search, NOT_FOUND if the limit does; every byte
 * up to there is defined, else NOT_QUICK.
 */
static inline __attribute__((always_inline)) size_t find(GuestAddr a, size_t limit, int byte, Ends ends)
{
    const __m128i zero = _mm_setzero_si128(), want = _mm_set1_epi8((char)byte);
    GuestAddr p = a & ~(GuestAddr)(VEC - 1);
    unsigned valid = 0xffffu << (a - p);
    if (a >= GIMLE_CLIENT_END)
        return NOT_QUICK;
    if ((ends & ENDS_LIMIT) && limit == 0)
        return NOT_FOUND;
    if (limit > GIMLE_CLIENT_END)
        limit = GIMLE_CLIENT_END;
    for (;; p += VEC, valid = 0xffff) {
        __m128i v = load(p);
        unsigned hit = 0, bad = nonzero(shadow(p)) & valid;
        if (ends & ENDS_NUL)
            hit |= (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, zero));
        if (ends & ENDS_BYTE)
            hit |= (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, want));
        hit &= valid;
        if (ends & ENDS_LIMIT) {
            size_t left = limit - (size_t)(p - a); /* from p on, also where p is before a */
            if (left <= VEC && (hit == 0 || (size_t)__builtin_ctz(hit) >= left))
                return bad & ((1u << left) - 1) ? NOT_QUICK : NOT_FOUND;
        }
        if (hit) {
            unsigned up_to = hit ^ (hit - 1);
            return bad & up_to ? NOT_QUICK : (size_t)(p - a) + (unsigned)__builtin_ctz(hit);
        }
        if (bad)
            return NOT_QUICK;
    }
}

GuestQuick quick_strlen(ARGS)
{
    UNUSED(a1, a2, a3);
    size_t n = find(a0, 0, 0, ENDS_NUL);
    return n == NOT_QUICK ? guest_quick_declined() : done(s, n);
}

GuestQuick quick_strnlen(ARGS)
{
    UNUSED(a2, a3);
    size_t n = find(a0, a1, 0, ENDS_NUL | ENDS_LIMIT);
    return n == NOT_QUICK ? guest_quick_declined() : done(s, n == NOT_FOUND ? a1 : n);
}

GuestQuick quick_strchr(ARGS)
{
    UNUSED(a2, a3);
    size_t n = find(a0, 0, (int)a1, ENDS_NUL | ENDS_BYTE);
    if (n == NOT_QUICK)
        return guest_quick_declined();
    return done(s, *(const char *)(uintptr_t)(a0 + n) == (char)a1 ? a0 + n : 0);
}

GuestQuick quick_strchrnul(ARGS)
{
    UNUSED(a2, a3);
    size_t n = find(a0, 0, (int)a1, ENDS_NUL | ENDS_BYTE);
    return n == NOT_QUICK ? guest_quick_declined() : done(s, a0 + n);
}

GuestQuick quick_strrchr(ARGS)
{
    UNUSED(a2, a3);
    size_t n = find(a0, 0, 0, ENDS_NUL);
    if (n == NOT_QUICK)
        return guest_quick_declined();
    return done(s, (uint64_t)(uintptr_t)memrchr((const void *)(uintptr_t)a0, (int)a1, n + 1));
}

GuestQuick quick_memchr(ARGS)
{
    UNUSED(a3);
    size_t n = find(a0, a2, (int)a1, ENDS_BYTE | ENDS_LIMIT);
    return n == NOT_QUICK ? guest_quick_declined() : done(s, n == NOT_FOUND ? 0 : a0 + n);
}

GuestQuick quick_rawmemchr(ARGS)
{
    UNUSED(a2, a3);
    size_t n = find(a0, 0, (int)a1, ENDS_BYTE);
    return n == NOT_QUICK ? guest_quick_declined() : done(s, a0 + n);
}

/* ---- comparing ---------------------------------------------------------------------- */

static inline unsigned char byte_at(GuestAddr a) { return *(const unsigned char *)(uintptr_t)a; }

/** At most to the end of the page that @p a is in. */
static inline size_t room(GuestAddr a) { return PAGE - (a & (PAGE - 1)); }

/** Compare up to the first difference, the limit, or a NUL in both; false: not quick. */
static inline __attribute__((always_inline)) bool compare(GuestAddr a, GuestAddr b, size_t limit,
                                                          bool to_nul, int *result)
{
    const __m128i zero = _mm_setzero_si128();
    *result = 0;
    if (a >= GIMLE_CLIENT_END || b >= GIMLE_CLIENT_END)
        return false;
    while (limit) {
        unsigned bad, end;
        if (room(a) >= VEC && room(b) >= VEC) {
            __m128i x = loadu(a), y = loadu(b);
            end = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y)) ^ 0xffff;
            if (to_nul)
                end |= (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, zero));
            bad = nonzero(_mm_or_si128(shadow(a), shadow(b)));
        } else {
            /* Byte by byte over the end of a page: as a vector of which the first byte counts. */
            unsigned char x = byte_at(a), y = byte_at(b);
            end = x != y || (to_nul && x == 0);
            bad = *gimle_shadow(a) | *gimle_shadow(b) ? 1 : 0;
            if (bad)
                return false;
            if (!end) {
                a++, b++, limit--;
                continue;
            }
        }
        if (limit < VEC)
            end |= 1u << limit;
        if (end) {
            unsigned i = (unsigned)__builtin_ctz(end);
            if (i >= limit)
                return (bad & ((1u << limit) - 1)) == 0;
            if (bad & (end ^ (end - 1)))
                return false;
            *result = byte_at(a + i) - byte_at(b + i);
            return true;
        }
        if (bad)
            return false;
        a += VEC, b += VEC, limit -= VEC;
    }
    return true;
}

static inline __attribute__((always_inline)) GuestQuick
return_compare(struct VexState *s, GuestAddr a, GuestAddr b, size_t limit, bool to_nul)
{
    int result;
    bool quick = compare(a, b, limit, to_nul, &result);
    return quick ? done(s, (uint64_t)(int64_t)result) : guest_quick_declined();
}

GuestQuick quick_strcmp(ARGS)
{
    UNUSED(a2, a3);
    return return_compare(s, a0, a1, SIZE_MAX, true);
}

GuestQuick quick_strncmp(ARGS)
{
    UNUSED(a3);
    return return_compare(s, a0, a1, a2, true);
}

GuestQuick quick_memcmp(ARGS)
{
    UNUSED(a3);
    return return_compare(s, a0, a1, a2, false);
}

/* ---- copying ------------------------------------------------------------------------ */

/** Does the shadow of the range have only zeros?  At least one byte. */
static inline bool all_zero(GuestAddr a, size_t n)
{
    const uint8_t *p = gimle_shadow(a);
    if (n < VEC) {
        uint64_t x = 0, y = 0;
        if (n >= 8)
            memcpy(&x, p, 8), memcpy(&y, p + n - 8, 8);
        else if (n >= 4)
            memcpy(&x, p, 4), memcpy(&y, p + n - 4, 4);
        else
            x = p[0] | p[n / 2] | p[n - 1];
        return (x | y) == 0;
    }
    __m128i all = shadow(a + n - VEC);
    size_t i = 0;
    for (; i + 4 * VEC <= n; i += 4 * VEC) {
        all = _mm_or_si128(all, _mm_or_si128(_mm_or_si128(shadow(a + i), shadow(a + i + VEC)),
                                             _mm_or_si128(shadow(a + i + 2 * VEC), shadow(a + i + 3 * VEC))));
        if (nonzero(all))
            return false;
    }
    for (; i + VEC <= n; i += VEC)
        all = _mm_or_si128(all, shadow(a + i));
    return nonzero(all) == 0;
}

/** No byte of the range has the pattern of what is nobody's? */
static bool all_addressable(GuestAddr a, size_t n)
{
    return memchr(gimle_shadow(a), SH_NOACCESS, n) == NULL;
}

/** memmove for what is mostly short. */
static inline void move(void *to, const void *from, size_t n)
{
    char *d = to;
    const char *f = from;
    if (n > SMALL) {
        memmove(d, f, n);
    } else if (n >= 2 * VEC) {
        __m128i w = _mm_loadu_si128((const void *)f), x = _mm_loadu_si128((const void *)(f + VEC)),
                y = _mm_loadu_si128((const void *)(f + n - 2 * VEC)),
                z = _mm_loadu_si128((const void *)(f + n - VEC));
        _mm_storeu_si128((void *)d, w);
        _mm_storeu_si128((void *)(d + VEC), x);
        _mm_storeu_si128((void *)(d + n - 2 * VEC), y);
        _mm_storeu_si128((void *)(d + n - VEC), z);
    } else if (n >= VEC) {
        __m128i w = _mm_loadu_si128((const void *)f), z = _mm_loadu_si128((const void *)(f + n - VEC));
        _mm_storeu_si128((void *)d, w);
        _mm_storeu_si128((void *)(d + n - VEC), z);
    } else if (n >= 8) {
        uint64_t w, z;
        memcpy(&w, f, 8), memcpy(&z, f + n - 8, 8);
        memcpy(d, &w, 8), memcpy(d + n - 8, &z, 8);
    } else if (n >= 4) {
        uint32_t w, z;
        memcpy(&w, f, 4), memcpy(&z, f + n - 4, 4);
        memcpy(d, &w, 4), memcpy(d + n - 4, &z, 4);
    } else if (n) {
        char w = f[0], y = f[n / 2], z = f[n - 1];
        d[0] = w, d[n / 2] = y, d[n - 1] = z;
    }
}

static inline void *at(GuestAddr a) { return (void *)(uintptr_t)a; }

/** Make the shadow of [dst, dst+n) all zero; false if some of it is nobody's. */
static inline bool define(GuestAddr dst, size_t n)
{
    if (all_zero(dst, n))
        return true;
    if (!all_addressable(dst, n))
        return false;
    (void)*(volatile char *)at(dst); /* if it is not mapped nothing has happened yet */
    shadow_set_defined(dst, n);
    return true;
}

/** Copy data with their shadow; false: not quick, nothing has happened. */
static inline bool copy(GuestAddr dst, GuestAddr src, size_t n)
{
    if (n == 0)
        return true;
    if (!in_range(dst, n) || !in_range(src, n))
        return false;
    if (all_zero(src, n)) {
        if (!define(dst, n))
            return false;
    } else {
        if (!all_addressable(src, n) || !all_addressable(dst, n))
            return false;
        (void)*(volatile char *)at(src);
        (void)*(volatile char *)at(dst);
        move(gimle_shadow(dst), gimle_shadow(src), n);
    }
    move(at(dst), at(src), n);
    return true;
}

static inline bool overlap(GuestAddr dst, GuestAddr src, size_t n)
{
    return dst < src ? src - dst < n : dst - src < n;
}

static inline GuestQuick copied(struct VexState *s, bool quick, GuestAddr result)
{
    return quick ? done(s, result) : guest_quick_declined();
}

GuestQuick quick_memcpy(ARGS)
{
    UNUSED(a3);
    return copied(s, !overlap(a0, a1, a2) && copy(a0, a1, a2), a0);
}

GuestQuick quick_mempcpy(ARGS)
{
    UNUSED(a3);
    return copied(s, !overlap(a0, a1, a2) && copy(a0, a1, a2), a0 + a2);
}

GuestQuick quick_memmove(ARGS)
{
    UNUSED(a3);
    return copied(s, copy(a0, a1, a2), a0);
}

GuestQuick quick_memcpy_chk(ARGS)
{
    return a2 > a3 ? guest_quick_declined() : quick_memcpy(a0, a1, a2, a3, s, what);
}

GuestQuick quick_mempcpy_chk(ARGS)
{
    return a2 > a3 ? guest_quick_declined() : quick_mempcpy(a0, a1, a2, a3, s, what);
}

GuestQuick quick_memmove_chk(ARGS)
{
    return a2 > a3 ? guest_quick_declined() : quick_memmove(a0, a1, a2, a3, s, what);
}

static inline bool set(GuestAddr a, int byte, size_t n)
{
    if (n == 0)
        return true;
    if (!in_range(a, n) || !define(a, n))
        return false;
    memset(at(a), byte, n);
    return true;
}

GuestQuick quick_memset(ARGS)
{
    UNUSED(a3);
    return copied(s, set(a0, (int)a1, a2), a0);
}

GuestQuick quick_memset_chk(ARGS)
{
    UNUSED(0);
    return copied(s, a2 <= a3 && set(a0, (int)a1, a2), a0);
}

GuestQuick quick_bzero(ARGS)
{
    UNUSED(a2, a3);
    return copied(s, set(a0, 0, a1), a0);
}

/** Bytes of the string at @p a with its NUL, all defined, or 0. */
static inline size_t string_size(GuestAddr a)
{
    size_t n = find(a, 0, 0, ENDS_NUL);
    return n == NOT_QUICK ? 0 : n + 1;
}

static inline bool copy_string(GuestAddr dst, GuestAddr src, size_t size)
{
    if (size == 0 || overlap(dst, src, size) || !in_range(dst, size) || !define(dst, size))
        return false;
    move(at(dst), at(src), size);
    return true;
}

GuestQuick quick_strcpy(ARGS)
{
    UNUSED(a2, a3);
    return copied(s, copy_string(a0, a1, string_size(a1)), a0);
}

GuestQuick quick_stpcpy(ARGS)
{
    size_t size = string_size(a1);
    UNUSED(a2, a3);
    return copied(s, copy_string(a0, a1, size), a0 + size - 1);
}

GuestQuick quick_strcpy_chk(ARGS)
{
    size_t size = string_size(a1);
    UNUSED(a3);
    return copied(s, size <= a2 && copy_string(a0, a1, size), a0);
}

GuestQuick quick_stpcpy_chk(ARGS)
{
    size_t size = string_size(a1);
    UNUSED(a3);
    return copied(s, size <= a2 && copy_string(a0, a1, size), a0 + size - 1);
}

GuestQuick quick_strcat(ARGS)
{
    size_t have = string_size(a0), more = string_size(a1);
    UNUSED(a2, a3);
    /* The two must not touch at all, as the full form has it. */
    bool quick = have && more && (a0 < a1 ? a1 - a0 >= have + more : a0 - a1 >= more);
    return copied(s, quick && copy_string(a0 + have - 1, a1, more), a0);
}

GuestQuick quick_strncpy(ARGS)
{
    UNUSED(a3);
    size_t len = find(a1, a2, 0, ENDS_NUL | ENDS_LIMIT);
    if (len == NOT_QUICK || a2 == 0)
        return guest_quick_declined();
    len = len == NOT_FOUND ? a2 : len;
    if ((a0 < a1 ? a1 - a0 < a2 : a0 - a1 <= len) || !in_range(a0, a2) || !define(a0, a2))
        return guest_quick_declined();
    move(at(a0), at(a1), len);
    memset(at(a0 + len), 0, a2 - len);
    return done(s, a0);
}
