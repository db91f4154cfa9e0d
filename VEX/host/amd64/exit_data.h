/* SPDX-License-Identifier: MIT */
/* What translated code tells the exit stubs; also read by enter.S. */
#ifndef VEX_HOST_AMD64_EXIT_DATA_H
#define VEX_HOST_AMD64_EXIT_DATA_H

/* Where the guest's registers are when a stub is reached. */
#define REGS_PINNED 1
#define REGS_TOOL0 2 /* and REG_TOOL(0) is in R14 */

/** R10 at exit_indirect, exit_kind, redo: four bytes. */
#define LEAVE_WORD(mode, from, regs, kind)                                                 \
    ((unsigned)(mode) | (unsigned)(from) << 8 | (unsigned)(regs) << 16 | (unsigned)(kind) << 24)

/* After the call of exit_chain: the number of the translation (four bytes), REGS_*. */
#define EXIT_BLOCK 0
#define EXIT_REGS 4

#endif
