/* SPDX-License-Identifier: MIT */
/*
 * Robust futexes (Documentation/locking/robust-futexes.rst): what a thread held when it ended is marked, so
 * that the next owner learns of it.  The kernel has the client's list and does it where the process ends or
 * executes a program; where a thread ends it is done here, since joiners are told before the host thread is gone.
 */
#include "robust_list.h"

#include <linux/futex.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/vec.h"
#include "coregrind/aspace/aspace.h"

enum { MOST_ENTRIES = 2048, IS_PI = 1 }; /* as many as the kernel looks at */

/** The kernel's struct robust_list_head. */
typedef struct ListHead {
    uint64_t first;
    int64_t offset;  /* from an entry to its futex */
    uint64_t pending;
} ListHead;

typedef VEC(GuestAddr) Waiters;

void robust_list_set(Thread *t, GuestAddr head, size_t len)
{
    t->robust_list = head;
    t->robust_len = len;
    syscall(SYS_set_robust_list, head, len);
}

/** Mark the futex if it is @p t's; those that wait for it are put into @p wake. The world is stopped. */
static void mark_futex(const Thread *t, GuestAddr futex, bool pi, bool pending, Waiters *wake)
{
    uint32_t value;
    if (futex % sizeof value || gimle_read_guest(&value, futex, sizeof value) != sizeof value)
        return;
    if ((value & FUTEX_TID_MASK) != (uint32_t)t->tid) {
        if (pending && !pi && value == 0) /* it was released, but nobody woken yet */
            vec_push(wake, futex);
        return;
    }
    bool waiters = value & FUTEX_WAITERS;
    value = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
    if (gimle_write_guest(futex, &value, sizeof value) == sizeof value && waiters && !pi)
        vec_push(wake, futex);
}

static void mark_all(const Thread *t, const ListHead *head, Waiters *wake)
{
    GuestAddr entry = head->first, pending = head->pending & ~(uint64_t)IS_PI;
    for (int i = 0; i < MOST_ENTRIES && (entry & ~(uint64_t)IS_PI) != t->robust_list; i++) {
        GuestAddr at = entry & ~(uint64_t)IS_PI, next;
        bool more = gimle_read_guest(&next, at, sizeof next) == sizeof next;
        if (at != pending)
            mark_futex(t, at + (uint64_t)head->offset, entry & IS_PI, false, wake);
        if (!more)
            break;
        entry = next;
    }
    if (pending)
        mark_futex(t, pending + (uint64_t)head->offset, head->pending & IS_PI, true, wake);
}

void robust_list_thread_ends(Thread *t)
{
    ListHead head;
    Waiters wake = { 0 };
    if (!t->robust_list)
        return;
    syscall(SYS_set_robust_list, NULL, sizeof head);
    if (gimle_read_guest(&head, t->robust_list, sizeof head) != sizeof head ||
        (head.first == t->robust_list && !head.pending))
        return;
    thread_stop_world();
    mark_all(t, &head, &wake);
    thread_start_world();
    for (size_t i = 0; i < wake.n; i++)
        syscall(SYS_futex, wake.data[i], FUTEX_WAKE, 1, NULL, NULL, 0);
    vec_free(&wake);
}
