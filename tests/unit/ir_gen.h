/* SPDX-License-Identifier: MIT */
/*
 * Random blocks of IR and random states to run them on, for tests that compare two ways of
 * running the same block (interpreter and compiler, before and after the optimiser).
 */
#ifndef TESTS_UNIT_IR_GEN_H
#define TESTS_UNIT_IR_GEN_H

#include "gimle/ir.h"
#include "state.h"

/** Random numbers: any seed will do. */
typedef struct IrRandom {
    uint64_t s;
} IrRandom;

uint64_t ir_random(IrRandom *r);
/** Below @p n. */
unsigned ir_random_below(IrRandom *r, unsigned n);
/** A 64-bit value that is often an edge value of some width. */
uint64_t ir_random_value(IrRandom *r);

/** What a generated block may hold. */
enum {
    GEN_MEM = 1,     /**< LOAD and STORE in buf */
    GEN_SHADOW = 2,  /**< SPACE_SHADOW accesses too: buf + shadow_offset must be memory */
    GEN_STATE = 4,   /**< SPACE_STATE accesses to the second half of the tool's registers */
    GEN_EXITS = 8,   /**< EXIT_IF */
    GEN_COLD = 16,   /**< cold regions */
    GEN_CALLS = 32,  /**< CALLs of CALLEE_PURE and CALLEE_LIGHT helpers */
    GEN_FULL = 64,   /**< and of CALLEE_FULL ones */
    GEN_FLAGS = 128, /**< condition codes, REG CC included */
    GEN_VEC = 256,   /**< vectors */
    GEN_SHADOW_REGS = 512, /**< REG_SHADOW_OF() and REG_TOOL() registers */
    /**
     * Only condition codes that the amd64 manuals define become visible; without it the values
     * of eval_flags() for the undefined ones are visible too.
     */
    GEN_DEFINED_FLAGS = 1024,
    GEN_ALL = 1023
};

typedef struct IrGen {
    unsigned what;      /**< GEN_* */
    unsigned n_guest;   /**< guest instructions */
    IrType max_vec;     /**< widest vectors, TY_V128.. */
    uint64_t max_reg;   /**< general registers 0..max_reg-1 are used, at most 16 */
    uint8_t mode;       /**< of the block and of its exits */
    uint8_t *buf;       /**< IR_GEN_BUF bytes, aligned to 64 */
} IrGen;

enum { IR_GEN_BUF = 8192 };

/** A well-formed random block. */
IrBlock *ir_gen_block(const IrGen *g, IrRandom *r, struct Arena *arena);
/** Random guest, shadow and tool registers (CC and DF well-formed). */
void ir_gen_state(VexState *s, IrRandom *r);
/**
 * NULL if both states agree in all guest, shadow and tool registers and in how they left, else
 * what differs (static text). @p ignore_cc: the condition codes are not live.
 */
const char *ir_gen_compare(const VexState *a, const VexState *b, bool ignore_cc);

#endif
