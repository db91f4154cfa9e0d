// SPDX-License-Identifier: MIT
// CFLAGS: -O1 -fno-builtin
// The replaced string functions give the results of plain loops, at all alignments and beside a page
// that may not be touched, and copies carry undefined bytes along without a report.
// STDOUT: ok
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
// The client request sequence; numbers as in valgrind/memcheck.h.
static uint64_t request(uint64_t n, const void *a, const void *b, uint64_t len)
{
    volatile uint64_t args[6] = { n, (uint64_t)a, (uint64_t)b, len, 0, 0 };
    uint64_t result = 0;
    __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi;"
                     "xchgq %%rbx, %%rbx"
                     : "+d"(result) : "a"(args) : "cc", "memory");
    return result;
}
enum { MAKE_UNDEFINED = 0x4d430001, MAKE_DEFINED, GET_VBITS = 0x4d430008, SET_VBITS };
enum { PAGE = 4096, AREA = 300 };
static unsigned seed = 1;
static unsigned rnd(unsigned n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}
static char *area(void) // ends where a forbidden page begins
{
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(p + PAGE, PAGE, PROT_NONE);
    return p + PAGE - AREA;
}
static int sign(int x)
{
    return (x > 0) - (x < 0);
}
static int loop_cmp(const char *a, const char *b, size_t n, int to_nul)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i])
            return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
        if (to_nul && !a[i])
            return 0;
    }
    return 0;
}
static void fail(const char *what, unsigned i)
{
    printf("%s, round %u\n", what, i);
    exit(0);
}
#define CHECK(what) do { if (!(what)) fail(#what, i); } while (0)
static void look(char *a, char *b, unsigned i)
{
    for (unsigned k = 0; k < AREA; k++)
        a[k] = b[k] = (char)(rnd(20) ? 'a' + rnd(3) : 0);
    if (rnd(2))
        memset(a + rnd(100), 'a', 120), memset(b + rnd(100), 'a', 120);
    a[AREA - 1] = b[AREA - 1] = 0;
    const char *s = a + rnd(AREA), *t = rnd(2) ? b + (s - a) : b + rnd(AREA), *end = a + AREA;
    size_t len = 0, n = rnd((unsigned)(end - s) + 1), m = b + AREA - t;
    char c = (char)('a' + rnd(4));
    const char *first = NULL, *last = NULL, *in_n = NULL;
    while (s[len])
        len++;
    for (size_t k = 0; k <= len; k++)
        if (s[k] == c)
            first = first ? first : s + k, last = s + k;
    for (size_t k = 0; k < n && !in_n; k++)
        if (s[k] == c)
            in_n = s + k;
    m = m < n ? m : n;
    CHECK(strlen(s) == len);
    CHECK(strnlen(s, n) == (len < n ? len : n));
    CHECK(strchr(s, c) == first && strrchr(s, c) == last && strchr(s, 0) == s + len);
    CHECK(memchr(s, c, n) == in_n);
    CHECK(sign(strcmp(s, t)) == loop_cmp(s, t, AREA, 1));
    CHECK(sign(strncmp(s, t, n)) == loop_cmp(s, t, n, 1));
    CHECK(sign(memcmp(s, t, m)) == loop_cmp(s, t, m, 0));
}
static void copy(char *a, char *b, unsigned i)
{
    char before[AREA];
    unsigned char bits[AREA], got[AREA];
    for (unsigned k = 0; k < AREA; k++) {
        a[k] = (char)(1 + rnd(100)), b[k] = before[k] = (char)rnd(100);
        bits[k] = (unsigned char)(rnd(8) ? 0 : 0xff);
    }
    if (rnd(2))
        memset(bits, 0, sizeof bits);
    unsigned from = rnd(AREA), to = rnd(AREA), most = AREA - (from > to ? from : to), n = rnd(most + 1);
    a[from + n - (n > 0)] = 0;
    int clean = rnd(3) == 0;
    if (clean)
        memset(bits, 0, sizeof bits);
    request(SET_VBITS, a, bits, AREA);
    switch (clean && n ? rnd(6) : rnd(3)) {
    case 0: CHECK(memcpy(b + to, a + from, n) == b + to); break;
    case 1: CHECK(memmove(b + to, a + from, n) == b + to); break;
    case 2: CHECK(mempcpy(b + to, a + from, n) == b + to + n); break;
    case 3: CHECK(strcpy(b + to, a + from) == b + to); break;
    case 4: CHECK(stpcpy(b + to, a + from) == b + to + n - 1); break;
    case 5: CHECK(strncpy(b + to, a + from, n) == b + to); break;
    }
    request(GET_VBITS, b, got, AREA);
    request(MAKE_DEFINED, a, (void *)AREA, 0);
    request(MAKE_DEFINED, b, (void *)AREA, 0);
    for (unsigned k = 0; k < AREA; k++) {
        int in = k >= to && k < to + n;
        CHECK(b[k] == (in ? a[from + k - to] : before[k]));
        CHECK(got[k] == (in ? bits[from + k - to] : 0));
    }
    unsigned at = rnd(AREA), size = rnd(AREA - at + 1);
    request(MAKE_UNDEFINED, b + at, (void *)(uintptr_t)size, 0);
    CHECK(memset(b + at, 7, size) == b + at);
    for (unsigned k = 0; k < size; k++)
        CHECK(b[at + k] == 7);
}
int main(void)
{
    char *a = area(), *b = area();
    for (unsigned i = 0; i < 20000; i++) {
        look(a, b, i);
        copy(a, b, i);
    }
    puts("ok");
    return 0;
}
