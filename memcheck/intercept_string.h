/* SPDX-License-Identifier: MIT */
/* The string and memory functions' part of the table of intercepts. */
#ifndef MEMCHECK_INTERCEPT_STRING_H
#define MEMCHECK_INTERCEPT_STRING_H

#include "gimle/tool.h"

/** Ends with symbol NULL. */
extern const Intercept mc_string_intercepts[];

#endif
