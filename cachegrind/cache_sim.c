/* SPDX-License-Identifier: MIT */
/*
 * The caches' memory, and what happens at misses: the least recently used line of a set is found when
 * one has to go, from the times of all that are there.
 */
#include "cache_sim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "base/hash.h"

/** Ref.size (references.h) is a byte. */
enum { MAX_ACCESS = 128, ALIGNMENT = 64 };

/** I1 and D1 have a quarter of the shadow each: all client addresses if lines have 32 bytes. */
#define TABLE_BYTES (8ULL << 40)
enum { TABLE_LINE_BITS = 5 };

#define LIGHT_INLINE static inline __attribute__((always_inline, target("general-regs-only")))

Cache cache_sim_cache[CACHE_KINDS];
uint64_t cache_sim_clock = 1;
static unsigned max_access;
static uint64_t never; /**< when empty ways were used: 0 */

static void *memory_new(size_t n, size_t size)
{
    size_t bytes = (n * size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    void *p = aligned_alloc(ALIGNMENT, bytes);
    CHECK(p, "out of memory");
    return memset(p, 0, bytes);
}

/** Address space for the times of all lines, at @p want if that is not NULL; NULL. */
static void *table_new(void *want)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (want ? MAP_FIXED_NOREPLACE : 0);
    void *p = mmap(want, TABLE_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (p == MAP_FAILED || (want && p != want))
        return NULL;
    madvise(p, TABLE_BYTES, MADV_DONTDUMP);
    madvise(p, TABLE_BYTES, MADV_NOHUGEPAGE);
    return p;
}

static void cache_init(Cache *c, const CacheConfig *config, void *table)
{
    uint64_t sets = config->size / config->line / config->assoc;
    c->line_bits = (unsigned)__builtin_ctz(config->line);
    /* Without, since ulimit -v is set or lines are tiny, each access is looked up. */
    c->used = c->line_bits < TABLE_LINE_BITS ? NULL : table_new(table);
    c->used_at = (GuestAddr)(uintptr_t)table - GIMLE_SHADOW_DELTA;
    c->set_mask = sets - 1;
    c->assoc = config->assoc;
    c->number_mask = c->used ? TABLE_BYTES / sizeof(uint64_t) - 1 : UINT64_MAX >> c->line_bits;
    c->cut_bits = (unsigned)__builtin_clzll(c->number_mask);
    c->cut_bits = c->cut_bits > c->line_bits ? c->cut_bits - c->line_bits : 0;
    bool usual = c->used && c->line_bits == CACHE_SIM_USUAL_LINE_BITS;
    CHECK(!usual || c->cut_bits == CACHE_SIM_USUAL_CUT);
    c->way = memory_new(sets * config->assoc, sizeof *c->way);
    uint64_t *own = c->used ? NULL : memory_new(sets * config->assoc, sizeof *own);
    for (uint64_t i = 0; i < sets * config->assoc; i++)
        c->way[i].used = own ? &own[i] : &never;
}

void cache_sim_init(void)
{
    const CacheConfig *config = cg_options.cache;
    GuestAddr d1 = CACHE_SIM_D1_TIMES;
    cache_init(&cache_sim_cache[CACHE_D1], &config[CACHE_D1], gimle_shadow(d1));
    cache_init(&cache_sim_cache[CACHE_I1], &config[CACHE_I1], gimle_shadow(d1 + TABLE_BYTES));
    cache_init(&cache_sim_cache[CACHE_LL], &config[CACHE_LL], NULL);
    unsigned line = config[CACHE_D1].line, ll = config[CACHE_LL].line;
    max_access = line < ll ? line : ll;
    if (max_access > MAX_ACCESS)
        max_access = MAX_ACCESS;
}

uint64_t cache_sim_key(void)
{
    uint64_t has_table = cache_sim_cache[CACHE_I1].used && cache_sim_cache[CACHE_D1].used;
    return hash_bytes(cg_options.cache, sizeof cg_options.cache, has_table);
}

unsigned cache_sim_max_access(void) { return max_access; }

bool cache_sim_lines_nest(CacheKind k)
{
    return cache_sim_cache[CACHE_LL].line_bits >= cache_sim_cache[k].line_bits;
}

enum { USUAL_WAYS = 8, WAY_BITS = 3 };

LIGHT_INLINE uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

/** The time of way @p i, and in the lower bits which it is. */
LIGHT_INLINE uint64_t time_and_way(const Way *set, unsigned i) { return *set[i].used << WAY_BITS | i; }

/**
 * Of a set with eight ways, the usual number.  There are no branches, which could not be predicted, and
 * the comparisons are a tree: they need not wait for each other.
 */
LIGHT_INLINE Way *oldest_of_eight(Way *set)
{
    uint64_t a = smaller(time_and_way(set, 0), time_and_way(set, 1));
    uint64_t b = smaller(time_and_way(set, 2), time_and_way(set, 3));
    uint64_t c = smaller(time_and_way(set, 4), time_and_way(set, 5));
    uint64_t d = smaller(time_and_way(set, 6), time_and_way(set, 7));
    return &set[smaller(smaller(a, b), smaller(c, d)) % USUAL_WAYS];
}

/** The way of a set that was used least recently, or is empty. */
LIGHT_INLINE Way *oldest_way(const Cache *c, Way *set)
{
    Way *oldest = set;
    if (c->assoc == USUAL_WAYS)
        return oldest_of_eight(set);
    for (Way *w = set + 1; w < set + c->assoc; w++)
        oldest = *w->used < *oldest->used ? w : oldest;
    return oldest;
}

/** @p line, which is not there, takes the place of the oldest of its set. */
LIGHT_INLINE void bring_line(const Cache *c, uint64_t line)
{
    Way *w = oldest_way(c, c->way + (line & c->set_mask) * c->assoc);
    w->line = line + 1;
    if (c->used) {
        *w->used = 0;
        w->used = &c->used[line];
    }
    *w->used = cache_sim_clock++;
}

LIGHT_INLINE bool is_there(const Cache *c, uint64_t line)
{
    Way *set = c->way + (line & c->set_mask) * c->assoc;
    if (c->used) {
        if (c->used[line] == 0)
            return false;
        c->used[line] = cache_sim_clock++;
        return true;
    }
    for (Way *w = set; w < set + c->assoc; w++)
        if (w->line == line + 1) {
            *w->used = cache_sim_clock++;
            return true;
        }
    return false;
}

/** An access misses if any of its lines does. */
LIGHT_INLINE bool cache_misses(const Cache *c, GuestAddr a, unsigned size)
{
    uint64_t all = c->number_mask, line = a >> c->line_bits & all;
    uint64_t end = (a + size - 1) >> c->line_bits & all;
    bool miss = false;
    for (;; line = (line + 1) & all) {
        if (!is_there(c, line)) {
            bring_line(c, line);
            miss = true;
        }
        if (line == end)
            return miss;
    }
}

/** What missed in the first level. */
LIGHT_INLINE unsigned last_access(GuestAddr a, unsigned size)
{
    return cache_misses(&cache_sim_cache[CACHE_LL], a, size) ? MISS_L1 | MISS_LL : MISS_L1;
}

GIMLE_LIGHT unsigned cache_sim_fetch(GuestAddr a, unsigned size)
{
    return cache_misses(&cache_sim_cache[CACHE_I1], a, size) ? last_access(a, size) : 0;
}

GIMLE_LIGHT unsigned cache_sim_data(GuestAddr a, unsigned size)
{
    return cache_misses(&cache_sim_cache[CACHE_D1], a, size) ? last_access(a, size) : 0;
}

LIGHT_INLINE unsigned line_missed(const Cache *c, uint64_t line)
{
    bring_line(c, line);
    return last_access(line << c->line_bits, 1);
}

GIMLE_LIGHT unsigned cache_sim_line_missed(uint64_t line)
{
    return line_missed(&cache_sim_cache[CACHE_D1], line);
}

GIMLE_LIGHT unsigned cache_sim_code_missed(uint64_t line)
{
    return line_missed(&cache_sim_cache[CACHE_I1], line);
}
