/* SPDX-License-Identifier: MIT */
/* Open-addressing map from nonzero 64-bit keys to 64-bit values (often pointers). Not thread-safe. */
#ifndef BASE_HASHMAP_H
#define BASE_HASHMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Zero-initialised is empty. */
typedef struct HashMap {
    struct HashMapSlot { uint64_t key, value; } *slot;
    size_t n, cap; /* cap: power of two or 0; at most 3/4 full */
} HashMap;

/** Set @p key (not 0) to @p value; true if it was new. */
bool hashmap_put(HashMap *m, uint64_t key, uint64_t value);
/** True and *value if present (value may be NULL). */
bool hashmap_get(const HashMap *m, uint64_t key, uint64_t *value);
/** Pointer value or NULL. */
static inline void *hashmap_get_ptr(const HashMap *m, uint64_t key)
{
    uint64_t v;
    return hashmap_get(m, key, &v) ? (void *)(uintptr_t)v : NULL;
}
/** True if it was there. */
bool hashmap_remove(HashMap *m, uint64_t key);
void hashmap_clear(HashMap *m);
/** Give the memory back; values are the caller's. */
void hashmap_free(HashMap *m);
/** Iterate: start with *it = 0; false at the end. The map must not change meanwhile; key and value may be NULL. */
bool hashmap_next(const HashMap *m, size_t *it, uint64_t *key, uint64_t *value);

/** A good 64-bit mixer (the finaliser of MurmurHash3, public domain). */
static inline uint64_t hash_mix64(uint64_t x)
{
    x ^= x >> 33; x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33; x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ (x >> 33);
}

#endif
