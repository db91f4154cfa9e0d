/* SPDX-License-Identifier: MIT */
/*
 * Execution trees: numbers by stack trace, written as a profile for viewers of callgrind's format or, if the
 * file is named *.ms, of massif's.  One of them, the heap's, is for all tools that replace malloc.
 */
#ifndef GIMLE_XTREE_H
#define GIMLE_XTREE_H

#include "tool.h"

enum { XTREE_EVENTS = 27 /**< most events of a tree */ };

typedef struct XtreeEvent {
    const char *name, *what; /**< "curB", "currently allocated Bytes" */
} XtreeEvent;

typedef struct XtreeEntry {
    const StackTrace *where; /**< may be NULL */
    uint64_t value[XTREE_EVENTS];
} XtreeEntry;

typedef struct Xtree {
    const XtreeEvent *event;
    unsigned n_events;
    bool skip_innermost;     /**< the innermost function is one of the heap's and not shown */
    struct { XtreeEntry *data; size_t n, cap; } entries; /**< as VEC(); sorted by gimle_xtree_write() */
} Xtree;

/** Write @p x to the file named by @p pattern, the value of @p option; say so after @p title. */
void gimle_xtree_write(Xtree *x, const char *title, const char *option, const char *pattern);

/** Values of --xtree-memory. */
enum { HEAP_TREE_NONE, HEAP_TREE_ALLOCS, HEAP_TREE_FULL };

/** A block of @p size bytes was allocated at @p where. */
void gimle_heap_tree_alloc(const StackTrace *where, size_t size);
/** A block of @p size bytes, allocated at @p alloc, was freed by @p t. */
void gimle_heap_tree_free(Thread *t, const StackTrace *alloc, size_t size);
/** Write the heap's tree to the file named by @p option's value @p pattern. */
void gimle_heap_tree_write(const char *option, const char *pattern);

#endif
