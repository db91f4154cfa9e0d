/* SPDX-License-Identifier: MIT */
/* Memcheck's translation modes. */
#include "modes.h"

#include "../memcheck.h"
#include "regmask.h"

VexMode mc_modes[2];

void mc_modes_init(void)
{
    static const VexMode fast = { "fast", VM_PINNED | VM_NATIVE | VM_PIN_TOOL0, fast_instrument,
                                  NULL };
    static const VexMode slow = { "slow", 0, slow_instrument, (void *)MODE_FAST };
    static const VexMode only_slow = { "slow", 0, slow_instrument, (void *)MODE_SLOW };
    regmask_init();
    /* Threads start in mode 0; with --fast-mode=no that is slow too. */
    mc_modes[MODE_FAST] = mc_options.fast_mode ? fast : only_slow;
    mc_modes[MODE_SLOW] = mc_options.fast_mode ? slow : only_slow;
}
