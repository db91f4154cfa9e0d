/* SPDX-License-Identifier: MIT */
/*
 * --xtree-memory: bytes and blocks that are allocated now, by the stack that allocated them, and with `full'
 * those allocated and freed in all.  One table for all threads: the option is for looking, not for speed.
 */
#include <pthread.h>

#include "base/hashmap.h"
#include "base/vec.h"
#include "gimle/xtree.h"

enum { CUR_BYTES, CUR_BLOCKS, TOTAL_BYTES, TOTAL_BLOCKS, FREED_BYTES, FREED_BLOCKS, ALL_EVENTS,
       ALLOCS_EVENTS = CUR_BLOCKS + 1 };

static const XtreeEvent events[ALL_EVENTS] = {
    [CUR_BYTES] = { "curB", "currently allocated Bytes" },
    [CUR_BLOCKS] = { "curBk", "currently allocated Blocks" },
    [TOTAL_BYTES] = { "totB", "total allocated Bytes" },
    [TOTAL_BLOCKS] = { "totBk", "total allocated Blocks" },
    [FREED_BYTES] = { "totFdB", "total Freed Bytes" },
    [FREED_BLOCKS] = { "totFdBk", "total Freed Blocks" },
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /**< a leaf */
static HashMap by_trace; /**< StackTrace.id + 1 → number of the entry + 1 */
static Xtree tree = { .event = events, .skip_innermost = true };

/** The values of @p where; the lock is held. */
static uint64_t *values_at(const StackTrace *where)
{
    uint64_t n, key = where ? (uint64_t)where->id + 1 : 1;
    if (!hashmap_get(&by_trace, key, &n)) {
        vec_push(&tree.entries, ((XtreeEntry){ .where = where }));
        n = tree.entries.n;
        hashmap_put(&by_trace, key, n);
    }
    return tree.entries.data[n - 1].value;
}

void gimle_heap_tree_alloc(const StackTrace *where, size_t size)
{
    pthread_mutex_lock(&lock);
    uint64_t *v = values_at(where);
    v[CUR_BYTES] += size;
    v[CUR_BLOCKS]++;
    v[TOTAL_BYTES] += size;
    v[TOTAL_BLOCKS]++;
    pthread_mutex_unlock(&lock);
}

void gimle_heap_tree_free(Thread *t, const StackTrace *alloc, size_t size)
{
    const StackTrace *now = gimle_core_option("xtree-memory") == HEAP_TREE_FULL ? gimle_stack_trace(t) : NULL;
    pthread_mutex_lock(&lock);
    uint64_t *v = values_at(alloc);
    v[CUR_BYTES] -= size;
    v[CUR_BLOCKS]--;
    if (now) {
        v = values_at(now);
        v[FREED_BYTES] += size;
        v[FREED_BLOCKS]++;
    }
    pthread_mutex_unlock(&lock);
}

void gimle_heap_tree_write(const char *option, const char *pattern)
{
    bool full = gimle_core_option("xtree-memory") == HEAP_TREE_FULL;
    Xtree shown = { .event = events, .n_events = full ? ALL_EVENTS : ALLOCS_EVENTS,
                    .skip_innermost = tree.skip_innermost };
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < tree.entries.n; i++)
        if (full || tree.entries.data[i].value[CUR_BLOCKS])
            vec_push(&shown.entries, tree.entries.data[i]);
    pthread_mutex_unlock(&lock);
    gimle_xtree_write(&shown, "xtree memory report", option, pattern);
    vec_free(&shown.entries);
}
