/* SPDX-License-Identifier: MIT */
/* What is added to the client's code. */
#ifndef CACHEGRIND_INSTRUMENT_H
#define CACHEGRIND_INSTRUMENT_H

#include "cachegrind.h"

IrBlock *cg_instrument(void *ctx, IrBlock *in, struct Arena *arena);

#endif
