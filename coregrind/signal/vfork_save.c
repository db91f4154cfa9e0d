/* SPDX-License-Identifier: MIT */
/* A vfork child has dispositions of its own in the kernel, but shares our table of them. */
#include <string.h>

#include "base/ranked_lock.h"
#include "signal_internal.h"

/* The child runs on its parent's thread-local storage, and the parent waits: one place for both. */
static _Thread_local KernelSigaction saved[65];
static _Thread_local char *saved_altstack;

void signal_vfork_child(void)
{
    for (int sig = 1; sig <= 64; sig++)
        saved[sig] = signal_disposition(sig);
    saved_altstack = signal_altstack_swap(NULL);
}

void signal_vfork_parent(void)
{
    signal_restore_dispositions(saved);
    signal_altstack_free(signal_altstack_swap(saved_altstack));
}
