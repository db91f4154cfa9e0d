/* SPDX-License-Identifier: MIT */
/* Changes of the stack pointer that are too large to be a frame: the client changed stacks. */
#ifndef MEMCHECK_STACK_SWITCH_H
#define MEMCHECK_STACK_SWITCH_H

#include "gimle/ir.h"

struct VexState;

/** Note the change; light enough for GIMLE_LIGHT helpers. */
void stack_switch_note(struct VexState *s, GuestAddr old, GuestAddr new) GIMLE_LIGHT;
/** Warn about changes noted since the last call, a few times. */
void stack_switch_warn(void);

#endif
