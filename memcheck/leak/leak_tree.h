/* SPDX-License-Identifier: MIT */
/* --xtree-leak: loss records as an execution tree. */
#ifndef MEMCHECK_LEAK_TREE_H
#define MEMCHECK_LEAK_TREE_H

#include "../errors.h"
#include "gimle/xtree.h"

/** Make @p x an empty tree of leaks. */
void leak_tree_start(Xtree *x);
/** Add the record @p l. */
void leak_tree_add(Xtree *x, const McLoss *l);
/** Write it to the file named by @p pattern, and free it. */
void leak_tree_write(Xtree *x, const char *pattern);

#endif
