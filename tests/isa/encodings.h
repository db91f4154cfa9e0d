/* SPDX-License-Identifier: MIT */
/* Every way to encode an instruction, by number, with random registers and immediates. */
#ifndef TESTS_ISA_ENCODINGS_H
#define TESTS_ISA_ENCODINGS_H

#include <stdint.h>

/** A 64-bit pseudo-random number generator, seeded once. */
void random_seed(uint64_t seed);
uint64_t random64(void);
static inline unsigned random_below(unsigned n)
{
    return (unsigned)(random64() % n);
}

/** Number of encodings. */
unsigned encoding_count(void);
/** Which of @p parts parts encoding @p k belongs to: all of an opcode are in the same. */
unsigned encoding_part(unsigned k, unsigned parts);
/** Write encoding @p k with random details and 16 bytes of room to @p out. */
void encoding_make(unsigned k, uint8_t out[32]);

#endif
