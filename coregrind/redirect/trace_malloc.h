/* SPDX-License-Identifier: MIT */
/* --trace-malloc=yes: a line for each call of an allocation function that the tool replaces. */
#ifndef COREGRIND_REDIRECT_TRACE_MALLOC_H
#define COREGRIND_REDIRECT_TRACE_MALLOC_H

#include "gimle/intercept.h"

/** Run the replacement, which may be any function's, and say what was asked for and what came. */
void trace_malloc_call(GuestCall *c);

#endif
