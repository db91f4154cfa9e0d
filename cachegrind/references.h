/* SPDX-License-Identifier: MIT */
/*
 * Which accesses an instruction that the host executes counts as.  Valgrind's counts are those of
 * its translation: a locked instruction loads, compares and swaps; some vector instructions
 * load their lanes one by one.  These are the same counts.
 */
#ifndef CACHEGRIND_REFERENCES_H
#define CACHEGRIND_REFERENCES_H

#include "cachegrind.h"
#include "gimle/native.h"

enum { MAX_REFS = 24 };

/** One access, at an offset from the address of the memory operand. */
typedef struct Ref {
    int16_t offset;
    uint8_t size;
    uint8_t kind; /**< COST_DR, COST_DW; what reads and writes is a read */
} Ref;

/** Accesses of @p n through its memory operand; returns how many. */
unsigned references_of_native(const NativeInsn *n, Ref out[MAX_REFS]);
/** Accesses of a helper of the core to the address that is its first argument. */
unsigned references_of_call(const IrCallee *c, Ref out[MAX_REFS]);
/**
 * Accesses of @p n to memory that no operand names: at register @p base plus @p offset.  Valgrind's
 * code for bt and its like with two registers goes through memory below the stack.
 */
unsigned references_implied(const NativeInsn *n, RegId *base, int64_t *offset, Ref out[MAX_REFS]);
/** Is it repeated until its compare and swap succeeds, which is a conditional branch? */
bool references_retry(const NativeInsn *n);

/** Lanes that are loaded or stored one by one, those that a register selects or all. */
typedef struct Lanes {
    uint8_t n, size;         /**< lanes; bytes of each */
    uint8_t kind;            /**< COST_DR, COST_DW */
    uint8_t index_size;      /**< bytes of an index, 0: lanes are side by side */
    uint8_t scale;           /**< log2 of what indices are multiplied by */
    bool masked;             /**< only lanes whose sign bit in the mask is set */
    uint32_t index, mask;    /**< offsets of the registers in the thread's state */
} Lanes;

/** Does @p n access lanes one by one? */
bool references_lanes(const NativeInsn *n, unsigned scale, Lanes *out);

#endif
