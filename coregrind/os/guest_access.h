/* SPDX-License-Identifier: MIT */
/*
 * gimle_read_guest() & co of gimle/memory.h.  Once the fault handler calls guest_access_fixup()
 * they are plain copies; before that the kernel does the checking (safe_copy.h).
 */
#ifndef COREGRIND_GUEST_ACCESS_H
#define COREGRIND_GUEST_ACCESS_H

#include <stdbool.h>

/** The handlers of SIGSEGV and SIGBUS are installed and call guest_access_fixup() first. */
void guest_access_set_guarded(void);
/**
 * For the handlers, async-signal-safe: if the fault of context @p uc (ucontext_t) is one of our
 * copies' or a guarded load's (guarded_load.h), make it return early and answer true.
 */
bool guest_access_fixup(void *uc);

#endif
