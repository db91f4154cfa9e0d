/* SPDX-License-Identifier: MIT */
/* Blocks and memory pools that the client manages itself and tells us about. */
#ifndef MEMCHECK_MEMPOOL_H
#define MEMCHECK_MEMPOOL_H

#include "memcheck.h"

/** VALGRIND_MALLOCLIKE_BLOCK. */
void client_block_new(Thread *t, GuestAddr a, size_t size, size_t red_zone, bool zeroed);
/** VALGRIND_FREELIKE_BLOCK. */
void client_block_free(Thread *t, GuestAddr a, size_t red_zone);
/** VALGRIND_RESIZEINPLACE_BLOCK. */
void client_block_resize(Thread *t, GuestAddr a, size_t old_size, size_t new_size, size_t red_zone);

/** A request about memory pools (0x1303 to 0x130a); false if @p args[0] is none. */
bool mempool_request(Thread *t, const uint64_t args[6], uint64_t *result);

#endif
