/* SPDX-License-Identifier: MIT */
/* Who allocated: bytes in use by calling context, and the tree that is made of the contexts. */
#ifndef MASSIF_ALLOC_TREE_H
#define MASSIF_ALLOC_TREE_H

#include <stdio.h>

#include "massif.h"

/** The frames that lead to allocations, without the allocation functions themselves. */
typedef struct Context Context;

/**
 * Context of the allocation that thread @p t (NULL: none) makes now; @p in_function: it is about to
 * run a replaced function, which is not shown.
 */
Context *context_here(Thread *t, bool in_function);
/** Is it one of a function that --ignore-fn names? */
bool context_is_ignored(const Context *c);
/** Where it is. */
const StackTrace *context_trace(const Context *c);
/** @p bytes more (or less) are in use. */
void context_add(Context *c, int64_t bytes);

/** Bytes in use by context at one moment. */
typedef struct TreeSizes TreeSizes;
TreeSizes *tree_sizes_copy(void);
void tree_sizes_free(TreeSizes *s);
/** All bytes of it: those of the heap, but for what --ignore-fn causes. */
uint64_t tree_sizes_total(const TreeSizes *s);
/** Print the tree in the form of massif.out files; @p total: bytes that --threshold is about. */
void tree_print(FILE *f, const TreeSizes *s, uint64_t total, const char *root);

/** Names of code may change: forget what is cached of them. */
void context_code_changed(GuestAddr a, size_t len);

#endif
