/* SPDX-License-Identifier: MIT */
/* Linear probing with backward-shift deletion, so there are no tombstones. */
#include "hashmap.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static size_t hashmap_find(const HashMap *m, uint64_t key)
{
    size_t i = hash_mix64(key) & (m->cap - 1);
    while (m->slot[i].key && m->slot[i].key != key)
        i = (i + 1) & (m->cap - 1);
    return i;
}

static void hashmap_rehash(HashMap *m, size_t cap)
{
    HashMap old = *m;
    m->slot = calloc(cap, sizeof *m->slot);
    CHECK(m->slot != NULL, "out of memory: a map of %zu slots", cap);
    m->cap = cap;
    for (size_t i = 0; i < old.cap; i++)
        if (old.slot[i].key)
            m->slot[hashmap_find(m, old.slot[i].key)] = old.slot[i];
    free(old.slot);
}

bool hashmap_put(HashMap *m, uint64_t key, uint64_t value)
{
    CHECK(key != 0);
    if ((m->n + 1) * 4 > m->cap * 3)
        hashmap_rehash(m, m->cap ? m->cap * 2 : 64);
    size_t i = hashmap_find(m, key);
    bool fresh = m->slot[i].key == 0;
    m->slot[i].key = key;
    m->slot[i].value = value;
    m->n += fresh;
    return fresh;
}

bool hashmap_get(const HashMap *m, uint64_t key, uint64_t *value)
{
    if (m->n == 0)
        return false;
    size_t i = hashmap_find(m, key);
    if (m->slot[i].key != key || key == 0)
        return false;
    if (value)
        *value = m->slot[i].value;
    return true;
}

bool hashmap_remove(HashMap *m, uint64_t key)
{
    if (m->n == 0 || key == 0)
        return false;
    size_t i = hashmap_find(m, key);
    if (m->slot[i].key != key)
        return false;
    for (size_t j = i;;) {
        j = (j + 1) & (m->cap - 1);
        if (!m->slot[j].key)
            break;
        size_t home = hash_mix64(m->slot[j].key) & (m->cap - 1);
        if (((j - home) & (m->cap - 1)) >= ((j - i) & (m->cap - 1))) {
            m->slot[i] = m->slot[j];
            i = j;
        }
    }
    m->slot[i].key = 0;
    m->n--;
    return true;
}

void hashmap_clear(HashMap *m)
{
    if (m->cap)
        memset(m->slot, 0, m->cap * sizeof *m->slot);
    m->n = 0;
}

void hashmap_free(HashMap *m)
{
    free(m->slot);
    *m = (HashMap){ 0 };
}

bool hashmap_next(const HashMap *m, size_t *it, uint64_t *key, uint64_t *value)
{
    for (; *it < m->cap; (*it)++) {
        if (m->slot[*it].key) {
            if (key)
                *key = m->slot[*it].key;
            if (value)
                *value = m->slot[*it].value;
            (*it)++;
            return true;
        }
    }
    return false;
}
