/* SPDX-License-Identifier: MIT */
/*
 * The signal mask of a host thread as the kernel has it.  pthread_sigmask() leaves out signals 32 and 33,
 * which are the client's too: they would arrive where nothing may, and be open afterwards.
 */
#ifndef COREGRIND_HOST_MASK_H
#define COREGRIND_HOST_MASK_H

#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "coregrind/os/raw_syscall.h"

#define HOST_MASK_ALL (~(uint64_t)0)

/** Block the signals in @p mask and no others; what was blocked before. */
static inline uint64_t host_mask_set(uint64_t mask)
{
    uint64_t old = 0;
    raw_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&mask, (uintptr_t)&old, sizeof mask);
    return old;
}

#endif
