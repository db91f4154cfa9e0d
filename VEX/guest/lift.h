/* SPDX-License-Identifier: MIT */
/*
 * From guest code to IR: the one thing that a guest architecture does for the rest of VEX.
 * A block starts where it is asked to and ends at the first unconditional jump, at a
 * configured number of instructions, or before code that cannot be read.
 */
#ifndef VEX_GUEST_LIFT_H
#define VEX_GUEST_LIFT_H

#include "gimle/ir.h"
#include "vex.h"

struct Arena;

/** Besides VM_* among the flags of a mode: blocks of one instruction. */
#define LIFT_ONE_INSN (1u << 31)

/** Code as it was when it was copied. */
typedef struct CodeCopy {
    VexRange *range;       /**< what was copied */
    const uint8_t **bytes; /**< by range */
    unsigned n;
} CodeCopy;

/** The copy of the code at @p a and how much of it follows; NULL: it is not in @p c. */
static inline const uint8_t *code_copy_find(const CodeCopy *c, GuestAddr a, size_t *avail)
{
    for (unsigned i = 0; i < c->n; i++) {
        uint64_t at = a - c->range[i].addr;
        if (at < c->range[i].len) {
            *avail = c->range[i].len - at;
            return c->bytes[i] + at;
        }
    }
    return NULL;
}

/**
 * Lift the block at @p pc for translation mode number @p mode, whose VM_* flags are
 * @p mode_flags.  Memory comes from @p arena.  Fills extent[], n_extents and n_guest of
 * @p out.  Returns NULL if the first instruction is not readable as code; then extent[0].addr
 * is the first byte that is not.  What is in @p copy (may be NULL) is read from there.  Thread-safe.
 */
IrBlock *guest_lift_block(GuestAddr pc, unsigned mode, unsigned mode_flags, const CodeCopy *copy,
                          struct Arena *arena, VexTranslation *out);

/** See vex_assumptions(). Any thread. */
unsigned guest_assumptions(void);

#endif
