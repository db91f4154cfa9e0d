/* SPDX-License-Identifier: MIT */
/*
 * Blocks that the client's own allocators announce (MALLOCLIKE_BLOCK).  Found by start through a
 * map; found by any address through the units that they touch; blocks that touch very many units
 * are in one short list instead.  Everything is under LOCK_heap.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/hashmap.h"
#include "base/ranked_lock.h"
#include "base/vec.h"
#include "coregrind/heap/heap_internal.h"

enum { UNIT_BITS = 16, MAX_UNITS = 64 };

/** A block in the list of one unit. */
typedef struct Link {
    struct Link *next;
    Slot *slot;
} Link;

static HashMap by_unit;             /* unit + 1 → Link list, newest first */
static VEC(Slot *) wide;            /* blocks of more than MAX_UNITS units */
size_t registered_n;                /* read without the lock */

static GuestAddr lowest(const Slot *s)
{
    return s->b.addr > s->b.detail ? s->b.addr - s->b.detail : 0;
}

static GuestAddr highest(const Slot *s) { return s->b.addr + s->b.size + s->b.detail; }

static size_t first_unit(const Slot *s) { return lowest(s) >> UNIT_BITS; }
static size_t last_unit(const Slot *s) { return highest(s) >> UNIT_BITS; }
static bool is_wide(const Slot *s) { return last_unit(s) - first_unit(s) >= MAX_UNITS; }

Slot *registered_add(GuestAddr a, size_t size, size_t red_zone)
{
    if (a >= GIMLE_CLIENT_END || size > GIMLE_CLIENT_END - a || red_zone > 0xffff)
        return NULL;
    Slot *s = calloc(1, sizeof *s);
    CHECK(s != NULL, "out of memory");
    s->b = (HeapBlock){ .addr = a, .size = size, .kind = HEAP_CUSTOM, .detail = (uint16_t)red_zone };
    lock_take(LOCK_heap);
    if (is_wide(s)) {
        vec_push(&wide, s);
    } else {
        for (size_t u = first_unit(s); u <= last_unit(s); u++) {
            Link *l = malloc(sizeof *l);
            CHECK(l != NULL, "out of memory");
            *l = (Link){ hashmap_get_ptr(&by_unit, u + 1), s };
            hashmap_put(&by_unit, u + 1, (uint64_t)(uintptr_t)l);
        }
    }
    __atomic_store_n(&registered_n, registered_n + 1, __ATOMIC_SEQ_CST);
    lock_release(LOCK_heap);
    return s;
}

/** Take @p s out of the list of unit @p u. */
static void unlink_from(size_t u, const Slot *s)
{
    Link *first = hashmap_get_ptr(&by_unit, u + 1), **p = &first;
    while (*p && (*p)->slot != s)
        p = &(*p)->next;
    if (!*p)
        return;
    Link *gone = *p;
    *p = gone->next;
    free(gone);
    if (first)
        hashmap_put(&by_unit, u + 1, (uint64_t)(uintptr_t)first);
    else
        hashmap_remove(&by_unit, u + 1);
}

void registered_remove(Slot *s)
{
    lock_take(LOCK_heap);
    if (is_wide(s)) {
        for (size_t i = 0; i < wide.n; i++) {
            if (wide.data[i] == s) {
                vec_remove(&wide, i);
                break;
            }
        }
    } else {
        for (size_t u = first_unit(s); u <= last_unit(s); u++)
            unlink_from(u, s);
    }
    __atomic_store_n(&registered_n, registered_n - 1, __ATOMIC_SEQ_CST);
    lock_release(LOCK_heap); /* the record stays: errors may still point to it */
}

typedef bool Wanted(const Slot *s, GuestAddr a);

static bool starts_live(const Slot *s, GuestAddr a)
{
    return !s->b.freed && s->b.addr == a && s->b.kind < HEAP_POOL;
}

static bool starts_in_pool(const Slot *s, GuestAddr a)
{
    return !s->b.freed && s->b.addr == a && s->b.kind >= HEAP_POOL;
}

static bool contains(const Slot *s, GuestAddr a)
{
    return !s->b.freed && a >= s->b.addr && a - s->b.addr < s->b.size;
}

static bool is_near(const Slot *s, GuestAddr a) { return a >= lowest(s) && a < highest(s); }

static bool is_near_live(const Slot *s, GuestAddr a) { return !s->b.freed && is_near(s, a); }
static bool is_near_freed(const Slot *s, GuestAddr a) { return s->b.freed && is_near(s, a); }

static Slot *search(GuestAddr a, Wanted *wanted)
{
    for (Link *l = hashmap_get_ptr(&by_unit, (a >> UNIT_BITS) + 1); l; l = l->next)
        if (wanted(l->slot, a))
            return l->slot;
    for (size_t i = wide.n; i-- > 0;)
        if (wanted(wide.data[i], a))
            return wide.data[i];
    return NULL;
}

static Slot *find(GuestAddr a, Wanted *wanted)
{
    if (registered_count() == 0)
        return NULL;
    lock_take(LOCK_heap);
    Slot *s = search(a, wanted);
    lock_release(LOCK_heap);
    return s;
}

Slot *registered_find_start(GuestAddr a) { return find(a, starts_live); }

HeapBlock *gimle_heap_find_in_pool(GuestAddr a)
{
    Slot *s = find(a, starts_in_pool);
    return s ? &s->b : NULL;
}

HeapBlock *gimle_heap_find_live(GuestAddr a)
{
    Slot *s = find(a, contains);
    if (s)
        return &s->b;
    s = span_slot_at(a);
    bool found = s && slot_state(s) == SLOT_LIVE && a >= s->b.addr && a - s->b.addr < s->b.size;
    return found ? &s->b : NULL;
}

bool gimle_heap_is_reused(GuestAddr a) { return find(a, is_near_freed) != NULL; }

void gimle_heap_forget(HeapBlock *b) { registered_remove(slot_of(b)); }

Slot *registered_find_near(GuestAddr a)
{
    if (registered_count() == 0)
        return NULL;
    lock_take(LOCK_heap);
    Slot *s = search(a, contains);
    if (!s)
        s = search(a, is_near_live);
    if (!s)
        s = search(a, is_near);
    lock_release(LOCK_heap);
    return s;
}

static int by_addr(const void *a, const void *b)
{
    const Slot *x = *(Slot *const *)a, *y = *(Slot *const *)b;
    return x->b.addr < y->b.addr ? -1 : x->b.addr > y->b.addr;
}

Slot **registered_sorted(size_t *n)
{
    Slot **list = calloc(registered_count() + 1, sizeof *list);
    CHECK(list != NULL, "out of memory");
    size_t it = 0;
    uint64_t unit, first;
    *n = 0;
    lock_take(LOCK_heap);
    while (hashmap_next(&by_unit, &it, &unit, &first))
        for (Link *l = (Link *)(uintptr_t)first; l; l = l->next)
            if (!l->slot->b.freed && first_unit(l->slot) + 1 == unit)
                list[(*n)++] = l->slot;
    for (size_t i = 0; i < wide.n; i++)
        if (!wide.data[i]->b.freed)
            list[(*n)++] = wide.data[i];
    lock_release(LOCK_heap);
    qsort(list, *n, sizeof *list, by_addr);
    return list;
}
