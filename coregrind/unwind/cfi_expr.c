/* SPDX-License-Identifier: MIT */
/* DWARF expressions as call frame rules use them (DWARF 5, section 2.5): a stack machine. */
#include "base/cursor.h"
#include "coregrind/unwind/cfi.h"

enum {
    OP_ADDR = 0x03, OP_DEREF = 0x06, OP_CONST1U = 0x08, OP_CONSTU = 0x10, OP_CONSTS = 0x11,
    OP_DUP = 0x12, OP_DROP, OP_OVER, OP_PICK, OP_SWAP, OP_ROT, OP_ABS = 0x19, OP_AND, OP_DIV,
    OP_MINUS, OP_MOD, OP_MUL, OP_NEG, OP_NOT, OP_OR, OP_PLUS, OP_PLUS_UCONST, OP_SHL, OP_SHR,
    OP_SHRA, OP_XOR, OP_BRA, OP_EQ, OP_GE, OP_GT, OP_LE, OP_LT, OP_NE, OP_SKIP, OP_LIT0,
    OP_LIT31 = 0x4f, OP_BREG0 = 0x70, OP_BREG31 = 0x8f, OP_BREGX = 0x92, OP_DEREF_SIZE = 0x94,
    OP_NOP = 0x96
};

enum { STACK_DEPTH = 32, MAX_STEPS = 1000 };

typedef struct ExprStack {
    uint64_t v[STACK_DEPTH];
    unsigned n;
    bool bad;
} ExprStack;

static void push(ExprStack *s, uint64_t v)
{
    if (s->n == STACK_DEPTH)
        s->bad = true;
    else
        s->v[s->n++] = v;
}

/* The element @p depth below the top. */
static uint64_t peek(ExprStack *s, uint64_t depth)
{
    if (depth >= s->n) {
        s->bad = true;
        return 0;
    }
    return s->v[s->n - 1 - depth];
}

static uint64_t pop(ExprStack *s)
{
    uint64_t v = peek(s, 0);
    s->n -= s->n > 0;
    return v;
}

static bool run_binary(ExprStack *s, unsigned op)
{
    if (op < OP_AND || op > OP_NE || op == OP_NEG || op == OP_NOT || op == OP_PLUS_UCONST ||
        op == OP_BRA)
        return false;
    uint64_t b = pop(s), a = pop(s), r;
    int64_t sa = (int64_t)a, sb = (int64_t)b;
    switch (op) {
    case OP_AND: r = a & b; break;
    case OP_OR: r = a | b; break;
    case OP_XOR: r = a ^ b; break;
    case OP_PLUS: r = a + b; break;
    case OP_MINUS: r = a - b; break;
    case OP_MUL: r = a * b; break;
    case OP_DIV: r = sb == 0 || sb == -1 ? 0 - a * (sb != 0) : (uint64_t)(sa / sb); break;
    case OP_MOD: r = b == 0 ? 0 : a % b; break;
    case OP_SHL: r = b < 64 ? a << b : 0; break;
    case OP_SHR: r = b < 64 ? a >> b : 0; break;
    case OP_SHRA: r = (uint64_t)(sa >> (b < 64 ? b : 63)); break;
    case OP_EQ: r = a == b; break;
    case OP_NE: r = a != b; break;
    case OP_GE: r = sa >= sb; break;
    case OP_GT: r = sa > sb; break;
    case OP_LE: r = sa <= sb; break;
    default: r = sa < sb; break;
    }
    push(s, r);
    return true;
}

/* Operations that only move values on the stack; false if @p op is none of them. */
static bool run_stack(ExprStack *s, Cursor *c, unsigned op)
{
    uint64_t a, b, d;
    switch (op) {
    case OP_DUP: push(s, peek(s, 0)); return true;
    case OP_DROP: pop(s); return true;
    case OP_OVER: push(s, peek(s, 1)); return true;
    case OP_PICK: push(s, peek(s, cursor_fixed(c, 1))); return true;
    case OP_SWAP:
        a = pop(s);
        b = pop(s);
        push(s, a);
        push(s, b);
        return true;
    case OP_ROT:
        a = pop(s);
        b = pop(s);
        d = pop(s);
        push(s, a);
        push(s, d);
        push(s, b);
        return true;
    default: return false;
    }
}

/* Operations that push a constant or a register; false if @p op is none of them. */
static bool run_push(ExprStack *s, Cursor *c, unsigned op, const ExprContext *x)
{
    if (op >= OP_LIT0 && op <= OP_LIT31) {
        push(s, op - OP_LIT0);
    } else if ((op >= OP_BREG0 && op <= OP_BREG31) || op == OP_BREGX) {
        uint64_t r = op == OP_BREGX ? cursor_uleb(c) : op - OP_BREG0;
        uint64_t offset = (uint64_t)cursor_sleb(c);
        if (r >= CFI_REGS)
            s->bad = true;
        else
            push(s, x->reg[r] + offset);
    } else if (op >= OP_CONST1U && op < OP_CONSTU) {
        unsigned size = 1u << ((op - OP_CONST1U) / 2);
        push(s, op & 1 ? (uint64_t)cursor_signed(c, size) : cursor_fixed(c, size));
    } else if (op == OP_CONSTU) {
        push(s, cursor_uleb(c));
    } else if (op == OP_CONSTS) {
        push(s, (uint64_t)cursor_sleb(c));
    } else {
        return false; /* DW_OP_addr too: it would have to be relocated */
    }
    return true;
}

static bool run_load(ExprStack *s, Cursor *c, unsigned op, const ExprContext *x)
{
    if (op != OP_DEREF && op != OP_DEREF_SIZE)
        return false;
    unsigned size = op == OP_DEREF ? 8 : (unsigned)cursor_fixed(c, 1);
    uint64_t v = 0;
    s->bad = s->bad || size == 0 || size > 8 || !x->load || !x->load(x->arg, pop(s), size, &v);
    push(s, v);
    return true;
}

static bool run_other(ExprStack *s, Cursor *c, unsigned op, const uint8_t *start)
{
    switch (op) {
    case OP_ABS:
        if ((int64_t)peek(s, 0) >= 0)
            return true;
        push(s, 0 - pop(s));
        return true;
    case OP_NEG: push(s, 0 - pop(s)); return true;
    case OP_NOT: push(s, ~pop(s)); return true;
    case OP_PLUS_UCONST: push(s, pop(s) + cursor_uleb(c)); return true;
    case OP_NOP: return true;
    case OP_BRA:
    case OP_SKIP: {
        int64_t delta = cursor_signed(c, 2);
        if (op == OP_BRA && pop(s) == 0)
            return true;
        if (delta < start - c->p || delta > c->end - c->p)
            return false;
        c->p += delta;
        return true;
    }
    default: return false;
    }
}

bool cfi_eval(const CfiExpr *e, const ExprContext *x, bool has_cfa, uint64_t cfa, uint64_t *out)
{
    ExprStack s = {.n = 0};
    Cursor c = cursor_at(e->p, e->n, 0);
    if (has_cfa)
        push(&s, cfa);
    for (unsigned steps = 0; !c.bad && !s.bad && c.p < c.end; steps++) {
        unsigned op = (unsigned)cursor_fixed(&c, 1);
        if (steps == MAX_STEPS || (!run_push(&s, &c, op, x) && !run_stack(&s, &c, op) &&
                                   !run_binary(&s, op) && !run_load(&s, &c, op, x) &&
                                   !run_other(&s, &c, op, e->p)))
            return false;
    }
    *out = peek(&s, 0);
    return !c.bad && !s.bad;
}
