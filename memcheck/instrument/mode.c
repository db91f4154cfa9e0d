/* SPDX-License-Identifier: MIT */
/* Memcheck's translation modes. */
#include "modes.h"

#include "../memcheck.h"
#include "regmask.h"

VexMode mc_modes[2];

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
    uint64_t all = totals[1] + totals[3];
    static const char *const name[] = { "fast", "slow" };
    for (unsigned m = 0; m < 2; m++)
        gimle_msg(MSG_DEBUG, "memcheck: %s mode: %llu blocks, %llu instructions, %.3f %%\n",
                  name[m], (unsigned long long)totals[2 * m], (unsigned long long)totals[2 * m + 1],
                  all ? 100.0 * (double)totals[2 * m + 1] / (double)all : 0.0);
}

void mc_modes_init(void)
{
    static const VexMode fast = { "fast", VM_PINNED | VM_NATIVE | VM_PIN_TOOL0 | VM_PORTABLE,
                                  fast_instrument, NULL };
    static const VexMode slow = { "slow", VM_PORTABLE, slow_instrument, (void *)MODE_FAST };
    static const VexMode only_slow = { "slow", VM_PORTABLE, slow_instrument, (void *)MODE_SLOW };
    regmask_init();
    /* Threads start in mode 0; with --fast-mode=no that is slow too. */
    mc_modes[MODE_FAST] = mc_options.fast_mode ? fast : only_slow;
    mc_modes[MODE_SLOW] = mc_options.fast_mode ? slow : only_slow;
}
