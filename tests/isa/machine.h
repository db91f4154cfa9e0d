/* SPDX-License-Identifier: MIT */
/*
 * The state of the processor around one instruction under test, and the two ways to run it: on
 * the processor itself (native.c) and by Gimle (engine.c).
 */
#ifndef TESTS_ISA_MACHINE_H
#define TESTS_ISA_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CODE_ADDR = 0x20000000, /**< where the instruction is; filled up with INT3 */
    CODE_BYTES = 0x2000,
    CODE_START = CODE_ADDR + 0x1000 - 64,
    DATA_ADDR = 0x30000000, /**< memory operands and the stack */
    DATA_BYTES = 0x4000,
    DATA_MIDDLE = DATA_ADDR + DATA_BYTES / 2,
    VECTORS = 32, VECTOR_BYTES = 64, MASKS = 8
};

typedef struct Machine {
    uint64_t gpr[16]; /**< in the order of the encodings */
    uint64_t rip, rflags;
    uint8_t v[VECTORS][VECTOR_BYTES];
    uint64_t k[MASKS];
    uint8_t fpu[160]; /**< start of an FXSAVE64 image: control words and st0-st7 */
    uint32_t mxcsr;
    int signal;       /**< 0, or the signal that the instruction raised */
} Machine;

/** What this processor has: with AVX-512 all vector registers and masks, else 16 of 32 bytes. */
extern bool machine_avx512;
extern unsigned machine_vectors, machine_vector_bytes;

/** Map code and data, install signal handlers. */
void machine_init(void);
/** Write an instruction at CODE_START and INT3 around it. */
void machine_set_code(const uint8_t *bytes, unsigned len);

/** Run the instruction at m->rip on the processor until it reaches an INT3 or faults. */
void native_run(Machine *m);

typedef struct Engine {
    const char *name;
    unsigned mode;  /**< index into the modes of engine_init() */
    bool interpret;
} Engine;

/** All ways in which Gimle runs an instruction. */
extern const Engine engines[];
extern const unsigned n_engines;

void engine_init(void);
/** Run it by Gimle.  False if it does not leave after a sane number of blocks. */
bool engine_run(const Engine *e, Machine *m);
/** Print the block at @p pc as IR. */
void engine_print(const Engine *e, uint64_t pc);

/**
 * Call fn(arg) in such a way that a signal on client code or memory ends it; returns the signal or 0.
 */
int machine_guard(void (*fn)(void *), void *arg);

#endif
