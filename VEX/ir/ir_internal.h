/* SPDX-License-Identifier: MIT */
/*
 * What the parts of VEX share about the IR beyond the public header: shapes of ops, widths of
 * types, and one way to walk over all arguments of an instruction, whatever its kind.
 */
#ifndef VEX_IR_INTERNAL_H
#define VEX_IR_INTERNAL_H

#include "gimle/guest.h"
#include "gimle/ir.h"

/** How the arguments and the result of an op are typed (irops.def). */
typedef enum IrShape {
    SHAPE_STMT, SHAPE_NULLARY, SHAPE_UN, SHAPE_BIN, SHAPE_BINI, SHAPE_SHIFT, SHAPE_CMP,
    SHAPE_CONV, SHAPE_SEL, SHAPE_LUN, SHAPE_LBIN, SHAPE_LSHIFT, SHAPE_VGET, SHAPE_VMAKE,
    SHAPE_VCONV, SHAPE_FLAGS, SHAPE_COND
} IrShape;

typedef struct IrOpInfo {
    const char *name;
    uint8_t shape; /**< IrShape */
    uint8_t flags; /**< OPF_* */
    uint8_t nargs; /**< see ir_op_nargs() */
} IrOpInfo;

extern const IrOpInfo ir_op_info[OP_COUNT];

/** Names of the sub-kinds, for printing and parsing. */
extern const char *const ir_cond_name[16];
extern const char *const ir_flag_kind_name[FK_COUNT];
extern const char *const ir_jump_kind_name[JK_COUNT];
extern const char *const ir_space_name[3];
extern const char *const ir_callee_kind_name[5];

/** Bits of an integer type; 1 for I1. */
static inline unsigned ir_bits(IrType t)
{
    return t == TY_I1 ? 1 : 8u << (t - TY_I8);
}

/** All ones in the width of integer type @p t. */
static inline uint64_t ir_mask(IrType t)
{
    return ~0ull >> (64 - ir_bits(t));
}

/** I8..I64. */
static inline bool ir_is_int(IrType t)
{
    return t >= TY_I8 && t <= TY_I64;
}

static inline bool ir_is_vec(IrType t)
{
    return t >= TY_V128 && t <= TY_V512;
}

/** @p v, of integer type @p t, extended with its sign. */
static inline int64_t ir_sext(IrType t, uint64_t v)
{
    unsigned s = 64 - ir_bits(t);
    return (int64_t)(v << s) >> s;
}

/** Most arguments an instruction can have: five of a CALL and its guard. */
#define IR_MAX_ARGS 6

/** Pointers to all refs that @p i uses (absent ones left out) into @p slot; their number. */
static inline unsigned ir_arg_slots(const IrBlock *b, IrInsn *i, IrRef *slot[IR_MAX_ARGS])
{
    unsigned n = 0;
    if (i->op == OP_CALL) {
        for (unsigned k = 0; k < i->sub; k++)
            slot[n++] = &b->extra[i->arg[0] + k];
        if (i->arg[1] != IR_NONE)
            slot[n++] = &i->arg[1];
        return n;
    }
    for (unsigned k = 0; k < ir_op_info[i->op].nargs; k++) {
        if (i->arg[k] != IR_NONE)
            slot[n++] = &i->arg[k];
    }
    return n;
}

/** True if a CALL has no effect besides its value. */
static inline bool ir_is_pure_call(const IrInsn *i)
{
    return i->op == OP_CALL && i->callee->kind == CALLEE_PURE;
}

#endif
