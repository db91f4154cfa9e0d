/* SPDX-License-Identifier: MIT */
/* Memory for one piece of work (one translation, one report) that is freed all at once. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

typedef struct ArenaChunk ArenaChunk;

/** Zero-initialised is a valid empty arena. Not thread-safe: one owner at a time. */
typedef struct Arena {
    ArenaChunk *head;
    char *next, *end;
    size_t used; /**< bytes handed out since the last reset */
} Arena;

/** @p size zeroed bytes aligned to 16; never NULL (out of memory ends the core with a report). */
void *arena_alloc(Arena *a, size_t size);
/** arena_alloc_raw() where the newest chunk has no room. */
void *arena_alloc_chunk(Arena *a, size_t size);
/** As arena_alloc(), but what is in it is not defined: for big arrays that are filled anyway. */
static inline void *arena_alloc_raw(Arena *a, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (__builtin_expect((size_t)(a->end - a->next) < size, 0))
        return arena_alloc_chunk(a, size);
    void *p = a->next;
    a->next += size;
    a->used += size;
    return p;
}
#define arena_new(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define arena_array(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (size_t)(n)))
/** Copy of @p s. */
char *arena_strdup(Arena *a, const char *s);
char *arena_printf(Arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Forget everything but keep one chunk for reuse. */
void arena_reset(Arena *a);
/** Give all memory back. */
void arena_free(Arena *a);

#endif
