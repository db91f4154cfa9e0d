/* SPDX-License-Identifier: MIT */
/* What the layers above do when threads and processes are made (set by main.c). */
#ifndef COREGRIND_CLONE_H
#define COREGRIND_CLONE_H

#include "thread.h"

typedef struct CloneHooks {
    /** Run a guest thread on the calling host thread until it ends; does not return for the last. */
    void (*thread_main)(Thread *t);
    /** Around fork(): nobody else runs. prepare takes what must be consistent in the child. */
    void (*fork_prepare)(void);
    void (*fork_parent)(void);
    void (*fork_child)(Thread *t);
    /** In a vfork child that shares our memory, before guest code runs; and in the parent afterwards. */
    void (*vfork_child)(Thread *t);
    void (*vfork_parent)(Thread *t);
    /** In a child that shares our memory and runs on; and on its helper's thread after its end. */
    void (*share_child)(Thread *t);
    void (*share_end)(Thread *t);
    /** In such a child or a forked one: handlers become the default (CLONE_CLEAR_SIGHAND). */
    void (*clear_handlers)(void);
    /** The C library has just made its first thread, and taken a signal of the client's for itself. */
    void (*first_host_thread)(void);
} CloneHooks;

void clone_set_hooks(const CloneHooks *h);

#endif
