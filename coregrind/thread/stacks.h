/* SPDX-License-Identifier: MIT */
/* Stacks of the client's own making (coroutines, fibres), as it registers them by client requests. */
#ifndef COREGRIND_STACKS_H
#define COREGRIND_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "gimle/thread.h"

/** From the lowest to the highest address, in any order; returns the stack's id, above 0. */
uint64_t stacks_register(GuestAddr lo, GuestAddr hi);
void stacks_deregister(uint64_t id);
void stacks_change(uint64_t id, GuestAddr lo, GuestAddr hi);
/** The registered stack that a stack pointer @p sp is in. */
bool stacks_find(GuestAddr sp, GuestAddr *lo, GuestAddr *hi);

#endif
