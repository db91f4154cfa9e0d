/* SPDX-License-Identifier: MIT */
/* The instrumenters, for the mode tables in mode.c. */
#ifndef MEMCHECK_MODES_H
#define MEMCHECK_MODES_H

#include "gimle/mode.h"

IrBlock *fast_instrument(void *ctx, IrBlock *in, struct Arena *arena);
IrBlock *carry_instrument(void *ctx, IrBlock *in, struct Arena *arena);
/** @p ctx: the mode (as an integer) to go on in at the end of the block. */
IrBlock *slow_instrument(void *ctx, IrBlock *in, struct Arena *arena);

#endif
