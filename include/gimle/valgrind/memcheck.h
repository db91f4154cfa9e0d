/* SPDX-License-Identifier: MIT */
/* For programs that include <valgrind/memcheck.h>: the same requests, by our own header. */
#ifndef GIMLE_VALGRIND_MEMCHECK_H
#define GIMLE_VALGRIND_MEMCHECK_H

#include "valgrind.h"
#include "../memcheck.h"

#endif
