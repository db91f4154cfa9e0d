/* SPDX-License-Identifier: MIT */
/*
 * V bits of values in the x87 unit.  Each of its eight registers has 64, those of the value as a
 * double: loads and stores of doubles and moves between registers keep them as they are, every
 * other format and all arithmetic takes one undefined bit for all.  They are kept by the number of
 * the register, not by its place on the stack, since the MMX registers (mmx.c) are the same ones.  The
 * condition bits of the status word have V bits, too.
 *
 * A helper does it before the instruction runs; what it pops becomes defined, so that nothing
 * undefined stays where nobody can see it.
 */
#include <string.h>

#include "helpers.h"
#include "native.h"
#include "x87.h"

enum { STATUS_AT = 2, REGS_AT = 32, REG_STRIDE = 16 };
enum { STATUS_CODES = 0x4700 }; /* C3, C2, C1, C0 */

/** Offsets in the thread state, for the helper: no function of the core's may be called there. */
static struct {
    uint32_t image, shadow;
    RegId reg;
} place;

void x87_init(void)
{
    for (unsigned r = 0; r < gimle_guest->n_regs; r++)
        if (gimle_guest->regs[r].cls == RC_FPU)
            place.reg = (RegId)r;
    place.image = gimle_reg_offset(place.reg);
    place.shadow = gimle_reg_offset(REG_SHADOW_OF(place.reg));
}

RegId x87_register(void) { return place.reg; }

/** Functions that light helpers call: the guest's vector registers are in the host's. */
#define LIGHT __attribute__((target("general-regs-only")))

LIGHT uint64_t *x87_vbits(struct VexState *s, unsigned reg)
{
    return (uint64_t *)(void *)((char *)s + place.shadow + REGS_AT + REG_STRIDE * reg);
}

uint64_t x87_value(const struct VexState *s, unsigned reg)
{
    uint64_t v;
    unsigned at = (reg - amd64_x87_top(s)) & 7; /* the image is in the order of the stack */
    memcpy(&v, (const char *)s + place.image + REGS_AT + REG_STRIDE * at, sizeof v);
    return v;
}

/* ---- the stack ---------------------------------------------------------------------- */

typedef struct Unit {
    struct VexState *s;
    unsigned top;
} Unit;

LIGHT static uint64_t *st(const Unit *u, unsigned i) { return x87_vbits(u->s, (u->top + i) & 7); }
LIGHT static uint64_t smear(uint64_t v) { return v ? ~0ull : 0; }

LIGHT static void push(Unit *u, uint64_t v)
{
    u->top--;
    *st(u, 0) = v;
}

LIGHT static void pop(Unit *u, unsigned n)
{
    for (; n; n--, u->top++)
        *st(u, 0) = 0;
}

LIGHT static uint16_t *status_vbits(const Unit *u)
{
    return (uint16_t *)(void *)((char *)u->s + place.shadow + STATUS_AT);
}

LIGHT static void set_status(const Unit *u, uint64_t v) { *status_vbits(u) = v ? STATUS_CODES : 0; }

/* ---- memory operands ---------------------------------------------------------------- */

typedef enum Action {
    NOTHING, LOAD, LOAD_EXACT, STORE, STORE_POP, STORE_EXACT, STORE_EXACT_POP, FORGET, STATUS
} Action;

/** By opcode (D9, DB, DD, DF) and ModRM.reg. */
static const uint8_t mem_actions[4][8] = {
    { LOAD, NOTHING, STORE, STORE_POP, NOTHING, NOTHING, NOTHING, NOTHING },
    { LOAD, STORE_POP, STORE, STORE_POP, NOTHING, LOAD, NOTHING, STORE_POP },
    { LOAD_EXACT, STORE_POP, STORE_EXACT, STORE_EXACT_POP, FORGET, NOTHING, NOTHING, STATUS },
    { LOAD, STORE_POP, STORE, STORE_POP, LOAD, LOAD, STORE_POP, STORE_POP },
};

/** Returns the V bits of what is stored; @p v: those of what is loaded. */
LIGHT static uint64_t mem_form(Unit *u, unsigned esc, unsigned op, uint64_t v)
{
    uint64_t top = *st(u, 0);
    if (!(esc & 1)) { /* arithmetic with ST(0) */
        if (op == 2 || op == 3) {
            set_status(u, top | v);
            pop(u, op == 3);
        } else {
            *st(u, 0) = smear(top | v);
        }
        return 0;
    }
    Action a = mem_actions[esc / 2][op];
    switch (a) {
    case LOAD:
        push(u, smear(v));
        return 0;
    case LOAD_EXACT:
        push(u, v);
        return 0;
    case STORE:
    case STORE_POP:
        top = smear(top);
        break;
    case FORGET:
        for (unsigned i = 0; i < 8; i++)
            *st(u, i) = 0;
        return 0;
    case STATUS:
        return *status_vbits(u);
    case STORE_EXACT:
    case STORE_EXACT_POP:
        break;
    case NOTHING:
        return 0;
    }
    pop(u, a == STORE_POP || a == STORE_EXACT_POP);
    return top;
}

/* ---- register operands -------------------------------------------------------------- */

/** D9 F0 to FF: functions. */
LIGHT static void function(Unit *u, unsigned op)
{
    enum { UNARY, TO_ST1, PUSH_ONE, PUSH_SAME, REMAINDER, TURN };
    static const uint8_t kinds[16] = { UNARY, TO_ST1, PUSH_ONE, TO_ST1, PUSH_SAME, REMAINDER, TURN,
                                       TURN, REMAINDER, TO_ST1, UNARY, PUSH_SAME, UNARY, REMAINDER,
                                       UNARY, UNARY };
    uint64_t both = smear(*st(u, 0) | *st(u, 1)), one = smear(*st(u, 0));
    switch (kinds[op & 15]) {
    case TO_ST1: /* FYL2X, FPATAN, FYL2XP1 */
        pop(u, 1);
        *st(u, 0) = both;
        return;
    case REMAINDER: /* and FSCALE */
        *st(u, 0) = both;
        set_status(u, both);
        return;
    case PUSH_ONE: /* FPTAN */
    case PUSH_SAME: /* FXTRACT, FSINCOS */
        *st(u, 0) = one;
        push(u, kinds[op & 15] == PUSH_ONE ? 0 : one);
        return;
    case UNARY:
        *st(u, 0) = one;
        return;
    default:
        return;
    }
}

/** D9 C0 to EF. */
LIGHT static void move_or_constant(Unit *u, unsigned op, unsigned i)
{
    uint64_t v = *st(u, i);
    switch (op) {
    case 0: /* FLD */
        push(u, v);
        return;
    case 1: /* FXCH */
        *st(u, i) = *st(u, 0);
        *st(u, 0) = v;
        return;
    case 3: /* FSTP, undocumented */
        *st(u, i) = *st(u, 0);
        pop(u, 1);
        return;
    case 4:
        if (i == 4 || i == 5) /* FTST, FXAM */
            set_status(u, *st(u, 0));
        return;
    case 5:
        push(u, 0);
        return;
    default:
        return;
    }
}

/** FCMOVcc: @p cond bit 0: the condition holds, bit 1: it is undefined. */
LIGHT static void conditional_move(Unit *u, unsigned i, uint64_t cond)
{
    if (cond & 2)
        *st(u, 0) = ~0ull;
    else if (cond & 1)
        *st(u, 0) = *st(u, i);
}

/** DC, DE, D8: arithmetic; the result is ST(i) (and ST(0) is popped) or ST(0). */
LIGHT static void arithmetic(Unit *u, unsigned esc, unsigned op, unsigned i)
{
    uint64_t v = smear(*st(u, i) | *st(u, 0));
    if (op == 2 || op == 3) {
        set_status(u, v);
        pop(u, esc == 6 ? op - 1 : op == 3); /* DE D9: FCOMPP */
        return;
    }
    *st(u, esc == 0 ? 0 : i) = v;
    pop(u, esc == 6);
}

/** Returns the V bits of condition codes or AX. */
LIGHT static uint64_t reg_form(Unit *u, unsigned esc, unsigned op, unsigned i, uint64_t cond)
{
    uint64_t both = smear(*st(u, 0) | *st(u, i)), top = *st(u, 0);
    switch (esc) {
    case 1:
        if (op >= 6)
            function(u, (op & 1) << 3 | i);
        else
            move_or_constant(u, op, i);
        return 0;
    case 2:
    case 3:
        if (op < 4) {
            conditional_move(u, i, cond);
        } else if (esc == 2) { /* FUCOMPP */
            set_status(u, both);
            pop(u, 2);
        } else if (op == 4) { /* FNCLEX, FNINIT */
            set_status(u, 0);
        }
        return both; /* FUCOMI, FCOMI */
    case 5:
        if (op == 2 || op == 3) /* FST, FSTP */
            *st(u, i) = top;
        else if (op == 0) /* FFREE */
            *st(u, i) = 0;
        else if (op != 1) /* FUCOM, FUCOMP */
            set_status(u, both);
        pop(u, op == 3 || op == 5);
        return 0;
    case 7:
        if (op == 4)
            return *status_vbits(u);
        if (op == 2 || op == 3)
            *st(u, i) = top;
        pop(u, op != 1); /* FUCOMIP, FCOMIP, FFREEP */
        return both;
    default:
        arithmetic(u, esc, op, i);
        return 0;
    }
}

static GIMLE_LIGHT uint64_t x87(struct VexState *s, uint64_t word, uint64_t v, uint64_t cond)
{
    Unit u = { .s = s, .top = amd64_x87_top(s) };
    unsigned esc = word & 7, modrm = word >> 8 & 0xff, op = modrm >> 3 & 7;
    if (modrm < 0xc0)
        return mem_form(&u, esc, op, v);
    return reg_form(&u, esc, op, modrm & 7, cond);
}

static const IrCallee callee_x87 = { "mc_x87", (void *)x87, CALLEE_LIGHT, TY_I64, 3 };

/* ---- the rule ----------------------------------------------------------------------- */

IrRef x87_memory_input(Nat *t)
{
    IrBlock *b = t->b;
    IrRef v = IR_NONE;
    for (unsigned k = 0; k < t->mem.n; k++) {
        IrRef p = t->mem.v[k];
        if (p == IR_NONE)
            continue;
        IrRef w = type_of(b, p) == TY_I64 ? p : ir_unop(b, OP_ZEXT, TY_I64, p);
        v = vbits_or(b, v, w);
    }
    return vbits_full(b, TY_I64, v);
}

void x87_memory_output(Nat *t, IrRef v)
{
    IrBlock *b = t->b;
    Pieces p = t->shape;
    for (unsigned k = 0; k < p.n; k++) {
        IrType ty = type_of(b, t->shape.v[k]);
        p.v[k] = ty == TY_I64 ? v : ir_unop(b, OP_TRUNC, ty, v);
    }
    slow_store(t->s, t->m, &p);
}

/** FCMOVcc: its condition, as conditional_move() wants it. */
static IrRef condition_of(Nat *t)
{
    static const uint8_t conds[2][4] = { { CC_B, CC_E, CC_BE, CC_P },
                                         { CC_AE, CC_NE, CC_A, CC_NP } };
    IrBlock *b = t->b;
    const NativeInsn *n = t->n;
    RegId cc = gimle_guest->flags;
    IrCond cond = conds[n->bytes[n->off_opcode] & 1][n->bytes[n->off_modrm] >> 3 & 3];
    IrRef flags = ir_get(b, TY_FLAGS, cc), v = ir_get(b, TY_I64, REG_SHADOW_OF(cc));
    IrRef holds = ir_unop(b, OP_ZEXT, TY_I64, ir_cond(b, cond, flags));
    IrRef any = ir_unop(b, OP_ZEXT, TY_I64, vbits_cond(b, cond, v));
    return ir_binop(b, OP_OR, holds, ir_binop(b, OP_SHL, any, ir_const(b, TY_I8, 1)));
}

void native_rule_x87(Nat *t)
{
    IrBlock *b = t->b;
    const NativeInsn *n = t->n;
    uint8_t op = n->bytes[n->off_opcode];
    if (op < 0xd8 || op > 0xdf) {
        if (n->opcode_len > 1)
            native_rule_mmx(t);
        else /* FWAIT */
            native_rule_defined(t);
        return;
    }
    bool is_cmov = n->cc_read != 0;
    IrRef args[3] = { c64(b, op | (uint64_t)n->bytes[n->off_modrm] << 8), x87_memory_input(t),
                      is_cmov ? condition_of(t) : c64(b, 0) };
    IrRef v = ir_call(b, &callee_x87, IR_NONE, args, 3);
    slow_note_written(t->s, x87_register());
    if (t->writes_mem)
        x87_memory_output(t, v);
    for (unsigned k = 0; k < n->n_ops; k++)
        if (n->op[k].cls == RC_GPR && (n->op[k].access & NA_WRITE)) /* FNSTSW AX */
            native_out_int(t, &n->op[k], v);
    native_out_flags(t, n->cc_write ? ir_binop(b, OP_AND, v, c64(b, n->cc_write)) : IR_NONE);
}
