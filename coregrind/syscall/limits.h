/* SPDX-License-Identifier: MIT */
/*
 * Resource limits as the client sees them.  Limits that would hit the core (address space, stack,
 * number of descriptors) are only remembered; an execve puts them in force for the new program.
 */
#ifndef SYSCALL_LIMITS_H
#define SYSCALL_LIMITS_H

#include <stdint.h>

#include "syscall.h"

void limits_init(void);
/** The soft RLIMIT_STACK that the client sees. */
uint64_t limits_stack(void);
void limits_set_stack(uint64_t soft);
/** Before an execve of the client: the host's limits become what the client believes. */
void limits_apply_for_exec(void);
/** The execve failed: as before. */
void limits_undo_apply(void);

#endif
