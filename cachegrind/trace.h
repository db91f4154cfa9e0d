/* SPDX-License-Identifier: MIT */
/*
 * --access-trace=FILE: every event that is simulated, in order, for tests that simulate it again.
 * A record is 24 bytes in host order: a character (TRACE_*) in a word, an address, and the size or
 * target or whether a branch is taken.
 */
#ifndef CACHEGRIND_TRACE_H
#define CACHEGRIND_TRACE_H

#include "cachegrind.h"

extern bool trace_on;

/** Open the file if the option is given. */
void trace_open(void);
/** Write what is left; nothing is traced any more. */
void trace_close(void);
/** In a forked child: the file is the parent's. */
void trace_forget(void);
/** For light helpers. */
void trace_event(char kind, uint64_t a, uint64_t value);

#endif
