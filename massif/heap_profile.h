/* SPDX-License-Identifier: MIT */
/* The client's allocation functions. */
#ifndef MASSIF_HEAP_PROFILE_H
#define MASSIF_HEAP_PROFILE_H

#include "massif.h"

extern const Intercept ms_intercepts[];
void heap_profile_start(void);
/** Write what else was asked for. */
void heap_profile_end(void);

#endif
