/* SPDX-License-Identifier: MIT */
/*
 * The mask in tool word TW_UNDEFINED: which guest registers may hold undefined bits.
 *
 * A register has a bit of its own, or shares RM_GROUP.  Fast code may clear a bit of its own
 * when it overwrites the register; it never touches a register of the group while RM_GROUP is
 * set, so that bit is only cleared by slow code, which sees all shadow registers.  System
 * registers, the program counter and the stack pointer are never undefined (slow code reports
 * an undefined stack pointer where it is made, and takes it as defined).
 *
 * The shadow registers in the thread state are only valid where the bit is set; slow code
 * zeroes the others on entry (TW_STALE tells which may need it).
 */
#ifndef MEMCHECK_REGMASK_H
#define MEMCHECK_REGMASK_H

#include "gimle/guest.h"

#define RM_GROUP (1u << 31)

/** A register with its bit and the place of its shadow in the thread state, for helpers. */
typedef struct RegmaskRow {
    uint32_t bit;
    uint32_t shadow;   /**< offset in the state */
    uint32_t size;     /**< bytes */
} RegmaskRow;
extern RegmaskRow regmask_rows[256];
/** Bit of guest register @p r; 0 if it is always defined. */
static inline uint32_t regmask_bit(RegId r)
{
    return r < sizeof regmask_rows / sizeof regmask_rows[0] ? regmask_rows[r].bit : 0;
}
extern unsigned regmask_n_rows;
/** The row of each bit that belongs to one register alone. */
extern const RegmaskRow *regmask_of_bit[32];
/** Fill the tables from gimle_guest; once, before any block is instrumented. */
void regmask_init(void);

#endif
