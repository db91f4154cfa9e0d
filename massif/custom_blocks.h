/* SPDX-License-Identifier: MIT */
/* Blocks that the client's own allocators announce by client requests. */
#ifndef MASSIF_CUSTOM_BLOCKS_H
#define MASSIF_CUSTOM_BLOCKS_H

#include "massif.h"

/** A client request that is not the core's: is it about such a block? */
bool custom_block_request(Thread *t, const uint64_t args[6], uint64_t *result);

#endif
