/* SPDX-License-Identifier: MIT */
/* Allocates below functions that were compiled into others, that have names of their own, and that are to be ignored. */
#include <stdlib.h>

#define OWN __attribute__((noinline, noclone))
#define PART __attribute__((always_inline)) static inline

static void *volatile kept;

PART void *part_of_part(size_t n) { return malloc(n + 1); }
PART void *part(size_t n) { return part_of_part(n + 1); }
OWN void *whole(size_t n) { return kept = part(n); }
OWN void *caller(size_t n) { return kept = whole(n); }
OWN void *resize(void *p, size_t n) { return kept = realloc(p, n); }

int main(void)
{
    for (int i = 0; i < 20; i++)
        kept = malloc(10 * (size_t)i);
    caller(1000);
    char *p = resize(malloc(400), 800);
    kept = malloc(100);
    p = resize(realloc(p, 1600), 300);
    kept = malloc(100);
    p = realloc(p, 1500);
    p = realloc(p, 200);
    kept = malloc(100);
    free(p);
    p = realloc(resize(NULL, 1000), 2000);
    free(realloc(p, 20));
    free(caller(5000));
    return 0;
}
