/* SPDX-License-Identifier: MIT */
/* Memcheck's translation modes. */
#include "modes.h"

#include "../memcheck.h"
#include "places.h"
#include "regmask.h"
#include "x87.h"

VexMode mc_modes[N_MODES];

/** Blocks and instructions run in fast mode, then in slow mode, by threads that have ended. */
static _Atomic uint64_t totals[4];

void mc_modes_collect(Thread *t)
{
    uint64_t *counts = mc_tool_word(gimle_thread_state(t), TW_COUNTS);
    for (unsigned k = 0; k < 4; k++) {
        totals[k] += counts[k];
        counts[k] = 0;
    }
}

void mc_modes_print_stats(void)
{
    static const char *const name[N_MODES] = { "fast", "slow", "carry" };
    uint64_t n[2 * N_MODES], all = 0;
    for (unsigned k = 0; k < 4; k++)
        n[k] = totals[k];
    places_carried(n + 2 * MODE_CARRY);
    for (unsigned m = 0; m < N_MODES; m++)
        all += n[2 * m + 1];
    for (unsigned m = 0; m < N_MODES; m++)
        gimle_msg(MSG_DEBUG, "memcheck: %s mode: %llu blocks, %llu instructions, %.3f %%\n",
                  name[m], (unsigned long long)n[2 * m], (unsigned long long)n[2 * m + 1],
                  all ? 100.0 * (double)n[2 * m + 1] / (double)all : 0.0);
    places_print();
}

void mc_modes_init(void)
{
    enum { NATIVE = VM_PINNED | VM_NATIVE | VM_PIN_TOOL0 | VM_PORTABLE };
    static const VexMode fast = { .name = "fast", .flags = NATIVE | VM_LONG_BLOCKS,
                                  .instrument = fast_instrument };
    static const VexMode carry = { .name = "carry", .flags = NATIVE,
                                   .instrument = carry_instrument };
    static const VexMode slow = { .name = "slow", .flags = VM_PORTABLE,
                                  .instrument = slow_instrument, .ctx = (void *)MODE_FAST };
    static const VexMode only_slow = { .name = "slow", .flags = VM_PORTABLE,
                                       .instrument = slow_instrument, .ctx = (void *)MODE_SLOW };
    regmask_init();
    x87_init();
    /* Threads start in mode 0; with --fast-mode=no that is slow too. */
    mc_modes[MODE_FAST] = mc_options.fast_mode ? fast : only_slow;
    mc_modes[MODE_CARRY] = mc_options.fast_mode ? carry : only_slow;
    mc_modes[MODE_SLOW] = mc_options.fast_mode ? slow : only_slow;
}
