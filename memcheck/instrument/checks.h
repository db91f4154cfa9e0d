/* SPDX-License-Identifier: MIT */
/*
 * What fast and carry mode share: which registers an instruction uses, moves or overwrites, and
 * the checks of memory that their code makes before each access.
 */
#ifndef MEMCHECK_CHECKS_H
#define MEMCHECK_CHECKS_H

#include "instrument.h"
#include "places.h"

/** An instruction that moves a value unchanged, as far as the V bits of its registers go. */
typedef enum MoveKind {
    MOVE_NONE, MOVE_LOAD, MOVE_STORE, MOVE_REG,
    MOVE_BITS /**< dst op= constant: AND, OR, a shift; what bit-fields are read and written with */
} MoveKind;

typedef struct Move {
    MoveKind kind;
    RegId dst, src;   /**< REG_NONE where it is memory */
    uint8_t size;     /**< bytes moved */
    uint8_t src_at, dst_at; /**< vector to vector: the first of them in each register, else 0 */
    bool vec;         /**< into a vector register, or a store from one */
    bool keeps_above; /**< vector: the destination's upper part stays, from the third word on */
    bool keeps_words; /**< vector: so do the words below that are not moved */
    uint8_t op;       /**< MOVE_BITS: what to do to the V bits, an IrOp */
    uint64_t operand; /**< MOVE_BITS: its second operand */
    bool flags_live;  /**< MOVE_BITS: all bits of the result must be defined */
    bool discards;    /**< MOVE_BITS: only the condition codes are wanted (TEST) */
} Move;

/** Bits of the mask by what one guest instruction does with the registers. */
typedef struct RegUse {
    uint32_t reads;  /**< used for anything but moving */
    uint32_t moves;  /**< moved on, or kept in part by a move to it */
    uint32_t writes; /**< overwritten by something defined */
    uint32_t loads;  /**< overwritten by a move from memory or from another register */
} RegUse;

/** By ref of the source block: what there is to know about moves. */
typedef struct MoveInfo {
    uint8_t *only_moved; /**< GET: all its consumers store it; LOAD: its only consumer puts it */
    IrRef *put_at;       /**< LOAD that is only put: where */
    uint8_t *flags_dead; /**< NATIVE: codes after it are overwritten before anything reads them */
    uint8_t *flags_kept; /**< NATIVE: codes that it leaves as they are may be read after it */
    bool calls;          /**< there are CALLs */
} MoveInfo;

void moves_find(MoveInfo *mi, const IrBlock *b, struct Arena *arena);
/** Is NATIVE @p i of @p b a move that carry mode can follow? */
Move move_at(const MoveInfo *mi, const IrBlock *b, IrRef i);
/** Add what IR instruction @p i does to @p u. */
void use_add(RegUse *u, const MoveInfo *mi, const IrBlock *b, IrRef i);

/** Length of the part of @p b before the first guest instruction that must run in slow mode. */
uint32_t checkable_part(const MoveInfo *mi, const IrBlock *b);

/** Size of the next piece of @p left bytes, a power of two up to 8. */
static inline unsigned next_piece(unsigned left)
{
    return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}
/** Leave to @p mode at the present instruction if @p cond; @p why is for the statistics. */
void leave_if(Instr *x, IrRef cond, unsigned mode, Reason why);
/** I64 or a smaller integer: not 0 if some shadow byte of [m, m+size) is not. */
IrRef shadow_union(Instr *x, IrMem m, unsigned size);
/** I1: some byte of @p v is the pattern of what is not addressable. */
IrRef has_pattern(IrBlock *b, IrRef v);
/**
 * Checks for an access to [m, m+size), @p src its operand in terms of the source block; a load
 * that fails goes on in @p load_mode.
 */
void check_access(Instr *x, IrMem m, IrMem src, unsigned size, unsigned access,
                  unsigned load_mode);
/** Checks for the memory operand of NATIVE @p i of the source block. */
void check_native(Instr *x, IrRef i, unsigned load_mode);

#endif
