/* SPDX-License-Identifier: MIT */
/*
 * Conditional branches: 16384 two-bit counters, chosen by the branch's address and the last few
 * outcomes.  Indirect branches: 512 remembered targets, chosen by the branch's address.
 */
#include "branch_sim.h"

enum { COUNTERS = 16384, HISTORY_BITS = 5, HISTORY_SHIFT = 9, TARGETS = 512, TAKEN_FROM = 2, MOST = 3 };

static uint8_t counter[COUNTERS];
static unsigned history;
static GuestAddr targets[TARGETS];

GIMLE_LIGHT bool branch_sim_conditional(GuestAddr at, bool taken)
{
    uint8_t *c = &counter[(at ^ (uint64_t)history << HISTORY_SHIFT) % COUNTERS];
    bool predicted = *c >= TAKEN_FROM;
    if (taken)
        *c += *c < MOST;
    else
        *c -= *c > 0;
    history = (history << 1 | taken) & ((1u << HISTORY_BITS) - 1);
    return predicted != taken;
}

GIMLE_LIGHT bool branch_sim_indirect(GuestAddr at, GuestAddr target)
{
    GuestAddr *t = &targets[at % TARGETS];
    bool wrong = *t != target;
    *t = target;
    return wrong;
}
