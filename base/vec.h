/* SPDX-License-Identifier: MIT */
/*
 * Growable arrays: VEC(T) is a struct { T *data; size_t n, cap; }; zero-initialised is empty.
 * Elements move when it grows, so hold indices, not pointers.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stdlib.h>
#include <string.h>

#include "check.h"

#define VEC(T) struct { T *data; size_t n, cap; }

/** Room for one more; returns a pointer to the new, uninitialised element. */
#define vec_push_slot(v)                                                                   \
    ((v)->n == (v)->cap                                                                    \
         ? ((v)->data = vec_grow((v)->data, &(v)->cap, sizeof *(v)->data), &(v)->data[(v)->n++]) \
         : &(v)->data[(v)->n++])
#define vec_push(v, x) (*vec_push_slot(v) = (x))
#define vec_free(v) (free((v)->data), (v)->data = NULL, (v)->n = (v)->cap = 0)
/** Remove element @p i, keeping the order. */
#define vec_remove(v, i)                                                                   \
    (memmove(&(v)->data[i], &(v)->data[(i) + 1], ((v)->n - (i)-1) * sizeof *(v)->data), (v)->n--)
/** Insert before element @p i. */
#define vec_insert(v, i, x)                                                                \
    do {                                                                                   \
        size_t at_ = (i);                                                                  \
        (void)vec_push_slot(v);                                                            \
        memmove(&(v)->data[at_ + 1], &(v)->data[at_], ((v)->n - 1 - at_) * sizeof *(v)->data); \
        (v)->data[at_] = (x);                                                              \
    } while (0)

static inline void *vec_grow(void *data, size_t *cap, size_t elem)
{
    size_t n = *cap ? *cap * 2 : 16;
    void *p = realloc(data, n * elem);
    CHECK(p != NULL, "out of memory: %zu bytes", n * elem);
    *cap = n;
    return p;
}

#endif
