/* SPDX-License-Identifier: MIT */
/*
 * How many bytes a block gets beyond those asked for is a property of the allocator: where a free piece is
 * a little larger than what is wanted it is given whole.  So that mem_heap_extra_B is the same number as in
 * Valgrind's files, allocations and frees are also played on a model of the allocator that its programs see.
 * The model has addresses, and no memory behind them.
 */
#ifndef MASSIF_PLACEMENT_H
#define MASSIF_PLACEMENT_H

#include <stdint.h>

/** A block of the model. */
typedef struct Piece Piece;

/** A block for @p size bytes at a multiple of @p align (a power of two, at least 16). */
Piece *piece_new(uint64_t size, uint64_t align);
/** The bytes that can be used of it: the size asked for or more. */
uint64_t piece_usable(const Piece *p);
void piece_free(Piece *p);

#endif
