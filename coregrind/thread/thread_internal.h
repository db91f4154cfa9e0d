/* SPDX-License-Identifier: MIT */
/* What the files of this directory share. */
#ifndef COREGRIND_THREAD_INTERNAL_H
#define COREGRIND_THREAD_INTERNAL_H

#include "thread.h"

#define THREAD_STACK_BYTES (512 * 1024) /* host stack under a VexState, for helpers */

/** A new Thread in the table, with a fresh state; NULL: out of memory or too many. */
Thread *thread_new(Thread *parent);
/**
 * @p t runs no code of the client's any more: nobody finds it in the table, and the next new thread may get its
 * number.  Once others can know of its end (a join), so that numbers do not depend on who is quicker.
 */
void thread_free_number(Thread *t);
/** Take @p t out of the table and free it; its own host thread calls it last. */
void thread_delete(Thread *t);
/** The end of @p t, which runs: it leaves the world and is deleted; its host thread has to end, too. */
void thread_end(Thread *t);
/** Make @p t the calling host thread's. */
void thread_bind(Thread *t);
/** In a forked child: only @p t is left. */
void thread_only_one_left(Thread *t);
/** The last thing a guest thread's host thread does before it ends: futex wake of clear_child_tid. */
void thread_clear_child_tid(Thread *t);

#endif
