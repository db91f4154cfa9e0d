/* SPDX-License-Identifier: MIT */
/* Allocates and frees what tests/tools/tools.t knows. */
#include <stdlib.h>

__attribute__((noinline)) static void *inner(size_t n) { return malloc(n); }
__attribute__((noinline)) static void *outer(size_t n)
{
    void *p = inner(n);
    __asm__ volatile("" : : "r"(p) : "memory");
    return p;
}

int main(void)
{
    void *a = outer(1000), *b = inner(2000), *c = calloc(10, 10);
    a = realloc(a, 5000);
    c = realloc(c, 50);
    free(b);
    b = malloc(0);
    free(a);
    free(b);
    free(c);
    return 0;
}
