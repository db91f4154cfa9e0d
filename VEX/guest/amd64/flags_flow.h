/* SPDX-License-Identifier: MIT */
/* Which condition codes may still be read (flags_flow.c). */
#ifndef VEX_GUEST_AMD64_FLAGS_FLOW_H
#define VEX_GUEST_AMD64_FLAGS_FLOW_H

#include "code_window.h"
#include "decode.h"

/** Has the assumption failed that condition codes are dead at calls and returns? Any thread. */
bool flags_codes_are_returned(void);

/**
 * Fill cc_live and cc_target of the @p n instructions of a block.  Sets *@p assumption_failed if
 * the block shows that condition codes are returned from functions, which was not thought so far.
 */
void flags_flow_block(const Amd64Decoder *d, CodeWindow *w, Insn **insns, unsigned n,
                      bool *assumption_failed);

#endif
