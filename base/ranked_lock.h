/* SPDX-License-Identifier: MIT */
/* Mutexes with a rank from locks.def; taking them out of order is a CHECK failure. Recursive: no. */
#ifndef BASE_RANKED_LOCK_H
#define BASE_RANKED_LOCK_H

typedef enum LockId {
#define LOCK(name, rank) LOCK_##name,
#include "locks.def"
#undef LOCK
    LOCK_COUNT
} LockId;

/** Take lock @p id; blocks. Not async-signal-safe. */
void lock_take(LockId id);
void lock_release(LockId id);
/** True if this thread holds @p id. */
int lock_held(LockId id);
/** In a forked child: all locks are free, whoever held them is gone. */
void lock_reset_after_fork(void);

#endif
