/* SPDX-License-Identifier: MIT */
/*
 * A hash of bytes for telling contents apart: eight bytes per multiplication, the 128-bit product
 * folded.  Not meant to withstand somebody who chooses the bytes.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 p = (unsigned __int128)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/** Hash of @p len bytes; to hash several ranges as one, pass the former result as @p seed. */
static inline uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed)
{
    const uint8_t *p = bytes;
    uint64_t h = seed ^ hash_fold(len ^ 0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u), w;
    for (; len >= 8; len -= 8, p += 8) {
        memcpy(&w, p, 8);
        h = hash_fold(h ^ w, 0xa0761d6478bd642fu);
    }
    w = 0;
    memcpy(&w, p, len);
    return hash_fold(h ^ w, 0xe7037ed1a0b428dbu);
}

#endif
