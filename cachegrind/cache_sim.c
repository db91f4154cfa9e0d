/* SPDX-License-Identifier: MIT */
/*
 * The caches' memory.  Translated code looks itself whether a line is the most recently used of its
 * set.  What is not comes here, or to simulate_amd64.S.
 */
#include "cache_sim_lookup.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"

/** Refs.piece (references.h) has a byte for the size. */
enum { MAX_ACCESS = 128, ALIGNMENT = 64 };

Cache cache_sim_cache[CACHE_KINDS];
static unsigned max_access;
static IrData memory; /**< of the caches of the first level */

static unsigned log2_up(uint64_t v)
{
    unsigned bits = 0;
    while (1ULL << bits < v)
        bits++;
    return bits;
}

static uint8_t *memory_new(size_t bytes)
{
    uint8_t *p = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
    CHECK(p, "out of memory");
    return memset(p, 0, bytes);
}

static size_t cache_init(Cache *c, const CacheConfig *config, bool large)
{
    uint64_t sets = config->size / config->line / config->assoc;
    c->set_mask = sets - 1;
    c->g.assoc = config->assoc;
    c->g.line_bits = (unsigned)__builtin_ctz(config->line);
    c->g.older_shift = log2_up(config->assoc) + CACHE_SIM_WORD_BITS;
    c->g.recent_shift = large ? CACHE_SIM_WORD_BITS : c->g.older_shift;
    return ((sets << c->g.older_shift) + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

/**
 * A small cache has each of its sets in one piece.  In a large one the keys used last are packed,
 * since most often nothing else is looked at and the host's own caches have room for them.
 */
void cache_sim_init(void)
{
    size_t size[CACHE_KINDS];
    for (unsigned k = 0; k < CACHE_KINDS; k++)
        size[k] = cache_init(&cache_sim_cache[k], &cg_options.cache[k], k == CACHE_LL);
    Cache *i1 = &cache_sim_cache[CACHE_I1], *d1 = &cache_sim_cache[CACHE_D1];
    Cache *last = &cache_sim_cache[CACHE_LL];
    memory.len = (uint32_t)(size[CACHE_I1] + size[CACHE_D1]);
    memory.base = memory_new(memory.len);
    i1->recent = (uint64_t *)(void *)memory.base;
    d1->recent = (uint64_t *)(void *)(memory.base + size[CACHE_I1]);
    i1->older = i1->recent + 1;
    d1->older = d1->recent + 1;
    last->recent = (uint64_t *)(void *)memory_new((last->set_mask + 1) << CACHE_SIM_WORD_BITS);
    last->older = (uint64_t *)(void *)memory_new(size[CACHE_LL]);
    unsigned line = cg_options.cache[CACHE_D1].line, ll = cg_options.cache[CACHE_LL].line;
    max_access = line < ll ? line : ll;
    if (max_access > MAX_ACCESS)
        max_access = MAX_ACCESS;
}

IrData cache_sim_memory(void) { return memory; }

uint64_t cache_sim_key(void)
{
    return hash_bytes(cg_options.cache, sizeof cg_options.cache, 0);
}

unsigned cache_sim_max_access(void) { return max_access; }

GIMLE_LIGHT unsigned cache_sim_data_missed(GuestAddr a, unsigned size)
{
    const Cache *ll = &cache_sim_cache[CACHE_LL];
    return cache_sim_range_misses(ll, ll->g, a, size) ? MISS_L1 | MISS_LL : MISS_L1;
}

GIMLE_LIGHT unsigned cache_sim_fetch(GuestAddr a, unsigned size)
{
    const Cache *i1 = &cache_sim_cache[CACHE_I1];
    return cache_sim_range_misses(i1, i1->g, a, size) ? cache_sim_data_missed(a, size) : 0;
}
