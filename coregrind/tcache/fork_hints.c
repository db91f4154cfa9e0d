/* SPDX-License-Identifier: MIT */
/* See fork_hints.h. */
#include "fork_hints.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "coregrind/core/host_fd.h"

/** As much as is made before a fork; what is beyond that the next children will tell. */
enum { HINTS = 255 };

/** Several children may write at a time; what one of them has not finished writing is 0 or too late. */
typedef struct HintPage {
    _Atomic uint64_t n;
    _Atomic uint64_t key[HINTS];
} HintPage;

static HintPage *from_children; /**< of this process */
static HintPage *to_parent;     /**< NULL in a process that was not forked by one of ours */

void fork_hints_prepare(void)
{
    if (from_children || !host_fd_may_open()) /* under a filter of the client's: as few system calls as may be */
        return;
    void *p = mmap(NULL, sizeof *from_children, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    from_children = p == MAP_FAILED ? NULL : p;
}

void fork_hints_child(void)
{
    if (to_parent)
        munmap(to_parent, sizeof *to_parent);
    to_parent = from_children;
    from_children = NULL;
}

void fork_hints_tell(uint64_t key)
{
    if (!to_parent || to_parent->n >= HINTS)
        return;
    uint64_t i = atomic_fetch_add(&to_parent->n, 1);
    if (i < HINTS)
        to_parent->key[i] = key;
}

bool fork_hints_take(uint64_t *key)
{
    if (!from_children)
        return false;
    for (;;) {
        uint64_t n = from_children->n;
        if (n == 0)
            return false;
        n = n < HINTS ? n - 1 : HINTS - 1;
        *key = atomic_exchange(&from_children->key[n], 0);
        from_children->n = n;
        if (*key)
            return true;
    }
}
