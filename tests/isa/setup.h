/* SPDX-License-Identifier: MIT */
/* Operands for an instruction under test: random registers, memory operands that hit the data. */
#ifndef TESTS_ISA_SETUP_H
#define TESTS_ISA_SETUP_H

#include <Zydis/Zydis.h>

#include "machine.h"

/** A decoded instruction. */
typedef struct Subject {
    uint8_t bytes[32];
    ZydisDecodedInstruction z;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    char text[128];
} Subject;

/** Decode s->bytes as if at CODE_START; false if it is no instruction. */
bool subject_decode(Subject *s);
/**
 * Why the instruction cannot be tested here, or NULL; @p emulated: on Bochs, which has some
 * instructions wrong.
 */
const char *subject_why_not(const Subject *s, bool emulated);
/** Does it need AVX-512? */
bool subject_is_avx512(const Subject *s);
/** Make the instruction one that can be run (branch targets, absolute addresses). */
void subject_fix(Subject *s);
/** A random state in which its memory operands are in the data; fills the data. */
void subject_setup(const Subject *s, Machine *m);
/** Condition codes (and DF, AC, ID) that are defined after it, given the state before. */
uint64_t subject_defined_flags(const Subject *s, const Machine *before);

#endif
