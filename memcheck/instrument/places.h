/* SPDX-License-Identifier: MIT */
/*
 * For --stats=yes: where slow mode was entered, how often, and why fast or carry mode left.
 * Without that option none of this leaves a trace in translated code.
 */
#ifndef MEMCHECK_PLACES_H
#define MEMCHECK_PLACES_H

#include "instrument.h"

typedef enum Reason {
    REASON_ENTRY, /**< a register that the block uses was undefined when it began */
    REASON_USE,   /**< carry mode: an undefined register is used */
    REASON_LOAD,  /**< a load found bytes that are not defined, or nobody's */
    REASON_STORE, /**< a store found bytes that are partly defined, or nobody's */
    REASON_MOVE,  /**< carry mode: bytes to be moved are nobody's, or look so */
    REASON_INSN,  /**< an instruction that only slow mode follows */
    N_REASONS
} Reason;

/** An exit to another mode follows. */
void places_reason(Instr *x, Reason why);
/** A slow block begins. */
void places_entry(Instr *x);
/** A carry block begins. */
void places_carry(Instr *x);
/** Blocks and instructions run in carry mode. */
void places_carried(uint64_t count[2]);
void places_print(void);

#endif
