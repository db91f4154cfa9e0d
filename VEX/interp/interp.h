/* SPDX-License-Identifier: MIT */
/* The interpreter of IR: the oracle for the back end, and the way to run without code memory. */
#ifndef VEX_INTERP_H
#define VEX_INTERP_H

#include "state.h"

/**
 * Run block @p b over @p s until it leaves: exit_reason, exit_kind, exit_mode, cur_mode and
 * guest.pc are then as compiled code leaves them (a plain jump counts as not in the jump cache).
 * All guest registers are in @p s; while an instruction runs guest.pc is its address, so that a
 * fault in its memory accesses finds the precise state.  If such a fault makes it return early
 * (vex_interp_fault()), the handler has the say about exit_reason and exit_mode.
 */
void interp_run(VexState *s, const IrBlock *b);

#endif
