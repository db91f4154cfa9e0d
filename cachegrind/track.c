/* SPDX-License-Identifier: MIT */
/* Each value that a register can have in the block has a number; registers are values plus constants. */
#include "track.h"

#include "base/arena.h"
#include "gimle/native.h"

enum { REGS = 256 };

/** A value number, 0: unknown or none, and a constant that is added. */
typedef struct Sum {
    uint32_t value;
    bool constant;  /**< an instruction named the value itself */
    int64_t offset;
} Sum;

struct Tracker {
    const IrBlock *b;
    Sum reg[REGS];
    Sum *sum;       /**< of each instruction's value */
    uint32_t next;  /**< value number */
};

static Sum new_value(Tracker *t) { return (Sum){ .value = t->next++ }; }

static void forget_registers(Tracker *t)
{
    for (unsigned i = 0; i < REGS; i++)
        t->reg[i] = new_value(t);
}

Tracker *track_new(const IrBlock *b, struct Arena *arena)
{
    Tracker *t = arena_new(arena, Tracker);
    t->b = b;
    t->next = 1;
    t->sum = arena_array(arena, Sum, b->n);
    forget_registers(t);
    return t;
}

/** mov $imm, reg; xor reg, reg. */
static bool names_constant(const NativeInsn *n)
{
    uint8_t code = n->bytes[n->off_opcode];
    if (n->enc != NE_LEGACY || n->opcode_len != 1 || n->mem_access)
        return false;
    return (code & 0xf8) == 0xb8 || code == 0xc7 || n->rule == NR_ZEROING;
}

static void track_native(Tracker *t, const NativeInsn *n)
{
    for (unsigned k = 0; k < n->n_ops; k++) {
        const NativeOp *o = &n->op[k];
        if (!(o->access & NA_WRITE) || o->reg >= REGS)
            continue;
        if (o->reg == gimle_guest->sp && (n->flags & NF_SP_CONST)) {
            t->reg[o->reg].offset += n->sp_adjust;
            continue;
        }
        t->reg[o->reg] = new_value(t);
        t->reg[o->reg].constant = o->cls == RC_GPR && names_constant(n);
    }
}

/** a + k or a - k. */
static Sum plus_constant(const Tracker *t, const IrInsn *in)
{
    const IrInsn *k = &t->b->insn[in->arg[1]];
    Sum s = t->sum[in->arg[0]];
    if (k->op != OP_CONST || in->type != TY_I64)
        return (Sum){ 0 };
    s.constant = false;
    s.offset += in->op == OP_ADD ? (int64_t)k->imm : -(int64_t)k->imm;
    return s.value ? s : (Sum){ 0 };
}

void track_insn(Tracker *t, IrRef i)
{
    const IrInsn *in = &t->b->insn[i];
    switch (in->op) {
    case OP_GET:
        if (in->aux < REGS && (in->type == TY_I64 || t->reg[in->aux].constant))
            t->sum[i] = t->reg[in->aux];
        break;
    case OP_ADD:
    case OP_SUB:
        t->sum[i] = plus_constant(t, in);
        break;
    case OP_PUT:
        if (in->aux < REGS) {
            t->reg[in->aux] = t->sum[in->arg[0]].value ? t->sum[in->arg[0]] : new_value(t);
            t->reg[in->aux].constant |= t->b->insn[in->arg[0]].op == OP_CONST;
        }
        break;
    case OP_NATIVE:
        track_native(t, t->b->native[in->aux]);
        break;
    case OP_CALL:
        forget_registers(t);
        break;
    }
}

Address track_nowhere(void) { return (Address){ .known = false }; }

Address track_address(const Tracker *t, IrRef i)
{
    const IrInsn *in = &t->b->insn[i];
    Address a = { .known = true, .offset = in->disp, .scale = in->scale };
    if (in->arg[0] != IR_NONE && t->b->insn[in->arg[0]].op == OP_CONST) {
        a.offset += (int64_t)t->b->insn[in->arg[0]].imm;
    } else if (in->arg[0] != IR_NONE) {
        const Sum *s = &t->sum[in->arg[0]];
        a.base = s->value;
        a.offset += s->offset;
        a.known = s->value != 0;
    }
    if (in->arg[1] != IR_NONE) {
        const Sum *s = &t->sum[in->arg[1]];
        a.index = s->value;
        a.offset += s->offset << in->scale;
        a.known = a.known && s->value != 0;
    }
    return a;
}

bool track_distance(const Address *a, const Address *b, int64_t *distance)
{
    *distance = b->offset - a->offset;
    return a->known && b->known && a->base == b->base && a->index == b->index &&
           (a->index == 0 || a->scale == b->scale) && *distance > -INT16_MAX / 2 &&
           *distance < INT16_MAX / 2;
}

bool track_is_constant(const Tracker *t, IrRef v) { return t->sum[v].constant; }
