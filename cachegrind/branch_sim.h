/* SPDX-License-Identifier: MIT */
/* Branch prediction.  Both functions may be called from light helpers and tell of a misprediction. */
#ifndef CACHEGRIND_BRANCH_SIM_H
#define CACHEGRIND_BRANCH_SIM_H

#include "cachegrind.h"

bool branch_sim_conditional(GuestAddr at, bool taken);
bool branch_sim_indirect(GuestAddr at, GuestAddr target);

#endif
