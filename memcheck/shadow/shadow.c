/* SPDX-License-Identifier: MIT */
/*
 * Setting, testing and copying ranges of shadow.  The side table of bytes whose V bits equal
 * the reserved pattern is nearly always empty; every path tests its size first.
 */
#include "shadow.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/hashmap.h"


/** Ranges of this many bytes are left to the core, which does not spend memory on them. */
#define FILL_BY_CORE (128u << 10)
/** Likewise where zeros are stored, which the pages of most shadow have already. */
#define ZERO_BY_CORE 4096u

/** A leaf: nothing else is taken while it is held. */
static pthread_mutex_t pattern_lock = PTHREAD_MUTEX_INITIALIZER;
static HashMap pattern_bytes;       /**< address → 1 */
atomic_size_t shadow_n_patterns;    /**< its size */

/** Shorten [a, a+*len) to the client's range; false if nothing is left. */
static bool clip(GuestAddr a, size_t *len)
{
    if (a >= GIMLE_CLIENT_END || *len == 0)
        return false;
    if (*len > GIMLE_CLIENT_END - a)
        *len = GIMLE_CLIENT_END - a;
    return true;
}

static bool is_pattern(GuestAddr a)
{
    if (atomic_load_explicit(&shadow_n_patterns, memory_order_relaxed) == 0)
        return false;
    pthread_mutex_lock(&pattern_lock);
    bool found = hashmap_get(&pattern_bytes, a, NULL);
    pthread_mutex_unlock(&pattern_lock);
    return found;
}

static void forget_patterns(GuestAddr a, size_t len)
{
    if (atomic_load_explicit(&shadow_n_patterns, memory_order_relaxed) == 0)
        return;
    pthread_mutex_lock(&pattern_lock);
    if (len < pattern_bytes.n) {
        for (size_t i = 0; i < len; i++)
            hashmap_remove(&pattern_bytes, a + i);
    } else {
        HashMap kept = { 0 };
        size_t it = 0;
        uint64_t key, value;
        while (hashmap_next(&pattern_bytes, &it, &key, &value))
            if (key - a >= len)
                hashmap_put(&kept, key, value);
        hashmap_free(&pattern_bytes);
        pattern_bytes = kept;
    }
    atomic_store(&shadow_n_patterns, pattern_bytes.n);
    pthread_mutex_unlock(&pattern_lock);
}

void shadow_note_pattern(GuestAddr a)
{
    pthread_mutex_lock(&pattern_lock);
    hashmap_put(&pattern_bytes, a, 1);
    atomic_store(&shadow_n_patterns, pattern_bytes.n);
    pthread_mutex_unlock(&pattern_lock);
}

/** memset for what is mostly short: a call costs as much as the work. */
static inline void fill(uint8_t *p, size_t len, uint8_t value)
{
    typedef uint64_t __attribute__((aligned(1), may_alias)) Word;
    typedef uint8_t __attribute__((vector_size(16), aligned(1), may_alias)) Vector;
    uint64_t w = value * 0x0101010101010101ULL;
    if (len > 128) {
        memset(p, value, len);
    } else if (len >= 16) {
        Vector v = (Vector)(typeof(uint64_t __attribute__((vector_size(16))))){ w, w };
        for (size_t i = 0; i < len - 16; i += 16)
            *(Vector *)(p + i) = v;
        *(Vector *)(p + len - 16) = v;
    } else if (len >= 8) {
        *(Word *)p = w;
        *(Word *)(p + len - 8) = w;
    } else {
        for (size_t i = 0; i < len; i++)
            ((volatile uint8_t *)p)[i] = value;
    }
}

/** From byte 16 - n on: a vector whose first n bytes are undefined, the others nobody's. */
const uint8_t shadow_tail[32] __attribute__((aligned(32))) = {
    [0 ... 15] = SH_UNDEFINED, [16 ... 31] = SH_NOACCESS
};

void shadow_set(GuestAddr a, size_t len, uint8_t value)
{
    if (!clip(a, &len))
        return;
    forget_patterns(a, len);
    if (len >= (value == SH_DEFINED ? ZERO_BY_CORE : FILL_BY_CORE))
        gimle_shadow_fill(a, len, value);
    else
        fill(gimle_shadow(a), len, value);
}

bool shadow_is_addressable(GuestAddr a)
{
    return a < GIMLE_CLIENT_END && (*gimle_shadow(a) != SH_NOACCESS || is_pattern(a));
}

uint8_t shadow_vbits(GuestAddr a)
{
    return shadow_is_addressable(a) ? *gimle_shadow(a) : 0;
}

void shadow_set_vbits(GuestAddr a, uint8_t vbits)
{
    if (!shadow_is_addressable(a))
        return;
    if (vbits == SH_NOACCESS)
        shadow_note_pattern(a);
    *gimle_shadow(a) = vbits;
}

bool shadow_all_defined(GuestAddr a, size_t len)
{
    if (a >= GIMLE_CLIENT_END || len > GIMLE_CLIENT_END - a)
        return false;
    const uint8_t *s = gimle_shadow(a);
    uint64_t w;
    for (; len >= 32; s += 32, len -= 32) {
        uint64_t v[4];
        memcpy(v, s, sizeof v);
        if (v[0] | v[1] | v[2] | v[3])
            return false;
    }
    for (; len >= 8; s += 8, len -= 8) {
        memcpy(&w, s, 8);
        if (w)
            return false;
    }
    while (len--)
        if (*s++)
            return false;
    return true;
}

ShadowState shadow_check_addressable(GuestAddr a, size_t len, GuestAddr *bad)
{
    size_t n = len;
    *bad = a;
    if (len == 0)
        return SHADOW_OK;
    if (!clip(a, &n))
        return SHADOW_BAD_ADDRESS;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *hit = memchr(gimle_shadow(a + i), SH_NOACCESS, n - i);
        if (!hit)
            break;
        i = (size_t)(hit - gimle_shadow(a));
        *bad = a + i;
        if (!is_pattern(a + i))
            return SHADOW_BAD_ADDRESS;
    }
    *bad = a + n;
    return n == len ? SHADOW_OK : SHADOW_BAD_ADDRESS;
}

ShadowState shadow_check_defined(GuestAddr a, size_t len, GuestAddr *bad)
{
    size_t n = len;
    *bad = a;
    if (len == 0)
        return SHADOW_OK;
    if (!clip(a, &n))
        return SHADOW_BAD_ADDRESS;
    for (size_t i = 0; i < n; i++) {
        if (i + 64 <= n && shadow_all_defined(a + i, 64)) {
            i += 63;
            continue;
        }
        uint8_t s = *gimle_shadow(a + i);
        if (s == SH_DEFINED)
            continue;
        *bad = a + i;
        return s == SH_NOACCESS && !is_pattern(a + i) ? SHADOW_BAD_ADDRESS : SHADOW_BAD_VALUE;
    }
    *bad = a + n;
    return n == len ? SHADOW_OK : SHADOW_BAD_ADDRESS;
}

void shadow_set_defined_if_addressable(GuestAddr a, size_t len)
{
    if (!clip(a, &len))
        return;
    for (size_t i = 0; i < len; i++)
        if (*gimle_shadow(a + i) != SH_DEFINED && shadow_is_addressable(a + i))
            *gimle_shadow(a + i) = SH_DEFINED;
}

/** The copy byte by byte, for ranges where some byte needs care. */
static void copy_carefully(GuestAddr from, GuestAddr to, size_t len)
{
    bool down = to > from;
    for (size_t k = 0; k < len; k++) {
        size_t i = down ? len - 1 - k : k;
        uint8_t v = shadow_vbits(from + i);
        if (v == *gimle_shadow(to + i) && v != SH_NOACCESS)
            continue;
        shadow_set_vbits(to + i, v);
    }
}

void shadow_copy(GuestAddr from, GuestAddr to, size_t len)
{
    if (!clip(from, &len) || !clip(to, &len))
        return;
    if (memchr(gimle_shadow(from), SH_NOACCESS, len) ||
        memchr(gimle_shadow(to), SH_NOACCESS, len)) {
        copy_carefully(from, to, len);
        return;
    }
    if (len >= ZERO_BY_CORE && shadow_all_defined(from, len)) {
        shadow_set_defined(to, len);
        return;
    }
    memmove(gimle_shadow(to), gimle_shadow(from), len);
}
