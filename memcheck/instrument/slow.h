/* SPDX-License-Identifier: MIT */
/* What slow mode's block walker and its rules for native instructions share. */
#ifndef MEMCHECK_SLOW_H
#define MEMCHECK_SLOW_H

#include "instrument.h"
#include "vbits.h"

enum { SLOW_MAX_PIECES = 8 };

/** V bits of up to 64 bytes of memory: 8-byte pieces (I64), the last one of its own size. */
typedef struct Pieces {
    unsigned n, size;
    IrRef v[SLOW_MAX_PIECES]; /**< IR_NONE: defined */
} Pieces;

typedef struct Slow {
    Instr x;              /**< first: on_put() gets back to us */
    IrRef *vbits;         /**< by source ref: V bits in the new block */
    uint32_t dirty_gpr;   /**< registers whose bit in the mask is not up to date, known below */
    uint32_t dirty_other; /**< bits that a helper has to find out */
    IrRef put_vbits[16];  /**< by bit number: V bits last put, IR_NONE: defined */
    uint8_t next_mode;    /**< where the block's exits go */
    bool value_errors;
    bool origins;         /**< --track-origins */
    IrRef *origin;        /**< by source ref: address its undefined bits come from, or IR_NONE */
    IrRef store_origin;   /**< origin of what slow_store() stores, or IR_NONE */
    bool started;
    struct { IrRef ref, vbits; } *reported; /**< source refs that count as defined now, and their V bits */
    unsigned n_reported;
} Slow;

/** Read the V bits of [m, m+size), reporting what is not addressable. @p m in the new block. */
Pieces slow_load(Slow *s, IrMem m, unsigned size);
/** Set the shadow of [m, m+p->size), reporting what is not addressable. */
void slow_store(Slow *s, IrMem m, const Pieces *p);
/** Report if the address of source instruction @p i is undefined. */
void slow_check_address(Slow *s, IrRef i);
/**
 * Report if @p v (V bits or IR_NONE) is not zero: a value of @p size bytes, 0: a condition.
 * @p origin: where it was loaded from (I64) or IR_NONE.
 */
void slow_check_value(Slow *s, IrRef v, unsigned size, IrRef origin);
/** Where the undefined ones of several values come from. */
typedef struct Whence {
    IrRef any;    /**< I1: one of them is undefined; IR_NONE: there is none yet */
    IrRef origin; /**< IR_NONE: likewise */
} Whence;
/**
 * One more value, undefined if @p any (I1, or IR_NONE).  Of two undefined ones the one at the lower address
 * counts: the heap's fresh blocks go downwards, so it is the later one, which Valgrind names.
 */
void slow_join_origin(Slow *s, Whence *w, IrRef any, IrRef origin);
/** Origin of guest register @p r; IR_NONE if it is never undefined. */
IrRef slow_get_origin(Slow *s, RegId r);
void slow_put_origin(Slow *s, RegId r, IrRef origin);
/** The shadow of register @p r was written by other means than a deferred PUT. */
void slow_note_written(Slow *s, RegId r);

/** All of the V bits of @p p as one value of type @p t (p->size bytes), IR_NONE: defined. */
IrRef pieces_join(IrBlock *b, const Pieces *p, IrType t);
/** The reverse. */
Pieces pieces_split(IrBlock *b, IrRef v, unsigned size);
/** Put V bits @p v of the low part of vector @p r; @p zero_above: the rest is defined. */
void slow_put_vec(Slow *s, RegId r, IrRef v, bool zero_above);

/** Instrument NATIVE @p i: V bits by its rule, then the instruction itself. */
void native_instrument(Slow *s, IrRef i);
/** Instrument CALL @p i if it loads or saves an image of the registers (XSAVE); false if not. */
bool state_image_instrument(Slow *s, IrRef i);

#endif
