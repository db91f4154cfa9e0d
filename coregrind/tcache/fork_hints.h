/* SPDX-License-Identifier: MIT */
/*
 * What forked children had to translate.  A program that forks mostly forks again, and its children do the
 * same at first: what one of them lacked the parent makes before the next fork, so that this is done once and
 * not in each child.  A child tells through a page that it shares with its parent; whatever a client might
 * write there are addresses, and of those only code is translated.
 */
#ifndef COREGRIND_TCACHE_FORK_HINTS_H
#define COREGRIND_TCACHE_FORK_HINTS_H

#include <stdbool.h>
#include <stdint.h>

/** In a process that will fork: see to it that its children can tell. */
void fork_hints_prepare(void);
/** In the child. */
void fork_hints_child(void);
/** In a child: it had to make the translation of @p key. */
void fork_hints_tell(uint64_t key);
/** In the parent: a key that a child told, each once; false: no more. */
bool fork_hints_take(uint64_t *key);

#endif
