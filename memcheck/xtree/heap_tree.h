/* SPDX-License-Identifier: MIT */
/* --xtree-memory: which places allocated and freed how much. */
#ifndef MEMCHECK_HEAP_TREE_H
#define MEMCHECK_HEAP_TREE_H

#include "../memcheck.h"

/** Values of --xtree-memory. */
enum { HEAP_TREE_NONE, HEAP_TREE_ALLOCS, HEAP_TREE_FULL };

/** A block of @p size bytes was allocated at @p where. */
void heap_tree_alloc(const StackTrace *where, size_t size);
/** A block of @p size bytes, allocated at @p alloc, was freed by @p t. */
void heap_tree_free(Thread *t, const StackTrace *alloc, size_t size);
/** Write the tree to the file named by @p option's value @p pattern. */
void heap_tree_write(const char *option, const char *pattern);

#endif
