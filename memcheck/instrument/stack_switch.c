/* SPDX-License-Identifier: MIT */
/*
 * Warnings about stack switches.  The place where one is noticed cannot print, so it waits in
 * a small ring until the next system call or error of any thread.
 */
#include "stack_switch.h"

#include <stdatomic.h>

#include "../memcheck.h"

enum { RING = 4, MAX_WARNINGS = 3 };

static struct { GuestAddr old, new; } ring[RING];
static atomic_uint noted, warned;

void stack_switch_note(struct VexState *s, GuestAddr old, GuestAddr new)
{
    (void)s;
    if (atomic_load_explicit(&noted, memory_order_relaxed) > MAX_WARNINGS)
        return;
    unsigned n = atomic_fetch_add_explicit(&noted, 1, memory_order_relaxed);
    if (n < RING) {
        ring[n].old = old;
        ring[n].new = new;
    }
}

void stack_switch_warn(void)
{
    unsigned n = atomic_load(&noted), w = atomic_load(&warned);
    if (n == w || w > MAX_WARNINGS || !atomic_compare_exchange_strong(&warned, &w, n) ||
        gimle_core_option("quiet"))
        return;
    for (; w < n && w < MAX_WARNINGS; w++) {
        GuestAddr old = ring[w].old, new = ring[w].new;
        gimle_umsg("Warning: client switching stacks?  SP change: 0x%lx --> 0x%lx\n",
                   (unsigned long)old, (unsigned long)new);
        gimle_umsg("         to suppress, use: --max-stackframe=%ld or greater\n",
                   (long)(new > old ? new - old : old - new));
        if (w + 1 == MAX_WARNINGS)
            gimle_umsg("         further instances of this message will not be shown.\n");
    }
}
