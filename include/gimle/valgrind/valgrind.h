/* SPDX-License-Identifier: MIT */
/* For programs that include <valgrind/valgrind.h>: the same requests, by our own header. */
#ifndef GIMLE_VALGRIND_VALGRIND_H
#define GIMLE_VALGRIND_VALGRIND_H

#include "../client.h"

#endif
