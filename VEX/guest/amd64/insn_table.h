/* SPDX-License-Identifier: MIT */
/*
 * The table of instructions: a row per Zydis mnemonic, made from int.def and vec.def, that says
 * how an instruction is lifted and what a tool may conclude when it stays NATIVE.  A mnemonic
 * without a row is executed as it is under the safe rule NR_WHOLE.
 */
#ifndef VEX_GUEST_AMD64_INSN_TABLE_H
#define VEX_GUEST_AMD64_INSN_TABLE_H

#include "insn.h"

struct Lift;
struct InsnRow;

/** Lifts @p in; false: this form shall be NATIVE. */
typedef bool InsnLifter(struct Lift *l, const Insn *in, const struct InsnRow *row);

/** Properties of a row. */
enum {
    RP_ALWAYS = 1,   /**< lifted under VM_NATIVE too */
    RP_END = 2,      /**< control never falls through: ends the block */
    RP_BRANCH = 4,   /**< may also leave for a direct target: a conditional jump */
    RP_SAME = 8,     /**< does not depend on its two sources if they are the same register */
    RP_COUNT_CL = 16, /**< shift or rotate: flags stay as they are if the count is 0 */
    RP_KEEPS = 32,   /**< the destination keeps its value in some cases */
    RP_CALL = 64,    /**< a call or return: compilers pass no condition codes through it */
    RP_STRING = 128, /**< a string instruction: with a repeat prefix it ends the block */
    RP_HIGH = 512,   /**< uses upper parts of vector registers, whatever the operands' sizes are */
    RP_MOVE = 256    /**< a plain move of a whole operand */
};

typedef struct InsnRow {
    InsnLifter *lift;   /**< NULL: always NATIVE */
    uint8_t sub;        /**< for the lifter: IrOp, IrCond, IrJumpKind ... */
    uint16_t props;     /**< RP_* */
    uint8_t rule;       /**< NativeRule */
    uint8_t lane;       /**< NativeInsn.lane */
} InsnRow;

extern const InsnRow insn_rows[];
/** The row of mnemonic @p m. */
static inline const InsnRow *insn_row(unsigned m) { return &insn_rows[m]; }

/** Is @p in a string instruction with a repeat prefix? */
bool insn_is_repeated(const Insn *in);

/** What @p in does, for who only looks at it. */
InsnEffect insn_effect(const Insn *in);

/** Complete a freshly decoded instruction with what its row says of all instructions of its shape. */
void insn_apply_row(Insn *in);
/** And with what follows from its very registers and immediates. */
void insn_apply_operands(Insn *in);

#endif
