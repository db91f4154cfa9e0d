/* SPDX-License-Identifier: MIT */
/*
 * The backward pass: for each value its last reader and whether it is better made there, for
 * each instruction the condition codes that live after it, and for values that end in a
 * register's home whether they can be made in it.
 */
#include "codegen.h"

enum { CC_ALL = 0x8d5 };

_Static_assert(OP_EXIT_IF < OP_COLD_BEGIN && OP_COLD_END == OP_COLD_BEGIN + 1, "analyse() compares");

typedef struct Analysis {
    Cg *g;
    IrRef barrier;      /**< nearest following instruction that loads must not be moved past */
    uint16_t cc;        /**< live condition codes */
    uint16_t hinted;    /**< host registers that a PUT below sets, unread until then */
    IrRef hint_val[16]; /**< the value of that PUT */
    bool in_cold;
} Analysis;

/** Bits that conditions 2k and 2k+1 look at. */
static const uint16_t cond_bits[8] = { 0x800, 0x1, 0x40, 0x41, 0x80, 0x4, 0x880, 0x8c0 };

static inline void use(Analysis *a, IrRef v, IrRef pos)
{
    if (v == IR_NONE)
        return;
    Val *x = &a->g->val[v];
    x->uses++;
    if (x->last < pos)
        x->last = pos;
}

static bool is_compare(unsigned op) { return op >= OP_CMPEQ && op <= OP_CMPLES; }

static void mark_fusable(Cg *g, IrRef v)
{
    unsigned op = g->insn[v].op;
    if (is_compare(op) || op == OP_COND)
        g->val[v].flags |= VF_FUSABLE;
}

/** The consumer can take @p v, if it is a LOAD, from memory. */
static bool mark_foldable(Cg *g, IrRef v)
{
    const IrInsn *i = &g->insn[v];
    if (i->op != OP_LOAD || !ir_is_int((IrType)i->type))
        return false;
    g->val[v].flags |= VF_FOLDABLE;
    return true;
}

static bool is_rmw_op(unsigned op)
{
    return op == OP_ADD || op == OP_SUB || op == OP_AND || op == OP_OR || op == OP_XOR;
}

/** The same word of the state, or of the tool's data. */
static bool same_word(const Cg *g, const IrInsn *a, const IrInsn *b)
{
    if (a->space != b->space || a->disp != b->disp)
        return false;
    if (a->space == SPACE_STATE)
        return true;
    IrRef base = a->arg[0];
    if (base == IR_NONE || base != b->arg[0] || !is_const(g, base) || a->arg[1] != IR_NONE ||
        b->arg[1] != IR_NONE)
        return false;
    uint64_t at = g->insn[base].imm + (uint64_t)a->disp;
    return a->space == SPACE_GUEST ? code_data_kind(g, at) >= 0 : code_is_near(g, at);
}

/** Homes in registers: only with constants, else the result is better made early. */
static bool rmw_home(const Cg *g, uint8_t rx, const IrInsn *op)
{
    int h = rx_home(g, rx);
    if (rx == AMD64_CC || h >= H_XMM0 || is_avx512_home(g, rx))
        return false;
    if (op->type != TY_I64 && !(op->type == TY_I32 && rx == RX_TOOL && h >= 0))
        return false;
    return h < 0 || is_const(g, op->arg[1]);
}

/** PUT r or STORE of (GET r or LOAD) op x: one instruction on the home or word can do it. */
static void mark_rmw(Analysis *a, const IrInsn *i, IrRef v)
{
    Cg *g = a->g;
    const IrInsn *op = &g->insn[v];
    if (!is_rmw_op(op->op) || !ir_is_int((IrType)op->type) || op->arg[0] == op->arg[1])
        return;
    const IrInsn *src = &g->insn[op->arg[0]];
    bool match = i->op == OP_PUT
        ? src->op == OP_GET && src->aux == i->aux && src->type == op->type &&
              rmw_home(g, rx_of(i->aux), op)
        : src->op == OP_LOAD && same_word(g, src, i);
    if (match)
        g->val[v].flags |= VF_RMW;
}

/** Operations that leave in EFLAGS whether their result is zero. */
static bool is_zero_testable(unsigned op) { return op == OP_AND || op == OP_OR; }

static inline void mark_consumed(Analysis *a, const IrInsn *i)
{
    Cg *g = a->g;
    switch (i->op) {
    case OP_SELECT:
        if (i->type == TY_FLAGS)
            g->val[i->arg[1]].cc_need = g->val[i->arg[2]].cc_need = CC_ALL;
        mark_fusable(g, i->arg[0]);
        break;
    case OP_EXIT_IF:
    case OP_COLD_BEGIN:
        mark_fusable(g, i->arg[0]);
        break;
    case OP_CALL:
        if (i->arg[1] != IR_NONE)
            mark_fusable(g, i->arg[1]);
        break;
    case OP_CMPEQ:
    case OP_CMPNE:
        if (is_zero_testable(g->insn[i->arg[0]].op) && is_const(g, i->arg[1]) &&
            g->insn[i->arg[1]].imm == 0 && ir_is_int(type_of(g, i->arg[0]))) {
            g->val[i->arg[0]].flags |= VF_FUSABLE;
            break;
        }
        /* fall through */
    case OP_CMPLTU: case OP_CMPLEU: case OP_CMPLTS: case OP_CMPLES:
    case OP_AND: case OP_OR: case OP_XOR: case OP_ADD: case OP_SUB: case OP_MUL:
        if (mark_foldable(g, i->arg[1]))
            break;
        if (is_compare(i->op) || (ir_op_info[i->op].flags & OPF_COMM))
            mark_foldable(g, i->arg[0]);
        break;
    case OP_ZEXT:
    case OP_SEXT:
        mark_foldable(g, i->arg[0]);
        break;
    case OP_COND:
        g->val[i->arg[0]].cc_need |= cond_bits[i->sub >> 1];
        break;
    case OP_FLAGS:
        if (i->arg[2] != IR_NONE && type_of(g, i->arg[2]) == TY_FLAGS)
            g->val[i->arg[2]].cc_need |=
                i->sub == FK_INC || i->sub == FK_DEC ? 1 : (uint16_t)CC_ALL;
        break;
    case OP_FLAGS_BITS:
        g->val[i->arg[0]].cc_need = CC_ALL;
        break;
    case OP_PUT:
        if (type_of(g, i->arg[0]) == TY_FLAGS)
            g->val[i->arg[0]].cc_need = CC_ALL;
        mark_rmw(a, i, i->arg[0]);
        break;
    case OP_STORE:
        mark_rmw(a, i, i->arg[2]);
        break;
    }
}

/** Shall the value of @p i be made by its consumers? */
static inline bool choose_lazy(Analysis *a, IrRef i)
{
    Cg *g = a->g;
    Val *x = &g->val[i];
    const IrInsn *insn = &g->insn[i];
    if (insn->op == OP_FLAGS)
        return true;
    if (x->uses != 1)
        return false;
    if (insn->op == OP_LOAD) {
        if (!(x->flags & VF_FOLDABLE))
            return false;
        unsigned at = g->insn[a->barrier].op;
        return x->last < a->barrier ||
               (x->last == a->barrier &&
                (at == OP_EXIT_IF || at == OP_COLD_BEGIN || (x->flags & VF_RMW)));
    }
    if ((x->flags & VF_RMW) && is_rmw_op(insn->op)) {
        /* Nothing may change the word between the read and the write: arguments are adjacent. */
        const IrInsn *src = &g->insn[insn->arg[0]];
        bool ok = src->op == OP_GET || (src->op == OP_LOAD && x->last <= a->barrier);
        if (ok && src->op == OP_LOAD)
            g->val[insn->arg[0]].flags |= VF_RMW;
        if (!ok)
            x->flags &= (uint8_t)~VF_RMW;
        return ok;
    }
    return (x->flags & VF_FUSABLE) != 0;
}

/** Live condition codes before @p i. */
static void cc_before(Analysis *a, const IrInsn *i)
{
    Cg *g = a->g;
    switch (i->op) {
    case OP_PUT:
        if (i->aux == AMD64_CC && !a->in_cold)
            a->cc = 0;
        break;
    case OP_EXIT_IF:
    case OP_JUMP:
    case OP_JUMP_IND:
        if (i->aux == 1 || (i->op != OP_EXIT_IF && g->b->flags_live_out))
            a->cc = CC_ALL;
        break;
    }
}

static void hint(Analysis *a, IrRef v, int h)
{
    a->g->val[v].hint = (int8_t)h;
    a->hint_val[h] = v;
    a->hinted |= (uint16_t)(1u << h);
}

/** A register was proposed for the value @p ref: is it free until then? */
static __attribute__((noinline)) void settle_hint(Analysis *a, const IrInsn *i, IrRef ref)
{
    Cg *g = a->g;
    Val *x = &g->val[ref];
    unsigned bit = 1u << x->hint;
    if (!(a->hinted & bit) || a->hint_val[x->hint] != ref || (x->flags & VF_LAZY)) {
        x->hint = H_NONE;
        return;
    }
    a->hinted &= (uint16_t)~bit;
    bool two_address = (i->op >= OP_AND && i->op <= OP_MUL) || i->op == OP_NEG ||
                       (i->op >= OP_SHL && i->op <= OP_ROR) || i->op == OP_BSWAP ||
                       i->op == OP_TRUNC || i->op == OP_ZEXT;
    IrRef src = i->arg[0];
    if (two_address && g->val[src].last <= ref && g->insn[src].op != OP_GET &&
        g->insn[src].op != OP_CONST)
        hint(a, src, x->hint);
}

/** What @p i, which is not pure and has OPF_* @p flags, means for hints to what is before it. */
static void hints_before(Analysis *a, const IrInsn *i, unsigned flags)
{
    Cg *g = a->g;
    if (i->op == OP_PUT) {
        int h = i->aux < AMD64_REG_COUNT ? rx_home(g, (uint8_t)i->aux) : H_NONE;
        IrRef v = i->arg[0];
        if (h >= 0 && h < H_XMM0) {
            a->hinted &= (uint16_t)~(1u << h);
            if (g->insn[v].op != OP_CONST && g->insn[v].op != OP_GET && type_of(g, v) == TY_I64)
                hint(a, v, h);
        }
    } else if (i->op == OP_JUMP_IND) {
        hint(a, i->arg[0], H_R11);
    } else if (flags & OPF_FAULT || i->op == OP_COLD_BEGIN || i->op == OP_COLD_END) {
        a->hinted = 0;
    }
}

/** All arguments of @p i are used at @p pos. */
static inline void use_arguments(Analysis *a, const IrInsn *i, unsigned nargs, IrRef pos)
{
    if (__builtin_expect(i->op == OP_CALL, 0)) {
        for (unsigned k = 0; k < i->sub; k++)
            use(a, a->g->b->extra[i->arg[0] + k], pos);
        use(a, i->arg[1], pos);
        return;
    }
    if (nargs > 0)
        use(a, i->arg[0], pos);
    if (nargs > 1)
        use(a, i->arg[1], pos);
    if (nargs > 2)
        use(a, i->arg[2], pos);
}

/** The used value @p i dies with its last reader. */
static inline void note_death(Cg *g, Val *x, IrRef i)
{
    Val *reader = &g->val[x->last];
    x->dies_next = reader->dies;
    reader->dies = i;
}

/** GET, of which there are many: what analyse_insn() does, as far as it applies. */
static inline void analyse_get(Analysis *a, const IrInsn *insn, Val *x, IrRef i)
{
    Cg *g = a->g;
    if (!x->uses) {
        x->hint = H_NONE;
        x->flags |= VF_SKIP;
        return;
    }
    note_death(g, x, i);
    if (x->hint != H_NONE)
        settle_hint(a, insn, i);
    if (insn->aux == AMD64_CC)
        a->cc |= insn->type == TY_FLAGS && x->cc_need ? x->cc_need : CC_ALL;
    int h = insn->aux < AMD64_REG_COUNT ? rx_home(g, (uint8_t)insn->aux) : H_NONE;
    if (h >= 0 && h < H_XMM0)
        a->hinted &= (uint16_t)~(1u << h);
}

/** NATIVE likewise. */
static inline void analyse_native(Analysis *a, const IrInsn *insn, IrRef i)
{
    const NativeInsn *n = a->g->b->native[insn->aux];
    use(a, insn->arg[0], i);
    use(a, insn->arg[1], i);
    if (!a->in_cold && !(n->flags & NF_FLAGS_MAYBE))
        a->cc &= (uint16_t)~n->cc_write;
    a->cc |= n->cc_read;
    a->hinted = 0;
    a->barrier = i;
}

static inline __attribute__((always_inline)) void analyse_insn(Analysis *a, const IrInsn *insn, Val *x,
                                                              IrRef i)
{
    Cg *g = a->g;
    const IrOpInfo *info = &ir_op_info[insn->op];
    IrRef pos = i;
    if (x->uses) {
        if (choose_lazy(a, i)) {
            x->flags |= VF_LAZY | VF_SKIP;
            pos = x->last;
        }
        note_death(g, x, i);
    } else if (is_droppable(insn)) {
        x->hint = H_NONE;
        x->flags |= VF_SKIP;
        return;
    }
    mark_consumed(a, insn);
    use_arguments(a, insn, info->nargs, pos);
    if (x->hint != H_NONE)
        settle_hint(a, insn, i);
    if (info->flags & OPF_PURE)
        return;
    cc_before(a, insn);
    hints_before(a, insn, info->flags);
    if (info->flags & OPF_EFFECT) /* loads must not be moved past this */
        a->barrier = i;
}

void analyse(Cg *g)
{
    Analysis a = { .g = g, .barrier = g->n - 1 };
    const IrInsn *insn = &g->insn[g->n];
    Val *x = &g->val[g->n];
    for (IrRef i = g->n; i-- > 0;) {
        insn--;
        x--;
        x->cc_live = a.cc;
        if (insn->op == OP_IMARK) {
            a.barrier = i;
            continue;
        }
        if (insn->op == OP_CONST) {
            x->flags |= VF_SKIP;
            if (x->uses)
                note_death(g, x, i);
            continue;
        }
        if (insn->op == OP_GET) {
            analyse_get(&a, insn, x, i);
            continue;
        }
        if (insn->op == OP_NATIVE) {
            analyse_native(&a, insn, i);
            continue;
        }
        if (insn->op >= OP_EXIT_IF && insn->op <= OP_COLD_END) {
            if (insn->op == OP_EXIT_IF && insn->aux == 1)
                x->cc_live = CC_ALL;
            else if (insn->op >= OP_COLD_BEGIN)
                a.in_cold = insn->op == OP_COLD_END;
        }
        analyse_insn(&a, insn, x, i);
    }
}
