// SPDX-License-Identifier: MIT
// Generated code: in shared and file-backed mappings, beside data in a page, made by one thread and
// run by another, and code behind a jump that begins to look at condition codes.
// TOOL: none
// LDFLAGS: -lpthread
// STDOUT: two views of a file: 1 2 3
// STDOUT: private mapping of a file: 1 2
// STDOUT: code and data in a page: 5050
// STDOUT: by another thread: 500500
// STDOUT: condition codes: 5 5 1 0
// STDOUT: condition codes in another page: 5 5 1 0
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, RWX = PROT_READ | PROT_WRITE | PROT_EXEC };

typedef int (*Function)(int);

// mov $n, %eax; ret
static void put_constant(uint8_t *p, int n)
{
    p[0] = 0xb8;
    memcpy(p + 1, &n, 4);
    p[5] = 0xc3;
}

static int call(const void *p, int arg)
{
    return ((Function)(uintptr_t)p)(arg);
}

static void *map(size_t bytes, int prot, int flags, int fd)
{
    void *p = mmap(NULL, bytes, prot, flags, fd, 0);
    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return p;
}

static void test_views(void)
{
    int fd = memfd_create("code", 0);
    if (fd < 0 || ftruncate(fd, PAGE))
        exit(1);
    uint8_t *rw = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    uint8_t *rx = map(PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd);
    printf("two views of a file:");
    for (int i = 1; i <= 3; i++) {
        put_constant(rw, i);
        printf(" %d", call(rx, 0));
    }
    printf("\n");
    put_constant(rw, 1);
    uint8_t *own = map(PAGE, RWX, MAP_PRIVATE, fd);
    printf("private mapping of a file: %d", call(own, 0));
    put_constant(own, 2);
    printf(" %d\n", call(own, 0));
    close(fd);
}

static void test_data_beside(uint8_t *page)
{
    volatile int *sum = (volatile int *)(void *)(page + 2048);
    put_constant(page, 1);
    *sum = 0;
    for (int i = 1; i <= 100; i++) {
        int one = call(page, 0);
        *sum += i * one;
    }
    printf("code and data in a page: %d\n", *sum);
}

static struct {
    uint8_t *page;
    atomic_int made, done;
} shared;

static void *generator(void *arg)
{
    (void)arg;
    for (int i = 1; i <= 1000; i++) {
        while (atomic_load(&shared.done) != i - 1)
            usleep(0);
        put_constant(shared.page, i);
        atomic_store(&shared.made, i);
    }
    return NULL;
}

static void test_threads(uint8_t *page)
{
    pthread_t t;
    int sum = 0;
    shared.page = page;
    pthread_create(&t, NULL, generator, NULL);
    for (int i = 1; i <= 1000; i++) {
        while (atomic_load(&shared.made) != i)
            usleep(0);
        // what a program must do on a processor, too: serialise
        unsigned a = 0, b, c = 0, d;
        __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d) : : "memory");
        sum += call(page, 0);
        atomic_store(&shared.done, i);
    }
    pthread_join(t, NULL);
    printf("by another thread: %d\n", sum);
}

// At from: xor %eax, %eax; cmp $1, %edi; jmp to.  At to: first xor %ecx, %ecx, then sete %al.
static void test_condition_codes(uint8_t *from, uint8_t *to, const char *where)
{
    static const uint8_t compare[] = { 0x31, 0xc0, 0x83, 0xff, 0x01, 0xe9 };
    static const uint8_t ignores[] = { 0x31, 0xc9, 0xb8, 5, 0, 0, 0, 0xc3 };
    static const uint8_t looks[] = { 0x0f, 0x94, 0xc0, 0xc3 };
    int32_t rel = (int32_t)(to - (from + 10));
    memcpy(from, compare, sizeof compare);
    memcpy(from + 6, &rel, 4);
    memcpy(to, ignores, sizeof ignores);
    printf("condition codes%s: %d", where, call(from, 1));
    printf(" %d", call(from, 0));
    memcpy(to, looks, sizeof looks);
    printf(" %d", call(from, 1));
    printf(" %d\n", call(from, 0));
}

int main(void)
{
    uint8_t *pages = map(4 * PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    test_views();
    test_data_beside(pages);
    test_threads(pages + PAGE);
    test_condition_codes(pages, pages + 512, "");
    test_condition_codes(pages + 2 * PAGE, pages + 3 * PAGE, " in another page");
    return 0;
}
