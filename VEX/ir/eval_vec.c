/* SPDX-License-Identifier: MIT */
/* The meaning of the vector ops, lane by lane. */
#include <string.h>

#include "base/check.h"
#include "eval.h"
#include "ir_internal.h"

static uint64_t lane_get(const IrValue *v, unsigned size, unsigned k)
{
    uint64_t x = 0;
    memcpy(&x, &v->u8[k * size], size);
    return x;
}

static void lane_set(IrValue *v, unsigned size, unsigned k, uint64_t x)
{
    memcpy(&v->u8[k * size], &x, size);
}

/** One lane of type @p t; imm is IrInsn.imm. */
typedef uint64_t (*LaneFn)(IrType t, uint64_t a, uint64_t b, uint64_t imm);

#define LANE(name, expr)                                                                   \
    static uint64_t lane_##name(IrType t, uint64_t a, uint64_t b, uint64_t imm)            \
    {                                                                                      \
        (void)t, (void)a, (void)b, (void)imm;                                              \
        return (expr);                                                                     \
    }

LANE(ADD, a + b)
LANE(SUB, a - b)
LANE(CMPEQ, a == b ? ~0ull : 0)
LANE(CMPGTS, ir_sext(t, a) > ir_sext(t, b) ? ~0ull : 0)
LANE(NEZ, a ? ~0ull : 0)
LANE(SHLI, imm < ir_bits(t) ? a << imm : 0)
LANE(SHRI, imm < ir_bits(t) ? a >> imm : 0)
LANE(SARI, (uint64_t)(ir_sext(t, a) >> (imm < ir_bits(t) ? imm : ir_bits(t) - 1)))
LANE(AND, a & b)
LANE(OR, a | b)
LANE(XOR, a ^ b)
LANE(NOT, ~a)

/** Ops that work on lanes alone; whole: the lane width does not matter, sub is not one. */
static const struct {
    LaneFn fn;
    bool whole;
} lane_fn[OP_COUNT] = {
    [OP_LADD] = { lane_ADD, false },     [OP_LSUB] = { lane_SUB, false },
    [OP_LCMPEQ] = { lane_CMPEQ, false }, [OP_LCMPGTS] = { lane_CMPGTS, false },
    [OP_LNEZ] = { lane_NEZ, false },     [OP_LSHLI] = { lane_SHLI, false },
    [OP_LSHRI] = { lane_SHRI, false },   [OP_LSARI] = { lane_SARI, false },
    [OP_AND] = { lane_AND, true },       [OP_OR] = { lane_OR, true },
    [OP_XOR] = { lane_XOR, true },       [OP_NOT] = { lane_NOT, true },
};

static void eval_lanes(const IrInsn *i, const IrValue *a, const IrValue *b, IrValue *out)
{
    IrType lane = lane_fn[i->op].whole ? TY_I64 : (IrType)(TY_I8 + i->sub);
    unsigned size = ir_type_size(lane);
    for (unsigned k = 0; k < ir_type_size((IrType)i->type) / size; k++) {
        uint64_t x = lane_get(a, size, k), y = b ? lane_get(b, size, k) : 0;
        lane_set(out, size, k, lane_fn[i->op].fn(lane, x, y, i->imm));
    }
}

void eval_vec(const IrInsn *i, IrType from, const IrValue *a, const IrValue *b, IrValue *out)
{
    if (lane_fn[i->op].fn) {
        eval_lanes(i, a, b, out);
        return;
    }
    unsigned size = ir_type_size((IrType)i->type), from_size = ir_type_size(from);
    IrValue r = { { 0 } };
    switch (i->op) {
    case OP_CONST:
        for (unsigned k = 0; k < 8; k++)
            r.u64[k] = i->imm;
        break;
    case OP_CMPEQ:
        r.u64[0] = memcmp(a, b, from_size) == 0;
        break;
    case OP_CMPNE:
        r.u64[0] = memcmp(a, b, from_size) != 0;
        break;
    case OP_VGET64:
    case OP_VHALF:
        memcpy(&r, &a->u8[i->imm * size], size);
        break;
    case OP_VMAKE64:
    case OP_VJOIN:
        memcpy(&r, a, from_size);
        memcpy(&r.u8[from_size], b, from_size);
        break;
    case OP_VZEXT:
        memcpy(&r, a, from_size);
        break;
    default:
        UNREACHABLE("%s of vectors", ir_op_name((IrOp)i->op));
    }
    *out = r;
}
