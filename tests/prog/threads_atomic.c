// SPDX-License-Identifier: MIT
// Atomic operations of two threads on one word lose nothing.
// LDFLAGS: -pthread
// STDOUT: 400000 400000 400000
#include <pthread.h>
#include <stdio.h>
static long add, swap;
static struct { _Alignas(16) __int128 v; } wide;
static void *work(void *arg)
{
    for (int i = 0; i < 200000; i++) {
        long old;
        __atomic_fetch_add(&add, 1, __ATOMIC_SEQ_CST);
        old = __atomic_load_n(&swap, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&swap, &old, old + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
            ;
        unsigned char done;
        unsigned long lo = (unsigned long)wide.v, hi = 0;
        do {
            unsigned long want = lo + 1;
            __asm__ volatile("lock cmpxchg16b %1; sete %0"
                : "=q"(done), "+m"(wide.v), "+a"(lo), "+d"(hi)
                : "b"(want), "c"(0UL) : "cc", "memory");
        } while (!done);
    }
    return 0;
}
int main(void)
{
    pthread_t t;
    pthread_create(&t, 0, work, 0);
    work(0);
    pthread_join(t, 0);
    printf("%ld %ld %ld\n", add, swap, (long)wide.v);
    return 0;
}
