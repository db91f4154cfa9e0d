/* SPDX-License-Identifier: MIT */
/*
 * What both instrumenters share: the context of one block, the stack pointer's course through
 * the block, and the writes to guest registers, which are held back until the end of the guest
 * instruction (so that whatever may fault or report stands before them, and all that has to
 * happen with a change of the stack pointer is known in one place).
 */
#ifndef MEMCHECK_INSTRUMENT_H
#define MEMCHECK_INSTRUMENT_H

#include "base/arena.h"
#include "gimle/ir.h"
#include "gimle/native.h"

#include "../memcheck.h"
#include "regmask.h"

/** A source ref that is the stack pointer plus a constant (epoch 0: it is not). */
typedef struct SpValue {
    uint32_t epoch; /**< counts changes by unknown amounts */
    int64_t off;
} SpValue;

/** A write to a guest register that waits for the end of its instruction. */
typedef struct PendingPut {
    RegId reg;
    IrRef src;   /**< value in the source block */
    IrRef v;     /**< value in the new block */
    IrRef vbits; /**< its V bits in the new block, IR_NONE: defined (slow only) */
} PendingPut;

enum { MAX_PENDING = 24 };

typedef struct Instr {
    IrCopier copier;
    const IrBlock *src;
    IrBlock *b;          /**< the new block */
    struct Arena *arena;
    GuestAddr at;        /**< present guest instruction */
    SpValue *sp_of;      /**< by source ref */
    uint32_t sp_epoch;   /**< of the present stack pointer */
    int64_t sp_off;
    PendingPut pending[MAX_PENDING];
    unsigned n_pending;
    bool is_call;        /**< the writes held back are those of a call */
    GuestAddr go_page;   /**< last byte of the page that is_go is about */
    bool is_go;          /**< go_code_at() */
    /** Called for each pending write after it was made (slow: shadow), or NULL. */
    void (*on_put)(struct Instr *x, const PendingPut *p);
} Instr;

void instr_init(Instr *x, const IrBlock *src, struct Arena *arena);
/** Count this block if --stats asks for it; @p mode: MODE_*. */
void instr_count(Instr *x, unsigned mode);
/** Follow the stack pointer through source instruction @p i. */
void instr_track_sp(Instr *x, IrRef i);
/** Offset of @p m (source refs) from the present stack pointer; false if not known. */
bool instr_sp_relative(const Instr *x, const IrMem *m, int64_t *off);

/** Hold back PUT @p i of the source. */
void instr_defer_put(Instr *x, IrRef i, IrRef vbits);
/** Make the writes that were held back, shadow of the stack first. */
void instr_flush_puts(Instr *x);
/** Before a NATIVE that writes the stack pointer: its old value, IR_NONE if all is done. */
IrRef instr_sp_before_native(Instr *x, const NativeInsn *n);
/** After it. */
void instr_sp_after_native(Instr *x, const NativeInsn *n, IrRef old);
bool native_writes_sp(const NativeInsn *n);

/** The address of @p m as one value. */
IrRef mem_address(IrBlock *b, IrMem m);
/**
 * --track-origins: note that @p size bytes stored at @p m come from @p origin (I64), if they are
 * undefined (@p any, I1).  In cold code; nothing is called.
 */
void instr_note_origin(Instr *x, IrMem m, IrRef origin, unsigned size, IrRef any);
/** Is LOAD @p i of the source block that of a POP? */
bool instr_is_pop(const Instr *x, IrRef i);
/** --track-origins: where a register comes from that is popped from @p m, if it is undefined (@p any). */
IrRef instr_popped_origin(Instr *x, IrMem m, IrRef any);

/* ---- small IR vocabulary ------------------------------------------------------------ */

static inline IrRef c64(IrBlock *b, uint64_t v) { return ir_const(b, TY_I64, v); }
static inline IrMem mem_at(IrMem m, int64_t disp)
{
    m.disp += disp;
    return m;
}
static inline IrType type_of(const IrBlock *b, IrRef r) { return (IrType)b->insn[r].type; }
/** @p r != 0. */
static inline IrRef nonzero(IrBlock *b, IrRef r)
{
    return ir_cmp(b, OP_CMPNE, r, ir_const(b, type_of(b, r), 0));
}

#endif
