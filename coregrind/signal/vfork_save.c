/* SPDX-License-Identifier: MIT */
/* A vfork child has dispositions of its own in the kernel, but shares our table of them. */
#include <string.h>

#include "base/ranked_lock.h"
#include "signal_internal.h"

/* The child runs on its parent's thread-local storage, and the parent waits: one place for both. */
static _Thread_local KernelSigaction saved[65];

void signal_vfork_child(void)
{
    for (int sig = 1; sig <= 64; sig++)
        saved[sig] = signal_disposition(sig);
}

void signal_vfork_parent(void) { signal_restore_dispositions(saved); }
