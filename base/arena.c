/* SPDX-License-Identifier: MIT */
/* Bump allocation in chunks; a chunk that is too small is followed by one twice its size. */
#include "arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

struct ArenaChunk {
    ArenaChunk *prev;
    size_t size; /* payload bytes */
    max_align_t data[];
};

enum { FIRST_CHUNK = 64 * 1024, KEEP_MAX = 2 << 20 };

static void arena_grow(Arena *a, size_t need)
{
    size_t size = a->head ? a->head->size * 2 : FIRST_CHUNK;
    if (size > (16u << 20))
        size = 16u << 20;
    if (size < need)
        size = need;
    ArenaChunk *c = malloc(sizeof *c + size);
    CHECK(c != NULL, "out of memory: %zu bytes for an arena", size);
    c->prev = a->head;
    c->size = size;
    a->head = c;
    a->next = (char *)c->data;
    a->end = a->next + size;
}

void *arena_alloc_chunk(Arena *a, size_t size)
{
    arena_grow(a, size);
    return arena_alloc_raw(a, size);
}

void *arena_alloc(Arena *a, size_t size)
{
    return memset(arena_alloc_raw(a, size), 0, size);
}

char *arena_strdup(Arena *a, const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(arena_alloc(a, n), s, n);
}

char *arena_printf(Arena *a, const char *fmt, ...)
{
    va_list ap, ap2;
    va_start(ap, fmt);
    va_copy(ap2, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, ap2);
    va_end(ap2);
    return p;
}

void arena_reset(Arena *a)
{
    if (!a->head)
        return;
    /* The newest chunk is the biggest: with it the next piece of work of this size needs no other. */
    while (a->head->prev) {
        ArenaChunk *c = a->head->prev;
        a->head->prev = c->prev;
        free(c);
    }
    if (a->head->size > KEEP_MAX) {
        arena_free(a);
        return;
    }
    a->next = (char *)a->head->data;
    a->end = a->next + a->head->size;
    a->used = 0;
}

void arena_free(Arena *a)
{
    while (a->head) {
        ArenaChunk *c = a->head;
        a->head = c->prev;
        free(c);
    }
    *a = (Arena){ 0 };
}
