/* SPDX-License-Identifier: MIT */
/*
 * The registered stacks, sorted by address.  Translated code asks about each large change of the
 * stack pointer, so readers take no lock: they look at a counter before and after, which is odd
 * while a writer is at work.  Tables that became too small stay, since a reader may be in one.
 */
#include "coregrind/thread/stacks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

typedef struct ClientStack {
    GuestAddr lo, hi;
    uint64_t id;
} ClientStack;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a leaf */
static ClientStack *_Atomic table;
static atomic_size_t count;
static size_t capacity;
static atomic_uint version;
static uint64_t last_id;

/** A copy of the stack that @p sp is in, or one with id 0. An empty stack's pointer is its end. */
static GIMLE_LIGHT void find(GuestAddr sp, ClientStack *out)
{
    unsigned before, after;
    do {
        before = atomic_load_explicit(&version, memory_order_acquire);
        const ClientStack *t = atomic_load_explicit(&table, memory_order_acquire);
        size_t lo = 0, hi = atomic_load_explicit(&count, memory_order_acquire);
        while (lo < hi) {
            size_t mid = lo + (hi - lo) / 2;
            if (t[mid].hi < sp)
                lo = mid + 1;
            else
                hi = mid;
        }
        bool found = lo < atomic_load_explicit(&count, memory_order_relaxed) && t[lo].lo < sp &&
                     sp <= t[lo].hi;
        out->lo = found ? t[lo].lo : 0;
        out->hi = found ? t[lo].hi : 0;
        out->id = found ? t[lo].id : 0;
        atomic_thread_fence(memory_order_acquire);
        after = atomic_load_explicit(&version, memory_order_relaxed);
    } while (before != after || before % 2);
}

bool gimle_stack_is_switch(GuestAddr from, GuestAddr to)
{
    ClientStack a, b;
    if (atomic_load_explicit(&count, memory_order_relaxed) == 0)
        return false;
    find(from, &a);
    find(to, &b);
    return a.id != b.id;
}

bool stacks_find(GuestAddr sp, GuestAddr *lo, GuestAddr *hi)
{
    ClientStack s;
    if (atomic_load_explicit(&count, memory_order_relaxed) == 0)
        return false;
    find(sp, &s);
    *lo = s.lo;
    *hi = s.hi;
    return s.id != 0;
}

/* ---- changes: between begin and end ---------------------------------------------------------- */

static void begin(void)
{
    pthread_mutex_lock(&lock);
    atomic_fetch_add(&version, 1);
}

static void end(void)
{
    atomic_fetch_add(&version, 1);
    pthread_mutex_unlock(&lock);
}

static void insert(ClientStack s)
{
    size_t n = count, i = n;
    if (n == capacity) {
        capacity = capacity ? 2 * capacity : 16;
        ClientStack *bigger = calloc(capacity, sizeof *bigger);
        CHECK(bigger != NULL, "out of memory");
        if (n)
            memcpy(bigger, table, n * sizeof *bigger);
        atomic_store(&table, bigger);
    }
    ClientStack *t = table;
    for (; i > 0 && t[i - 1].hi > s.hi; i--)
        t[i] = t[i - 1];
    t[i] = s;
    count = n + 1;
}

static bool take(uint64_t id)
{
    ClientStack *t = table;
    for (size_t i = 0; i < count; i++) {
        if (t[i].id != id)
            continue;
        memmove(&t[i], &t[i + 1], (count - i - 1) * sizeof *t);
        count--;
        return true;
    }
    return false;
}

static ClientStack make(uint64_t id, GuestAddr a, GuestAddr b)
{
    return a <= b ? (ClientStack){ a, b, id } : (ClientStack){ b, a, id };
}

uint64_t stacks_register(GuestAddr lo, GuestAddr hi)
{
    begin();
    uint64_t id = ++last_id;
    insert(make(id, lo, hi));
    end();
    return id;
}

void stacks_deregister(uint64_t id)
{
    begin();
    take(id);
    end();
}

void stacks_change(uint64_t id, GuestAddr lo, GuestAddr hi)
{
    begin();
    if (take(id))
        insert(make(id, lo, hi));
    end();
}
