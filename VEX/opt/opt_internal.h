/* SPDX-License-Identifier: MIT */
/* What the passes of the optimiser share. */
#ifndef VEX_OPT_INTERNAL_H
#define VEX_OPT_INTERNAL_H

#include "ir/ir_internal.h"
#include "opt.h"
#include "state.h"

/** Registers of one bank that the tables have room for: small tables are quickly made. */
enum { OPT_BANK = 72 };
enum { OPT_REG_SLOTS = 2 * OPT_BANK + REG_TOOL_WORDS, OPT_CSE_SLOTS = 256 };

/** Where register @p r is in the tables. */
static inline unsigned opt_slot(RegId r)
{
    return (r & 0xff) + (r >> 8) * OPT_BANK;
}

/** What the walk forwards knows about a register: a value equal to its low part. */
typedef struct OptKnown {
    IrRef ref;
    uint32_t gen; /**< valid if equal to Opt.gen */
} OptKnown;

/** One run over one block. */
typedef struct Opt {
    IrBlock *b;       /**< being made */
    uint32_t passes;  /**< bits of the passes that are on */
    OptStage stage;
    uint32_t gen;     /**< from 1; raised to forget all registers */
    bool in_cold;     /**< values made now must not be used later: record nothing */
    OptKnown known[OPT_REG_SLOTS]; /**< by opt_slot() */
    IrRef cse[OPT_CSE_SLOTS]; /**< ref + 1 of a pure op with this hash, 0: none */
} Opt;

static inline bool opt_on(const Opt *o, OptPass p)
{
    return o->passes >> p & 1;
}

/** The value of *@p n, a pure op over refs of the new block: an existing ref or a new one. */
IrRef opt_value(Opt *o, const IrInsn *n);

/** Shorthands over opt_value(). */
IrRef opt_const(Opt *o, IrType t, uint64_t v);
IrRef opt_op(Opt *o, IrOp op, IrType t, IrRef a, IrRef b);

/** If ref @p r of the new block is an integer constant, its value in *@p v. */
static inline bool opt_is_const(const Opt *o, IrRef r, uint64_t *v)
{
    const IrInsn *i = &o->b->insn[r];
    if (i->op != OP_CONST || ir_is_vec((IrType)i->type))
        return false;
    *v = i->imm;
    return true;
}

/** Replace *@p n by something simpler; a ref if it is one already, else IR_NONE. */
IrRef opt_fold(Opt *o, IrInsn *n);
/** The comparison that a COND is, or IR_NONE. */
IrRef opt_cond(Opt *o, const IrInsn *n);
/** Drop what is not needed from o->b (DEAD_PUT, DCE). */
void opt_drop_dead(Opt *o, struct Arena *arena);

/** Does a STATE space access touch registers? */
static inline bool opt_touches_registers(const IrInsn *i)
{
    return i->disp < (int64_t)offsetof(VexState, spill);
}

#endif
