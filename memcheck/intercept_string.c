/* SPDX-License-Identifier: MIT */
/*
 * The C library's string and memory functions, run on the host side: the host's own function
 * does the work in vector code, and the shadow of what it read and wrote is checked as ranges.
 * Only where a range is not all defined do the bytes count one by one, as a simple loop in
 * the client would read them: an invalid read for each byte that is not addressable, a
 * condition on undefined bits for each byte that is looked at.
 *
 * Accesses to unmapped memory fault in the host function; the core makes that the client's fault.
 */
#include "intercept_string.h"

#include <string.h>
#include <strings.h>
#include <wchar.h>

#include "errors.h"
#include "quick_string.h"
#include "shadow/shadow.h"

static uint64_t arg(const GuestCall *c, unsigned i) { return guest_call_arg(c, i); }
static void *at(GuestAddr a) { return (void *)(uintptr_t)a; }
static char *str(GuestAddr a) { return (char *)(uintptr_t)a; }
static GuestAddr addr(const void *p) { return (GuestAddr)(uintptr_t)p; }

/* ---- checks ------------------------------------------------------------------------- */

/** A loop over @p n items of @p width bytes at @p a reads each and decides on it. */
static void looked_at(GuestCall *c, GuestAddr a, size_t n, unsigned width)
{
    if (shadow_all_defined(a, n * width))
        return;
    for (size_t i = 0; i < n; i++) {
        GuestAddr bad;
        switch (shadow_check_defined(a + i * width, width, &bad)) {
        case SHADOW_OK:
            break;
        case SHADOW_BAD_ADDRESS:
            mc_error_access(c->thread, a + i * width, width, false);
            break;
        case SHADOW_BAD_VALUE:
            if (shadow_check_addressable(a + i * width, width, &bad) != SHADOW_OK)
                mc_error_access(c->thread, a + i * width, width, false);
            mc_error_cond(c->thread, a + i * width);
            break;
        }
    }
}

/** Two loops in step: one decision for both items. */
static void looked_at_both(GuestCall *c, GuestAddr a, GuestAddr b, size_t n, unsigned width)
{
    if (shadow_all_defined(a, n * width) && shadow_all_defined(b, n * width))
        return;
    for (size_t i = 0; i < n; i++) {
        GuestAddr x = a + i * width, y = b + i * width, bad;
        GuestAddr first = 0;
        bool undefined = false;
        for (int k = 0; k < 2; k++) {
            GuestAddr p = k ? y : x;
            if (shadow_check_addressable(p, width, &bad) != SHADOW_OK)
                mc_error_access(c->thread, p, width, false);
            for (unsigned j = 0; j < width && !undefined; j++) {
                undefined = shadow_vbits(p + j);
                first = p + j;
            }
        }
        if (undefined)
            mc_error_cond(c->thread, first);
    }
}

static void check_range(GuestCall *c, GuestAddr a, unsigned size, bool write)
{
    GuestAddr bad;
    if (shadow_check_addressable(a, size, &bad) != SHADOW_OK)
        mc_error_access(c->thread, a, size, write);
}

static bool overlap(GuestAddr dst, size_t dst_len, GuestAddr src, size_t src_len)
{
    return dst_len && src_len && (dst < src ? src - dst < dst_len : dst - src < src_len);
}

/* ---- copying ------------------------------------------------------------------------ */

/** The part [from, to) of a copying loop, in steps of @p step bytes; returns where it ends. */
static size_t check_steps(GuestCall *c, GuestAddr dst, GuestAddr src, size_t from, size_t to,
                          unsigned step)
{
    for (; to - from >= step; from += step) {
        check_range(c, src + from, step, false);
        check_range(c, dst + from, step, true);
    }
    return from;
}

/**
 * Report the bad accesses of a copying loop as Valgrind's makes them: bytes up to a word
 * boundary and then words if both sides are aligned alike, pairs of bytes if both are even,
 * bytes.
 */
static void check_copy(GuestCall *c, GuestAddr dst, GuestAddr src, size_t n)
{
    size_t at = 0;
    if (((src ^ dst) & 7) == 0) {
        size_t head = -src & 7;
        at = check_steps(c, dst, src, 0, head < n ? head : n, 1);
        at = check_steps(c, dst, src, at, n, 8);
    }
    if ((((src + at) | (dst + at)) & 1) == 0)
        at = check_steps(c, dst, src, at, n, 2);
    check_steps(c, dst, src, at, n, 1);
}

/** Copy @p n bytes with their shadow. */
static void copy(GuestCall *c, GuestAddr dst, GuestAddr src, size_t n)
{
    GuestAddr bad;
    if (n == 0)
        return;
    if (shadow_all_defined(src, n) && shadow_all_defined(dst, n)) {
        memmove(at(dst), at(src), n);
        return;
    }
    if (shadow_check_addressable(src, n, &bad) != SHADOW_OK ||
        shadow_check_addressable(dst, n, &bad) != SHADOW_OK)
        check_copy(c, dst, src, n);
    /* Touch both sides first: if they are not mapped, nothing has happened yet. */
    (void)*(volatile char *)at(src);
    shadow_copy(src, dst, n);
    memmove(at(dst), at(src), n);
}

static void copy_no_overlap(GuestCall *c, const char *name, GuestAddr dst, GuestAddr src, size_t n)
{
    if (overlap(dst, n, src, n))
        mc_error_overlap(c->thread, name, dst, src, n);
    copy(c, dst, src, n);
}

static void do_memcpy(GuestCall *c)
{
    copy_no_overlap(c, "memcpy", arg(c, 0), arg(c, 1), arg(c, 2));
    guest_call_return(c, arg(c, 0));
}

static void do_mempcpy(GuestCall *c)
{
    copy_no_overlap(c, "mempcpy", arg(c, 0), arg(c, 1), arg(c, 2));
    guest_call_return(c, arg(c, 0) + arg(c, 2));
}

static void do_memmove(GuestCall *c)
{
    copy(c, arg(c, 0), arg(c, 1), arg(c, 2));
    guest_call_return(c, arg(c, 0));
}

static void do_bcopy(GuestCall *c) { copy(c, arg(c, 1), arg(c, 0), arg(c, 2)); }

/** The checked forms: the original ends the program if the object is too small. */
static bool too_small(GuestCall *c, size_t n, unsigned object_arg)
{
    if (n <= arg(c, object_arg))
        return false;
    guest_call_original(c);
    return true;
}

static void do_memcpy_chk(GuestCall *c) { if (!too_small(c, arg(c, 2), 3)) do_memcpy(c); }
static void do_memmove_chk(GuestCall *c) { if (!too_small(c, arg(c, 2), 3)) do_memmove(c); }
static void do_mempcpy_chk(GuestCall *c) { if (!too_small(c, arg(c, 2), 3)) do_mempcpy(c); }

static void set(GuestCall *c, GuestAddr a, int byte, size_t n)
{
    GuestAddr bad;
    if (n == 0)
        return;
    if (!shadow_all_defined(a, n)) {
        if (shadow_check_addressable(a, n, &bad) != SHADOW_OK) {
            for (size_t i = 0, step; i < n; i += step) {
                step = ((a + i) & 7) == 0 && n - i >= 8 ? 8 : 1;
                check_range(c, a + i, (unsigned)step, true);
            }
            shadow_set_defined_if_addressable(a, n);
        } else {
            shadow_set_defined(a, n);
        }
    }
    memset(at(a), byte, n);
}

static void do_memset(GuestCall *c)
{
    set(c, arg(c, 0), (int)arg(c, 1), arg(c, 2));
    guest_call_return(c, arg(c, 0));
}

static void do_memset_chk(GuestCall *c) { if (!too_small(c, arg(c, 2), 3)) do_memset(c); }
static void do_bzero(GuestCall *c) { set(c, arg(c, 0), 0, arg(c, 1)); }

/* ---- strings: copying --------------------------------------------------------------- */

/** Length of a string that the client reads. */
static size_t read_length(GuestCall *c, GuestAddr s)
{
    size_t n = strlen(str(s));
    looked_at(c, s, n + 1, 1);
    return n;
}

/** Write @p n bytes from @p src (already looked at), byte by byte where it matters. */
static void put_bytes(GuestCall *c, GuestAddr dst, GuestAddr src, size_t n)
{
    GuestAddr bad;
    if (shadow_check_addressable(dst, n, &bad) != SHADOW_OK)
        for (size_t i = 0; i < n; i++)
            check_range(c, dst + i, 1, true);
    shadow_copy(src, dst, n);
    memmove(at(dst), at(src), n);
}

static size_t string_copy(GuestCall *c, const char *name)
{
    GuestAddr dst = arg(c, 0), src = arg(c, 1);
    size_t n = read_length(c, src);
    if (overlap(dst, n + 1, src, n + 1))
        mc_error_overlap(c->thread, name, dst, src, (size_t)-1);
    put_bytes(c, dst, src, n + 1);
    return n;
}

static void do_strcpy(GuestCall *c)
{
    string_copy(c, "strcpy");
    guest_call_return(c, arg(c, 0));
}

static void do_stpcpy(GuestCall *c)
{
    guest_call_return(c, arg(c, 0) + string_copy(c, "stpcpy"));
}

static void do_strcpy_chk(GuestCall *c)
{
    if (!too_small(c, strlen(str(arg(c, 1))) + 1, 2))
        do_strcpy(c);
}

static void do_stpcpy_chk(GuestCall *c)
{
    if (!too_small(c, strlen(str(arg(c, 1))) + 1, 2))
        do_stpcpy(c);
}

static size_t string_n_copy(GuestCall *c, const char *name)
{
    GuestAddr dst = arg(c, 0), src = arg(c, 1);
    size_t n = arg(c, 2), len = strnlen(str(src), n), reads = len < n ? len + 1 : n;
    looked_at(c, src, reads, 1);
    if (overlap(dst, n, src, reads))
        mc_error_overlap(c->thread, name, dst, src, n);
    put_bytes(c, dst, src, len);
    set(c, dst + len, 0, n - len);
    return len;
}

static void do_strncpy(GuestCall *c)
{
    string_n_copy(c, "strncpy");
    guest_call_return(c, arg(c, 0));
}

static void do_stpncpy(GuestCall *c)
{
    guest_call_return(c, arg(c, 0) + string_n_copy(c, "stpncpy"));
}

static void do_strncpy_chk(GuestCall *c) { if (!too_small(c, arg(c, 2), 3)) do_strncpy(c); }

static void string_append(GuestCall *c, const char *name, size_t max)
{
    GuestAddr dst = arg(c, 0), src = arg(c, 1);
    size_t dst_len = read_length(c, dst), n = strnlen(str(src), max);
    looked_at(c, src, n < max ? n + 1 : n, 1);
    if (overlap(dst, dst_len + n + 1, src, n + 1))
        mc_error_overlap(c->thread, name, dst, src, max == (size_t)-1 ? max : arg(c, 2));
    put_bytes(c, dst + dst_len, src, n);
    set(c, dst + dst_len + n, 0, 1);
    guest_call_return(c, dst);
}

static void do_strcat(GuestCall *c) { string_append(c, "strcat", (size_t)-1); }
static void do_strncat(GuestCall *c) { string_append(c, "strncat", arg(c, 2)); }

static void do_strcat_chk(GuestCall *c)
{
    if (!too_small(c, strlen(str(arg(c, 0))) + strlen(str(arg(c, 1))) + 1, 2))
        do_strcat(c);
}

static void do_strncat_chk(GuestCall *c)
{
    if (!too_small(c, strlen(str(arg(c, 0))) + strnlen(str(arg(c, 1)), arg(c, 2)) + 1, 3))
        do_strncat(c);
}

/* ---- strings: looking --------------------------------------------------------------- */

static void do_strlen(GuestCall *c) { guest_call_return(c, read_length(c, arg(c, 0))); }

static void do_strnlen(GuestCall *c)
{
    size_t max = arg(c, 1), n = strnlen(str(arg(c, 0)), max);
    looked_at(c, arg(c, 0), n < max ? n + 1 : n, 1);
    guest_call_return(c, n);
}

/** A search from @p s ended at @p found (of @p width bytes), or after @p all items. */
static void return_search(GuestCall *c, GuestAddr s, const void *found, size_t all, unsigned width)
{
    size_t n = found ? (addr(found) - s) / width + 1 : all;
    looked_at(c, s, n, width);
    guest_call_return(c, addr(found));
}

static void do_strchr(GuestCall *c)
{
    const char *s = str(arg(c, 0));
    const char *r = strchr(s, (int)arg(c, 1));
    return_search(c, addr(s), r, r ? 0 : strlen(s) + 1, 1);
}

static void do_strchrnul(GuestCall *c)
{
    const char *s = str(arg(c, 0));
    return_search(c, addr(s), strchrnul(s, (int)arg(c, 1)), 0, 1);
}

static void do_strrchr(GuestCall *c)
{
    const char *s = str(arg(c, 0));
    read_length(c, addr(s));
    guest_call_return(c, addr(strrchr(s, (int)arg(c, 1))));
}

static void do_memchr(GuestCall *c)
{
    const char *s = str(arg(c, 0));
    return_search(c, addr(s), memchr(s, (int)arg(c, 1), arg(c, 2)), arg(c, 2), 1);
}

static void do_memrchr(GuestCall *c)
{
    GuestAddr s = arg(c, 0);
    size_t n = arg(c, 2);
    const void *r = memrchr(at(s), (int)arg(c, 1), n);
    GuestAddr from = r ? addr(r) : s;
    looked_at(c, from, s + n - from, 1);
    guest_call_return(c, addr(r));
}

static void do_rawmemchr(GuestCall *c)
{
    const char *s = str(arg(c, 0));
    return_search(c, addr(s), rawmemchr(s, (int)arg(c, 1)), 0, 1);
}

static void do_strstr(GuestCall *c)
{
    const char *s = str(arg(c, 0)), *what = str(arg(c, 1));
    const char *r = strstr(s, what);
    size_t n = read_length(c, addr(what));
    looked_at(c, addr(s), r ? (size_t)(r - s) + n : strlen(s) + 1, 1);
    guest_call_return(c, addr(r));
}

static void do_strcasestr(GuestCall *c)
{
    const char *s = str(arg(c, 0)), *what = str(arg(c, 1));
    const char *r = strcasestr(s, what);
    size_t n = read_length(c, addr(what));
    looked_at(c, addr(s), r ? (size_t)(r - s) + n : strlen(s) + 1, 1);
    guest_call_return(c, addr(r));
}

static void do_strpbrk(GuestCall *c)
{
    const char *s = str(arg(c, 0));
    const char *r = strpbrk(s, str(arg(c, 1)));
    read_length(c, arg(c, 1));
    return_search(c, addr(s), r, r ? 0 : strlen(s) + 1, 1);
}

static void do_strspn(GuestCall *c)
{
    size_t n = strspn(str(arg(c, 0)), str(arg(c, 1)));
    read_length(c, arg(c, 1));
    looked_at(c, arg(c, 0), n + 1, 1);
    guest_call_return(c, n);
}

static void do_strcspn(GuestCall *c)
{
    size_t n = strcspn(str(arg(c, 0)), str(arg(c, 1)));
    read_length(c, arg(c, 1));
    looked_at(c, arg(c, 0), n + 1, 1);
    guest_call_return(c, n);
}

/* ---- comparing ---------------------------------------------------------------------- */

/** Items that a comparing loop looks at: up to the first difference, or @p max. */
static size_t compared(const char *a, const char *b, size_t max, bool to_nul)
{
    size_t n = 0;
    while (n < max && a[n] == b[n] && !(to_nul && a[n] == '\0'))
        n++;
    return n < max ? n + 1 : max;
}

static void return_int(GuestCall *c, int v) { guest_call_return(c, (uint64_t)(int64_t)v); }

static void do_memcmp(GuestCall *c)
{
    GuestAddr a = arg(c, 0), b = arg(c, 1);
    size_t n = arg(c, 2);
    int r = memcmp(at(a), at(b), n);
    looked_at_both(c, a, b, r ? compared(str(a), str(b), n, false) : n, 1);
    return_int(c, r);
}

static void do_strcmp(GuestCall *c)
{
    GuestAddr a = arg(c, 0), b = arg(c, 1);
    int r = strcmp(str(a), str(b));
    looked_at_both(c, a, b, compared(str(a), str(b), (size_t)-1, true), 1);
    return_int(c, r);
}

static void do_strncmp(GuestCall *c)
{
    GuestAddr a = arg(c, 0), b = arg(c, 1);
    size_t n = arg(c, 2);
    int r = strncmp(str(a), str(b), n);
    looked_at_both(c, a, b, compared(str(a), str(b), n, true), 1);
    return_int(c, r);
}

/**
 * Without regard to case.  The host runs in the C locale; bytes above 127 only have another
 * case in single-byte locales.
 */
static void caseless(GuestCall *c, size_t max)
{
    const char *a = str(arg(c, 0)), *b = str(arg(c, 1));
    size_t n = 0;
    while (n < max && strncasecmp(a + n, b + n, 1) == 0 && a[n] != '\0')
        n++;
    size_t read = n < max ? n + 1 : max;
    looked_at_both(c, addr(a), addr(b), read, 1);
    return_int(c, n < max ? strncasecmp(a + n, b + n, 1) : 0);
}

static void do_strcasecmp(GuestCall *c) { caseless(c, (size_t)-1); }
static void do_strncasecmp(GuestCall *c) { caseless(c, arg(c, 2)); }

/* ---- wide characters ---------------------------------------------------------------- */

enum { WIDE = sizeof(wchar_t) };

static const wchar_t *wide(GuestAddr a) { return (const wchar_t *)(uintptr_t)a; }

static void do_wcslen(GuestCall *c)
{
    size_t n = wcslen(wide(arg(c, 0)));
    looked_at(c, arg(c, 0), n + 1, WIDE);
    guest_call_return(c, n);
}

static void do_wcsnlen(GuestCall *c)
{
    size_t max = arg(c, 1), n = wcsnlen(wide(arg(c, 0)), max);
    looked_at(c, arg(c, 0), n < max ? n + 1 : n, WIDE);
    guest_call_return(c, n);
}

static void do_wcscpy(GuestCall *c)
{
    GuestAddr dst = arg(c, 0), src = arg(c, 1);
    size_t n = wcslen(wide(src)) + 1;
    looked_at(c, src, n, WIDE);
    if (overlap(dst, n * WIDE, src, n * WIDE))
        mc_error_overlap(c->thread, "wcscpy", dst, src, (size_t)-1);
    for (size_t i = 0; i < n; i++)
        check_range(c, dst + i * WIDE, WIDE, true);
    shadow_copy(src, dst, n * WIDE);
    memmove(at(dst), at(src), n * WIDE);
    guest_call_return(c, dst);
}

static void do_wcschr(GuestCall *c)
{
    const wchar_t *s = wide(arg(c, 0)), *r = wcschr(s, (wchar_t)arg(c, 1));
    return_search(c, addr(s), r, r ? 0 : wcslen(s) + 1, WIDE);
}

static void do_wcsrchr(GuestCall *c)
{
    const wchar_t *s = wide(arg(c, 0));
    looked_at(c, addr(s), wcslen(s) + 1, WIDE);
    guest_call_return(c, addr(wcsrchr(s, (wchar_t)arg(c, 1))));
}

static void do_wmemchr(GuestCall *c)
{
    const wchar_t *s = wide(arg(c, 0));
    return_search(c, addr(s), wmemchr(s, (wchar_t)arg(c, 1), arg(c, 2)), arg(c, 2), WIDE);
}

static size_t wide_compared(const wchar_t *a, const wchar_t *b, size_t max, bool to_nul)
{
    size_t n = 0;
    while (n < max && a[n] == b[n] && !(to_nul && a[n] == L'\0'))
        n++;
    return n < max ? n + 1 : max;
}

static void wide_compare(GuestCall *c, size_t max, bool to_nul)
{
    const wchar_t *a = wide(arg(c, 0)), *b = wide(arg(c, 1));
    size_t n = wide_compared(a, b, max, to_nul);
    looked_at_both(c, addr(a), addr(b), n, WIDE);
    return_int(c, n == 0 || a[n - 1] == b[n - 1] ? 0 : a[n - 1] < b[n - 1] ? -1 : 1);
}

static void do_wcscmp(GuestCall *c) { wide_compare(c, (size_t)-1, true); }
static void do_wcsncmp(GuestCall *c) { wide_compare(c, arg(c, 2), true); }
static void do_wmemcmp(GuestCall *c) { wide_compare(c, arg(c, 2), false); }

/* ---- the table ---------------------------------------------------------------------- */

#define IN(soname, symbol, handler, quick) { soname, symbol, 0, handler, NULL, 0, quick },
/** In the C libraries that come as shared objects. */
#define LIBRARY(symbol, handler, quick)                                                    \
    IN("libc.so*", symbol, handler, quick)                                                 \
    IN("ld-linux*", symbol, handler, quick)                                                \
    IN("libc.musl*", symbol, handler, quick)
/** In static programs too: names that the C standard reserves. */
#define ROW(symbol, handler, quick)                                                        \
    LIBRARY(symbol, handler, quick) IN("NONE", symbol, handler, quick)

const Intercept mc_string_intercepts[] = {
    ROW("memcpy", do_memcpy, quick_memcpy)
    ROW("mempcpy", do_mempcpy, quick_mempcpy)
    ROW("__mempcpy", do_mempcpy, quick_mempcpy)
    ROW("memmove", do_memmove, quick_memmove)
    LIBRARY("bcopy", do_bcopy, NULL)
    ROW("__memcpy_chk", do_memcpy_chk, quick_memcpy_chk)
    ROW("__memmove_chk", do_memmove_chk, quick_memmove_chk)
    ROW("__mempcpy_chk", do_mempcpy_chk, quick_mempcpy_chk)
    ROW("memset", do_memset, quick_memset)
    ROW("__memset_chk", do_memset_chk, quick_memset_chk)
    LIBRARY("bzero", do_bzero, quick_bzero)
    ROW("strcpy", do_strcpy, quick_strcpy)
    ROW("stpcpy", do_stpcpy, quick_stpcpy)
    ROW("__stpcpy", do_stpcpy, quick_stpcpy)
    ROW("__strcpy_chk", do_strcpy_chk, quick_strcpy_chk)
    ROW("__stpcpy_chk", do_stpcpy_chk, quick_stpcpy_chk)
    ROW("strncpy", do_strncpy, quick_strncpy)
    ROW("stpncpy", do_stpncpy, NULL)
    ROW("__strncpy_chk", do_strncpy_chk, NULL)
    ROW("strcat", do_strcat, quick_strcat)
    ROW("strncat", do_strncat, NULL)
    ROW("__strcat_chk", do_strcat_chk, NULL)
    ROW("__strncat_chk", do_strncat_chk, NULL)
    ROW("strlen", do_strlen, quick_strlen)
    ROW("strnlen", do_strnlen, quick_strnlen)
    ROW("strchr", do_strchr, quick_strchr)
    LIBRARY("index", do_strchr, quick_strchr)
    ROW("strchrnul", do_strchrnul, quick_strchrnul)
    ROW("strrchr", do_strrchr, quick_strrchr)
    LIBRARY("rindex", do_strrchr, quick_strrchr)
    ROW("memchr", do_memchr, quick_memchr)
    ROW("memrchr", do_memrchr, NULL)
    ROW("rawmemchr", do_rawmemchr, quick_rawmemchr)
    ROW("strstr", do_strstr, NULL)
    ROW("strcasestr", do_strcasestr, NULL)
    ROW("strpbrk", do_strpbrk, NULL)
    ROW("strspn", do_strspn, NULL)
    ROW("strcspn", do_strcspn, NULL)
    ROW("memcmp", do_memcmp, quick_memcmp)
    LIBRARY("bcmp", do_memcmp, quick_memcmp)
    ROW("__memcmpeq", do_memcmp, quick_memcmp)
    ROW("strcmp", do_strcmp, quick_strcmp)
    ROW("strncmp", do_strncmp, quick_strncmp)
    ROW("strcasecmp", do_strcasecmp, NULL)
    ROW("__strcasecmp", do_strcasecmp, NULL)
    ROW("strcasecmp_l", do_strcasecmp, NULL)
    ROW("__strcasecmp_l", do_strcasecmp, NULL)
    ROW("strncasecmp", do_strncasecmp, NULL)
    ROW("__strncasecmp", do_strncasecmp, NULL)
    ROW("strncasecmp_l", do_strncasecmp, NULL)
    ROW("__strncasecmp_l", do_strncasecmp, NULL)
    ROW("wcslen", do_wcslen, NULL)
    ROW("wcsnlen", do_wcsnlen, NULL)
    ROW("wcscpy", do_wcscpy, NULL)
    ROW("wcschr", do_wcschr, NULL)
    ROW("wcsrchr", do_wcsrchr, NULL)
    ROW("wmemchr", do_wmemchr, NULL)
    ROW("wcscmp", do_wcscmp, NULL)
    ROW("wcsncmp", do_wcsncmp, NULL)
    ROW("wmemcmp", do_wmemcmp, NULL)
    { .symbol = NULL }
};
