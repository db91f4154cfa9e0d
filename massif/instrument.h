/* SPDX-License-Identifier: MIT */
/* What is added to the client's code: counting instructions and following the stack pointer. */
#ifndef MASSIF_INSTRUMENT_H
#define MASSIF_INSTRUMENT_H

#include "massif.h"

/** Before the first of the following. */
void instructions_init(void);
/** Instructions that all threads have executed so far. */
uint64_t instructions_executed(void);
/** Threads come and go: their counts must be found. */
void instructions_thread_start(Thread *t);
void instructions_thread_end(Thread *t);
/** In a forked child only @p t is left. */
void instructions_forked(Thread *t);

IrBlock *ms_instrument(void *ctx, IrBlock *in, struct Arena *arena);

#endif
