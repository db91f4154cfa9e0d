/* SPDX-License-Identifier: MIT */
/*
 * Conditional branches: 16384 two-bit counters, half of whose index is of the branch's address and
 * half the last outcomes.  Indirect branches: 512 remembered targets, chosen by the branch's address.
 * Valgrind's mispredictions are the same.
 */
#include "branch_sim.h"

enum { HISTORY_BITS = 7, ADDRESS_BITS = 7, TARGETS = 512, TAKEN_FROM = 2, MOST = 3 };

static uint8_t counter[1 << HISTORY_BITS][1 << ADDRESS_BITS];
static unsigned history;
static GuestAddr targets[TARGETS];

GIMLE_LIGHT bool branch_sim_conditional(GuestAddr at, bool taken)
{
    uint8_t *c = &counter[history][at % (1 << ADDRESS_BITS)];
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
