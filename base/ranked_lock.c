/* SPDX-License-Identifier: MIT */
/* The ranks a thread holds are bits in a thread-local word; locks.def is in order of rank. */
#include "ranked_lock.h"

#include <pthread.h>

#include "check.h"

static pthread_mutex_t lock_mutex[LOCK_COUNT] = {
#define LOCK(name, rank) [LOCK_##name] = PTHREAD_MUTEX_INITIALIZER,
#include "locks.def"
#undef LOCK
};
static const char *const lock_name[] = {
#define LOCK(name, rank) #name,
#include "locks.def"
#undef LOCK
};
static _Thread_local unsigned lock_mine;

void lock_take(LockId id)
{
    CHECK((lock_mine >> id) == 0, "lock order: %s wanted while holding 0x%x", lock_name[id],
          lock_mine);
    pthread_mutex_lock(&lock_mutex[id]);
    lock_mine |= 1u << id;
}

void lock_release(LockId id)
{
    CHECK(lock_mine & (1u << id), "lock %s is not held", lock_name[id]);
    lock_mine &= ~(1u << id);
    pthread_mutex_unlock(&lock_mutex[id]);
}

int lock_held(LockId id) { return (lock_mine >> id) & 1; }

void lock_reset_after_fork(void)
{
    for (int i = 0; i < LOCK_COUNT; i++)
        pthread_mutex_init(&lock_mutex[i], NULL);
    lock_mine = 0;
}
