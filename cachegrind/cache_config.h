/* SPDX-License-Identifier: MIT */
/* The geometry of the caches that are simulated. */
#ifndef CACHEGRIND_CACHE_CONFIG_H
#define CACHEGRIND_CACHE_CONFIG_H

#include "cachegrind.h"

/** Why there cannot be such a cache, or NULL. */
const char *cache_config_problem(const CacheConfig *c);
/** Complete the options by what the host's processor has. */
void cache_config_complete(void);
/** "32768 B, 64 B, 8-way associative" in @p buf of @p size bytes. */
const char *cache_config_text(const CacheConfig *c, char *buf, size_t size);

#endif
