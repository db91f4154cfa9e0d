/* SPDX-License-Identifier: MIT */
/*
 * The caches' memory.  Translated code looks itself whether a line of data is the most recently used
 * of its set, and whether a line of code is there.  What is not comes here, or to simulate_amd64.S.
 */
#include "cache_sim_lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/hashmap.h"

/** Refs.piece (references.h) has a byte for the size. */
enum { MAX_ACCESS = 128, ALIGNMENT = 64, SHADOW_PLACE = 1 << 16 };

Cache cache_sim_cache[CACHE_KINDS];
static unsigned max_access;
static uint64_t *clock_word;
static Arena arena;
static HashMap code_lines; /**< line + 1 → CodeLine */

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

/** @p bytes of zeros at the beginning of the shadow, which nothing else uses. */
static uint8_t *shadow_map(size_t bytes)
{
    void *want = gimle_shadow(SHADOW_PLACE);
    void *p = mmap(want, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (p != want)
        gimle_user_error("cannot map memory for the caches: %s", strerror(errno));
    return p;
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
    uint8_t *shadow = shadow_map(ALIGNMENT + size[CACHE_D1]);
    clock_word = (uint64_t *)(void *)shadow;
    d1->recent = (uint64_t *)(void *)(shadow + ALIGNMENT);
    d1->older = d1->recent + 1;
    i1->recent = (uint64_t *)(void *)memory_new(size[CACHE_I1]);
    i1->older = i1->recent + 1;
    last->recent = (uint64_t *)(void *)memory_new((last->set_mask + 1) << CACHE_SIM_WORD_BITS);
    last->older = (uint64_t *)(void *)memory_new(size[CACHE_LL]);
    unsigned line = cg_options.cache[CACHE_D1].line, ll = cg_options.cache[CACHE_LL].line;
    max_access = line < ll ? line : ll;
    if (max_access > MAX_ACCESS)
        max_access = MAX_ACCESS;
}

uint64_t *cache_sim_clock(void) { return clock_word; }

CodeLine *cache_sim_code_line(GuestAddr a)
{
    uint64_t line = a >> cache_sim_cache[CACHE_I1].g.line_bits;
    CodeLine *c = hashmap_get_ptr(&code_lines, line + 1);
    if (!c) {
        c = arena_new(&arena, CodeLine);
        c->line = line;
        hashmap_put(&code_lines, line + 1, (uint64_t)(uintptr_t)c);
    }
    return c;
}

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

/** The way of the line's set that is empty or was used least recently. */
CACHE_SIM_INLINE uint64_t *oldest_way(const Cache *c, uint64_t line)
{
    uint64_t *way = c->recent + ((line & c->set_mask) << (c->g.recent_shift - CACHE_SIM_WORD_BITS));
    uint64_t *oldest = way, least = UINT64_MAX;
    for (uint64_t *w = way; w < way + c->g.assoc; w++) {
        if (*w == 0)
            return w;
        uint64_t used = ((const CodeLine *)(uintptr_t)*w)->used;
        if (used < least) {
            least = used;
            oldest = w;
        }
    }
    return oldest;
}

CACHE_SIM_INLINE bool code_line_misses(CodeLine *l)
{
    bool miss = l->used == 0;
    if (miss) {
        uint64_t *way = oldest_way(&cache_sim_cache[CACHE_I1], l->line);
        if (*way)
            ((CodeLine *)(uintptr_t)*way)->used = 0;
        *way = (uint64_t)(uintptr_t)l;
    }
    l->used = ++*clock_word;
    return miss;
}

GIMLE_LIGHT unsigned cache_sim_fetch(CodeLine *first, CodeLine *last, GuestAddr a, unsigned size)
{
    bool miss = code_line_misses(first);
    if (last != first)
        miss |= code_line_misses(last);
    return miss ? cache_sim_data_missed(a, size) : 0;
}
