/* SPDX-License-Identifier: MIT */
/* The client's lists of robust futexes. */
#ifndef COREGRIND_ROBUST_LIST_H
#define COREGRIND_ROBUST_LIST_H

#include "thread.h"

/** set_robust_list() of the calling thread. */
void robust_list_set(Thread *t, GuestAddr head, size_t len);
/** @p t ends, and others go on: mark what it holds. Before thread_clear_child_tid(). */
void robust_list_thread_ends(Thread *t);

#endif
