/* SPDX-License-Identifier: MIT */
/* The guest heap: classes, red zones, quarantine, lookup, large and registered blocks, threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "coregrind/aspace/aspace.h"
#include "coregrind/heap/heap_internal.h"

/* ---- an address space below GIMLE_CLIENT_END, page aligned, top down ------------------------------ */

static GuestAddr next_map = (20ULL << 40) - 0x3000;
static size_t mapped, announced;

GuestAddr aspace_map_arena(size_t len)
{
    GuestAddr a = __atomic_sub_fetch(&next_map, len, __ATOMIC_SEQ_CST);
    void *p = mmap((void *)a, len, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return 0;
    __atomic_add_fetch(&mapped, len, __ATOMIC_SEQ_CST);
    return a;
}

void aspace_unmap_arena(GuestAddr a, size_t len)
{
    assert_int_equal(munmap((void *)a, len), 0);
    __atomic_sub_fetch(&mapped, len, __ATOMIC_SEQ_CST);
}

unsigned gimle_thread_count(void) { return 1; }
bool host_fd_may_open(void) { return true; }

static void on_arena(GuestAddr a, size_t len)
{
    assert_int_equal(a % 4096, 0);
    __atomic_add_fetch(&announced, len, __ATOMIC_SEQ_CST);
}

static HeapBlock *dropped[16];
static size_t n_dropped;

static void on_drop(HeapBlock *b)
{
    size_t i = __atomic_fetch_add(&n_dropped, 1, __ATOMIC_SEQ_CST);
    if (i < 16)
        dropped[i] = b;
}

static void *memory_of(const HeapBlock *b) { return (void *)(uintptr_t)b->addr; }

static HeapBlock *get(size_t size) { return gimle_heap_alloc(NULL, size, 16, HEAP_MALLOC); }

/* ---- tests ---------------------------------------------------------------------------------------- */

static void test_classes(void **state)
{
    (void)state;
    for (size_t n = 1; n <= HEAP_MAX_SLOT; n += n < 5000 ? 1 : 997) {
        unsigned c = size_class(n);
        assert_true(c < HEAP_CLASSES);
        assert_true(size_class_bytes(c) >= n);
        assert_true(c == 0 || size_class_bytes(c - 1) < n);
        assert_int_equal(size_class_bytes(c) % 16, 0);
    }
    assert_int_equal(size_class_bytes(HEAP_CLASSES - 1), HEAP_MAX_SLOT);
}

static void test_blocks_do_not_overlap(void **state)
{
    (void)state;
    enum { N = 3000 };
    static HeapBlock *b[N];
    srand(1);
    for (int i = 0; i < N; i++) {
        size_t size = (size_t)(rand() % (i % 100 == 0 ? 300000 : 600));
        size_t align = (size_t)16 << (i % 50 == 0 ? rand() % 9 : 0);
        b[i] = gimle_heap_alloc(NULL, size, align, HEAP_NEW);
        assert_non_null(b[i]);
        assert_int_equal(b[i]->addr % align, 0);
        assert_int_equal(b[i]->size, size);
        memset((char *)memory_of(b[i]) - 16, i, size + 32);
    }
    for (int i = 0; i < N; i++) {
        const unsigned char *p = memory_of(b[i]);
        for (size_t k = 0; k < b[i]->size; k += 7)
            assert_int_equal(p[k], (unsigned char)i);
        assert_ptr_equal(gimle_heap_find_start(b[i]->addr), b[i]);
        assert_null(gimle_heap_find_start(b[i]->addr + 1));
        assert_ptr_equal(gimle_heap_find_near(b[i]->addr), b[i]);
        assert_ptr_equal(gimle_heap_find_near(b[i]->addr - 16), b[i]);
        assert_ptr_equal(gimle_heap_find_near(b[i]->addr + b[i]->size + 15), b[i]);
    }
    for (int i = 0; i < N; i++)
        gimle_heap_free(NULL, b[i], NULL);
    assert_null(gimle_heap_find_near(0x1234));
    assert_null(gimle_heap_find_near(1ULL << 60));
    assert_true(announced >= mapped);
}

static void test_quarantine(void **state)
{
    (void)state;
    gimle_heap_init(16, 0, 0);
    gimle_heap_free(NULL, get(1), NULL); /* everything older goes */
    get(1 << 20);                        /* this one, too */
    gimle_heap_init(16, 1300, 400); /* blocks of 300 occupy 332 to 400 */
    n_dropped = 0;
    HeapBlock *a = get(300), *b = get(300), *c = get(300), *d = get(300);
    gimle_heap_free(NULL, a, (const StackTrace *)1);
    gimle_heap_free(NULL, b, NULL);
    gimle_heap_free(NULL, c, NULL);
    assert_int_equal(n_dropped, 0);
    assert_int_equal(a->freed, 1);
    assert_ptr_equal(gimle_heap_find_near(a->addr + 5), a);
    assert_null(gimle_heap_find_start(a->addr));
    gimle_heap_free(NULL, d, NULL); /* the one freed last does not count */
    assert_int_equal(n_dropped, 0);
    gimle_heap_free(NULL, get(300), NULL);
    assert_int_equal(n_dropped, 1);
    assert_ptr_equal(dropped[0], a);
    assert_null(gimle_heap_find_near(a->addr));
    HeapBlock *again = NULL;
    for (int i = 0; i < 1000 && again != a; i++) /* its memory is used again */
        again = get(300);
    assert_ptr_equal(again, a);
    assert_int_equal(a->freed, 0);
    assert_null(a->alloc);
    HeapBlock *big = get(500);
    gimle_heap_free(NULL, big, NULL);
    assert_int_equal(n_dropped, 2);
    assert_ptr_equal(dropped[1], b);
    gimle_heap_free(NULL, get(300), NULL); /* the big one goes before the older small ones */
    assert_int_equal(n_dropped, 3);
    assert_ptr_equal(dropped[2], big);
    assert_int_equal(c->freed, 1);
}

static void test_large_blocks_are_unmapped(void **state)
{
    (void)state;
    gimle_heap_init(16, 10000000, 1000000);
    HeapBlock *b = get(5 << 20);
    size_t with = mapped;
    memset(memory_of(b), 1, b->size);
    assert_ptr_equal(gimle_heap_find_near(b->addr + b->size - 1), b);
    gimle_heap_free(NULL, b, NULL);
    assert_int_equal(mapped, with);
    gimle_heap_init(16, 1000, 1000000);
    gimle_heap_free(NULL, get(16), NULL);
    assert_true(mapped <= with - (5 << 20));
    assert_null(gimle_heap_find_near(b->addr));
    assert_null(gimle_heap_alloc(NULL, 1ULL << 60, 16, HEAP_MALLOC));
    assert_null(gimle_heap_alloc(NULL, SIZE_MAX - 8, 16, HEAP_MALLOC));
    assert_null(gimle_heap_alloc(NULL, 10, 24, HEAP_MALLOC));
}

static void test_resize(void **state)
{
    (void)state;
    HeapBlock *b = get(600);
    size_t room = gimle_heap_slack(b);
    assert_true(room >= 600);
    assert_true(gimle_heap_resize(b, room));
    assert_int_equal(b->size, room);
    assert_false(gimle_heap_resize(b, room + 1));
    gimle_heap_free(NULL, b, NULL);
}

typedef struct Walk {
    GuestAddr last;
    size_t n, bytes;
} Walk;

static void walk(void *ctx, HeapBlock *b)
{
    Walk *w = ctx;
    assert_true(b->addr > w->last);
    w->last = b->addr;
    w->n++;
    w->bytes += b->size;
}

static void test_registered(void **state)
{
    (void)state;
    Walk before = { 0 }, after = { 0 };
    HeapBlock *pool = get(4000);
    gimle_heap_for_each(walk, &before);
    HeapBlock *x = gimle_heap_register(NULL, pool->addr + 100, 50, 8);
    HeapBlock *y = gimle_heap_register(NULL, pool->addr + 200, 0, 0);
    HeapBlock *wide = gimle_heap_register(NULL, 1ULL << 40, 1ULL << 38, 0);
    assert_non_null(y);
    assert_null(gimle_heap_register(NULL, GIMLE_CLIENT_END - 10, 20, 0));
    assert_ptr_equal(gimle_heap_find_start(pool->addr + 100), x);
    assert_ptr_equal(gimle_heap_find_near(pool->addr + 120), x);
    assert_ptr_equal(gimle_heap_find_near(pool->addr + 92), x);
    assert_ptr_equal(gimle_heap_find_near(pool->addr + 91), pool);
    assert_ptr_equal(gimle_heap_find_near((1ULL << 40) + (1ULL << 37)), wide);
    gimle_heap_for_each(walk, &after);
    assert_int_equal(after.n, before.n + 3);
    gimle_heap_init(16, 100, 0);
    gimle_heap_free(NULL, x, NULL);
    assert_null(gimle_heap_find_start(pool->addr + 100));
    assert_ptr_equal(gimle_heap_find_near(pool->addr + 120), x);
    gimle_heap_free(NULL, wide, NULL);
    gimle_heap_free(NULL, y, NULL);
    gimle_heap_free(NULL, get(10), NULL); /* drops x too */
    assert_ptr_equal(gimle_heap_find_near(pool->addr + 120), pool);
    gimle_heap_free(NULL, pool, NULL);
}

enum { MANY = 20000 };
static HeapBlock *many[MANY];
static size_t dead_bytes;

/** Nothing lives in what is said to be dead. */
static void on_dead(GuestAddr a, size_t len)
{
    assert_int_equal(a % 4096, 0);
    assert_int_equal(len % 4096, 0);
    for (int i = 0; i < MANY; i++)
        assert_false(many[i] && many[i]->addr < a + len && a < many[i]->addr + many[i]->size);
    dead_bytes += len;
}

/** When the process is larger than its quarantine explains, what waits there is given back. */
static void test_dead_parts(void **state)
{
    (void)state;
    enum { SIZE = 1000, WAITING = 6000000 };
    gimle_heap_init(16, WAITING, 0);
    gimle_heap_on_dead(on_dead);
    for (int i = 0; i < MANY; i++) {
        many[i] = get(SIZE);
        memset(memory_of(many[i]), i, SIZE);
    }
    dead_bytes = 0;
    for (int i = 0; i < MANY; i++) {
        if (i % 1000 == 7)
            continue;
        HeapBlock *b = many[i];
        many[i] = NULL;
        gimle_heap_free(NULL, b, NULL);
    }
    for (int i = 0; i < 400; i++) /* that is found out when more is wanted */
        gimle_heap_free(NULL, get(3000), NULL);
    assert_true(dead_bytes > WAITING / 2);
    assert_true(dead_bytes < 4 * WAITING);
    for (int i = 0; i < MANY; i++) {
        const unsigned char *p = many[i] ? memory_of(many[i]) : NULL;
        for (size_t k = 0; p && k < SIZE; k++)
            assert_int_equal(p[k], (unsigned char)i);
        HeapBlock *b = many[i];
        many[i] = NULL;
        if (b)
            gimle_heap_free(NULL, b, NULL);
    }
    gimle_heap_on_dead(NULL);
}

/** The bits of a record are where the members are. */
static void test_records(void **state)
{
    (void)state;
    Slot s;
    memset(&s, 0xff, sizeof s);
    GuestAddr a = GIMLE_CLIENT_END - 32;
    slot_fill(&s, a, (1ULL << 44) + 5, HEAP_NEW_ARRAY, CLASS_LARGE, SLOT_FREE);
    assert_true(s.b.addr == a && s.b.size == (1ULL << 44) + 5 && s.b.kind == HEAP_NEW_ARRAY);
    assert_true(s.b.detail == CLASS_LARGE && s.b.freed == SLOT_FREE && !s.b.taken && !s.b.alloc && !s.b.user);
    slot_set_state(&s, SLOT_LIVE);
    assert_true(s.b.freed == SLOT_LIVE && s.b.size == (1ULL << 44) + 5);
    HeapBlock *b = get(77);
    assert_ptr_equal(gimle_heap_claim(b->addr, HEAP_NEW), NULL);
    assert_ptr_equal(gimle_heap_claim(b->addr, HEAP_MALLOC), b);
    assert_true(b->taken == 1 && b->size == 77 && b->freed == SLOT_LIVE);
    assert_ptr_equal(gimle_heap_claim(b->addr, HEAP_MALLOC), NULL);
    gimle_heap_free(NULL, b, NULL);
}

/** A block of some GiB needs next to nothing, and is found anywhere. */
static void test_huge_block(void **state)
{
    (void)state;
    enum { N = 5 };
    HeapBlock *b[N];
    gimle_heap_init(16, 0, 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            size_t size = (4ULL << 30) + (size_t)i * 12345;
            assert_non_null(b[i] = get(size));
            for (size_t at = 0; at < size; at += size / 97)
                assert_ptr_equal(gimle_heap_find_near(b[i]->addr + at), b[i]);
            assert_ptr_equal(gimle_heap_find_near(b[i]->addr + size - 1), b[i]);
        }
        for (int i = 0; i < N; i++) {
            GuestAddr a = b[i]->addr;
            gimle_heap_free(NULL, b[i], NULL);
            for (int k = 0; k < 16; k++) /* it leaves the quarantine */
                gimle_heap_free(NULL, get(16), NULL);
            assert_null(gimle_heap_find_near(a));
            assert_null(gimle_heap_find_near(a + (3ULL << 30)));
        }
    }
}

/** Blocks of other and other sizes need no more than those of one. */
static void test_sizes_drift(void **state)
{
    (void)state;
    enum { WAITING = 4 << 20 };
    size_t before = mapped;
    gimle_heap_init(16, WAITING, 0);
    for (size_t size = 16; size < 20000; size += 16) {
        for (int i = 0; i < 20; i++) {
            gimle_heap_free(NULL, get(24), NULL);
            gimle_heap_free(NULL, get(size), NULL);
        }
    }
    assert_true(mapped - before < 3 * WAITING);
}

/** Allocate, write, check, free at random. */
static void *hammer(void *seed)
{
    enum { KEEP = 64, ROUNDS = 40000 };
    HeapBlock *b[KEEP] = { 0 };
    unsigned s = (unsigned)(uintptr_t)seed;
    for (int i = 0; i < ROUNDS; i++) {
        unsigned k = (unsigned)rand_r(&s) % KEEP;
        if (b[k]) {
            if (*(uint64_t *)memory_of(b[k]) != ((uint64_t)(uintptr_t)seed << 32 | k))
                return (void *)1;
            gimle_heap_free(NULL, b[k], NULL);
            b[k] = NULL;
        } else {
            b[k] = get(8 + (size_t)rand_r(&s) % (i % 64 ? 500 : 200000));
            *(uint64_t *)memory_of(b[k]) = (uint64_t)(uintptr_t)seed << 32 | k;
        }
    }
    for (unsigned k = 0; k < KEEP; k++)
        if (b[k])
            gimle_heap_free(NULL, b[k], NULL);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t t[4];
    Walk before = { 0 }, after = { 0 };
    gimle_heap_init(16, 100000, 50000);
    gimle_heap_for_each(walk, &before);
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, hammer, (void *)(i + 1)), 0);
    for (int i = 0; i < 4; i++) {
        void *r;
        pthread_join(t[i], &r);
        assert_null(r);
    }
    gimle_heap_for_each(walk, &after);
    assert_int_equal(after.n, before.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),    cmocka_unit_test(test_blocks_do_not_overlap),
        cmocka_unit_test(test_quarantine), cmocka_unit_test(test_large_blocks_are_unmapped),
        cmocka_unit_test(test_resize),     cmocka_unit_test(test_registered),
        cmocka_unit_test(test_dead_parts), cmocka_unit_test(test_records),
        cmocka_unit_test(test_huge_block), cmocka_unit_test(test_sizes_drift),
        cmocka_unit_test(test_threads),
    };
    gimle_heap_on_arena(on_arena);
    gimle_heap_on_reuse(on_drop);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
