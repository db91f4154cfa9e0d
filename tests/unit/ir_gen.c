/* SPDX-License-Identifier: MIT */
/*
 * The generator keeps lists of the refs that exist, by type, and adds random instructions over
 * them, guest instruction by guest instruction: first what can fault or leave, PUTs at the end.
 */
#include "ir_gen.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "ir/eval.h"
#include "ir/ir_internal.h"

uint64_t ir_random(IrRandom *r)
{
    uint64_t z = (r->s += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

unsigned ir_random_below(IrRandom *r, unsigned n)
{
    return (unsigned)(ir_random(r) >> 33) % n;
}

uint64_t ir_random_value(IrRandom *r)
{
    static const uint64_t edge[] = {
        0, 1, 2, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
        0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
        0xfffffffffffffffe, 0xffffffffffffffff, 0xffffffff80000000, 0xffffffffffffff80,
    };
    switch (ir_random_below(r, 4)) {
    case 0:
        return edge[ir_random_below(r, sizeof edge / sizeof edge[0])];
    case 1:
        return ir_random(r) >> ir_random_below(r, 64);
    default:
        return ir_random(r);
    }
}

/* ---- helpers that generated blocks call -------------------------------------------------- */

static GIMLE_LIGHT uint64_t mix(VexState *s, uint64_t a, uint64_t b, uint64_t c)
{
    (void)s;
    return (a * 31 + b) * 31 + c;
}

static GIMLE_LIGHT uint64_t nothing(VexState *s)
{
    return s ? 0x1234567890abcdef : 0;
}

static GIMLE_LIGHT uint64_t count(VexState *s, uint64_t a, uint64_t b)
{
    s->tool[30] += a ^ b;
    return s->tool[30];
}

static GIMLE_LIGHT uint64_t count_five(VexState *s, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                                       uint64_t e)
{
    s->tool[31] += a + 2 * b + 3 * c + 5 * d + 7 * e;
    return 0;
}

static uint64_t change_all(VexState *s, uint64_t a)
{
    for (unsigned k = 0; k < 16; k++)
        s->guest.gpr[k] += a + k;
    s->guest.cc = eval_cc_of_flags(a);
    for (unsigned k = 0; k < 32; k++)
        s->guest.v[k][k] ^= (uint8_t)a;
    return s->guest.gpr[3] + s->guest.pc;
}

static const IrCallee callees[] = {
    { "gen_mix", (void *)mix, CALLEE_PURE, TY_I64, 3 },
    { "gen_mix16", (void *)mix, CALLEE_PURE, TY_I16, 3 },
    { "gen_nothing", (void *)nothing, CALLEE_PURE, TY_I32, 0 },
    { "gen_count", (void *)count, CALLEE_LIGHT, TY_I64, 2 },
    { "gen_count_five", (void *)count_five, CALLEE_LIGHT, TY_NONE, 5 },
    { "gen_change_all", (void *)change_all, CALLEE_FULL, TY_I64, 1 },
};

/* ---- the generator ----------------------------------------------------------------------- */

enum { POOL = 48 };

typedef struct Gen {
    const IrGen *g;
    IrRandom *r;
    IrBlock *b;
    struct {
        IrRef ref[POOL];
        unsigned n;
    } pool[TY_COUNT];
    GuestAddr pc;
} Gen;

static unsigned below(Gen *x, unsigned n)
{
    return ir_random_below(x->r, n);
}

static bool may(const Gen *x, unsigned what)
{
    return x->g->what & what;
}

static IrRef keep(Gen *x, IrRef r)
{
    IrType t = (IrType)x->b->insn[r].type;
    unsigned n = x->pool[t].n;
    if (n < POOL)
        x->pool[t].ref[x->pool[t].n++] = r;
    else
        x->pool[t].ref[below(x, POOL)] = r;
    return r;
}

static IrType int_type(Gen *x)
{
    static const IrType likely[] = { TY_I8, TY_I16, TY_I32, TY_I32, TY_I64, TY_I64 };
    return likely[below(x, 6)];
}

static IrType vec_type(Gen *x)
{
    return TY_V128 + below(x, x->g->max_vec - TY_V128 + 1);
}

static RegId random_gpr(Gen *x)
{
    RegId r = (RegId)below(x, (unsigned)x->g->max_reg);
    if (may(x, GEN_SHADOW_REGS) && below(x, 8) == 0)
        return below(x, 2) ? REG_SHADOW_OF(r) : REG_TOOL(below(x, REG_TOOL_WORDS / 2));
    return r;
}

static RegId random_vec_reg(Gen *x)
{
    RegId first = 0;
    while (gimle_guest->regs[first].cls != RC_VEC)
        first++;
    RegId r = (RegId)(first + below(x, 16));
    return may(x, GEN_SHADOW_REGS) && below(x, 8) == 0 ? REG_SHADOW_OF(r) : r;
}

/** Something of type @p t that needs no other ref. */
static IrRef fresh(Gen *x, IrType t)
{
    IrBlock *b = x->b;
    if (t == TY_FLAGS) {
        if (below(x, 2))
            return keep(x, ir_get(b, TY_FLAGS, gimle_guest->flags));
        IrRef bits = keep(x, ir_const(b, TY_I64, ir_random_value(x->r)));
        return keep(x, ir_unop(b, OP_BITS_FLAGS, TY_FLAGS, bits));
    }
    if (t == TY_I64 && may(x, GEN_FLAGS) && below(x, 16) == 0)
        return keep(x, ir_get(b, TY_I64, gimle_guest->flags));
    if (t != TY_I1 && below(x, 3))
        return keep(x, ir_get(b, t, ir_is_vec(t) ? random_vec_reg(x) : random_gpr(x)));
    return keep(x, ir_const(b, t, ir_random_value(x->r)));
}

/** Some ref of type @p t. */
static IrRef any(Gen *x, IrType t)
{
    unsigned n = x->pool[t].n;
    if (n == 0 || below(x, 8) == 0)
        return fresh(x, t);
    return x->pool[t].ref[below(x, n)];
}

/** A count below the width of @p t. */
static IrRef shift_count(Gen *x, IrType t)
{
    unsigned w = ir_bits(t);
    if (below(x, 2))
        return ir_const(x->b, TY_I8, below(x, 3) ? below(x, w) : below(x, 2));
    return ir_binop(x->b, OP_AND, any(x, TY_I8), ir_const(x->b, TY_I8, w - 1));
}

static void gen_int(Gen *x)
{
    static const IrOp bin[] = { OP_AND, OP_OR, OP_XOR, OP_ADD, OP_SUB, OP_MUL, OP_MULHU, OP_MULHS };
    static const IrOp shift[] = { OP_SHL, OP_SHR, OP_SAR, OP_ROL, OP_ROR };
    static const IrOp un[] = { OP_NOT, OP_NEG, OP_CLZ, OP_CTZ, OP_POPCNT, OP_BSWAP };
    static const IrOp cmp[] = { OP_CMPEQ, OP_CMPNE, OP_CMPLTU, OP_CMPLEU, OP_CMPLTS, OP_CMPLES };
    IrType t = int_type(x);
    IrBlock *b = x->b;
    switch (below(x, 8)) {
    case 0:
        keep(x, ir_binop(b, shift[below(x, 5)], any(x, t), shift_count(x, t)));
        break;
    case 1:
        keep(x, ir_unop(b, un[below(x, t == TY_I8 ? 5 : 6)], t, any(x, t)));
        break;
    case 2:
        keep(x, ir_cmp(b, cmp[below(x, 6)], any(x, t), any(x, t)));
        break;
    case 3:
        keep(x, ir_select(b, any(x, TY_I1), any(x, t), any(x, t)));
        break;
    case 4: {
        IrType from = TY_I1 + below(x, t - TY_I1);
        keep(x, ir_unop(b, below(x, 2) ? OP_ZEXT : OP_SEXT, t, any(x, from)));
        break;
    }
    case 5:
        if (t > TY_I8 || below(x, 2))
            keep(x, ir_unop(b, OP_TRUNC, TY_I1 + below(x, t - TY_I1), any(x, t)));
        else
            keep(x, below(x, 2) ? ir_binop(b, bin[below(x, 3)], any(x, TY_I1), any(x, TY_I1))
                                : ir_unop(b, OP_NOT, TY_I1, any(x, TY_I1)));
        break;
    default:
        keep(x, ir_binop(b, bin[below(x, 8)], any(x, t), any(x, t)));
        break;
    }
}

/* ---- condition codes --------------------------------------------------------------------- */

/** The codes that the manuals leave undefined after @p f. */
static uint64_t undefined_codes(const IrBlock *b, const IrInsn *f)
{
    bool once = f->arg[1] != IR_NONE && b->insn[f->arg[1]].op == OP_CONST &&
                b->insn[f->arg[1]].imm == 1;
    switch (f->sub) {
    case FK_LOGIC:
        return RF_AF;
    case FK_SHL:
    case FK_SHR:
    case FK_SAR:
        return RF_AF | (once ? 0 : RF_OF);
    case FK_ROL:
    case FK_ROR:
        return once ? 0 : RF_OF;
    case FK_MULS:
        return RF_SF | RF_ZF | RF_AF | RF_PF;
    default:
        return 0;
    }
}

static uint64_t codes_read(IrCond cc)
{
    static const uint16_t read[8] = { RF_OF, RF_CF, RF_ZF, RF_CF | RF_ZF, RF_SF, RF_PF,
                                      RF_SF | RF_OF, RF_SF | RF_OF | RF_ZF };
    return read[cc >> 1];
}

static IrRef make_flags(Gen *x)
{
    IrType t = int_type(x);
    IrBlock *b = x->b;
    IrFlagKind k = (IrFlagKind)below(x, FK_COUNT);
    IrRef a = any(x, t);
    switch (k) {
    case FK_ADC:
    case FK_SBB:
        return ir_flags(b, k, t, a, any(x, t), any(x, TY_I64));
    case FK_LOGIC:
        return ir_flags(b, k, t, a, IR_NONE, IR_NONE);
    case FK_INC:
    case FK_DEC:
        return ir_flags(b, k, t, a, IR_NONE, any(x, TY_FLAGS));
    case FK_SHL:
    case FK_SHR:
    case FK_SAR:
    case FK_ROL:
    case FK_ROR:
        return ir_flags(b, k, t, a, shift_count(x, t), any(x, TY_FLAGS));
    default:
        return ir_flags(b, k, t, a, any(x, t), IR_NONE);
    }
}

static void gen_flags(Gen *x)
{
    IrBlock *b = x->b;
    if (below(x, 3) == 0) {
        IrRef f = make_flags(x);
        uint64_t undefined = may(x, GEN_DEFINED_FLAGS) ? undefined_codes(b, &b->insn[f]) : 0;
        for (unsigned k = below(x, 3); k > 0; k--) {
            IrCond cc = (IrCond)below(x, 16);
            if (!(codes_read(cc) & undefined))
                keep(x, ir_cond(b, cc, f));
        }
        if (undefined) {
            IrRef bits = ir_unop(b, OP_FLAGS_BITS, TY_I64, f);
            bits = ir_binop(b, OP_AND, bits, ir_const(b, TY_I64, ~undefined));
            f = ir_unop(b, OP_BITS_FLAGS, TY_FLAGS, bits);
        }
        keep(x, f);
        return;
    }
    switch (below(x, 8)) {
    case 0:
        keep(x, ir_unop(b, OP_FLAGS_BITS, TY_I64, any(x, TY_FLAGS)));
        break;
    case 1:
        keep(x, ir_select(b, any(x, TY_I1), any(x, TY_FLAGS), any(x, TY_FLAGS)));
        break;
    default:
        keep(x, ir_cond(b, (IrCond)below(x, 16), any(x, TY_FLAGS)));
        break;
    }
}

/* ---- vectors ----------------------------------------------------------------------------- */

static IrRef with_imm(IrBlock *b, IrRef r, uint64_t imm)
{
    b->insn[r].imm = imm;
    return r;
}

static void gen_vec(Gen *x)
{
    static const IrOp whole[] = { OP_AND, OP_OR, OP_XOR };
    static const IrOp lanes[] = { OP_LADD, OP_LSUB, OP_LCMPEQ, OP_LCMPGTS };
    static const IrOp shift[] = { OP_LSHLI, OP_LSHRI, OP_LSARI };
    IrBlock *b = x->b;
    IrType t = vec_type(x);
    IrLane lane = (IrLane)below(x, 4);
    switch (below(x, 13)) {
    case 0:
        keep(x, ir_binop(b, whole[below(x, 3)], any(x, t), any(x, t)));
        break;
    case 1:
        keep(x, ir_unop(b, OP_NOT, t, any(x, t)));
        break;
    case 2:
        keep(x, ir_lane_op(b, OP_LNEZ, lane, any(x, t), IR_NONE));
        break;
    case 3: {
        unsigned k = below(x, 3);
        lane = (IrLane)(LANE_16 + below(x, k == 2 ? 2 : 3));
        IrRef r = ir_lane_op(b, shift[k], lane, any(x, t), IR_NONE);
        keep(x, with_imm(b, r, below(x, 8u << lane)));
        break;
    }
    case 4:
        keep(x, with_imm(b, ir_unop(b, OP_VGET64, TY_I64, any(x, t)),
                         below(x, ir_type_size(t) / 8)));
        break;
    case 5:
        keep(x, ir_emit(b, &(IrInsn){ .op = OP_VMAKE64, .type = TY_V128,
                                      .arg = { any(x, TY_I64), any(x, TY_I64), IR_NONE } }));
        break;
    case 6:
        if (t > TY_V128)
            keep(x, with_imm(b, ir_unop(b, OP_VHALF, t - 1, any(x, t)), below(x, 2)));
        break;
    case 7:
        if (t > TY_V128)
            keep(x, ir_emit(b, &(IrInsn){ .op = OP_VJOIN, .type = (uint8_t)t,
                                          .arg = { any(x, t - 1), any(x, t - 1), IR_NONE } }));
        break;
    case 8: {
        IrType from = below(x, 2) ? TY_I32 + below(x, 2) : TY_V128;
        if (from < t)
            keep(x, ir_unop(b, OP_VZEXT, t, any(x, from)));
        break;
    }
    case 9:
        keep(x, ir_cmp(b, below(x, 2) ? OP_CMPEQ : OP_CMPNE, any(x, t), any(x, t)));
        break;
    case 10:
        keep(x, ir_select(b, any(x, TY_I1), any(x, t), any(x, t)));
        break;
    default:
        keep(x, ir_lane_op(b, lanes[below(x, 4)], lane, any(x, t), any(x, t)));
        break;
    }
}

/* ---- memory, calls, control -------------------------------------------------------------- */

/** An address such that at least 64 bytes from it are in buf. */
static IrMem gen_address(Gen *x)
{
    IrBlock *b = x->b;
    IrMem m = { IR_NONE, IR_NONE, 0, 0 };
    IrRef off = ir_binop(b, OP_AND, any(x, TY_I64), ir_const(b, TY_I64, IR_GEN_BUF / 4 - 1));
    m.base = ir_binop(b, OP_ADD, off, ir_const(b, TY_I64, (uintptr_t)x->g->buf));
    m.disp = below(x, IR_GEN_BUF / 2);
    if (below(x, 2)) {
        m.index = ir_binop(b, OP_AND, any(x, TY_I64), ir_const(b, TY_I64, 0x7f));
        m.scale = (uint8_t)below(x, 4);
    }
    return m;
}

static IrType memory_type(Gen *x)
{
    return may(x, GEN_VEC) && below(x, 4) == 0 ? vec_type(x) : int_type(x);
}

static void gen_mem(Gen *x)
{
    IrSpace space = SPACE_GUEST;
    if (may(x, GEN_SHADOW) && below(x, 3) == 0)
        space = SPACE_SHADOW;
    else if (may(x, GEN_STATE) && below(x, 4) == 0)
        space = SPACE_STATE;
    else if (!may(x, GEN_MEM))
        return;
    IrType t = memory_type(x);
    IrRef v = any(x, t);
    IrMem m = { IR_NONE, IR_NONE, 0, 0 };
    if (space == SPACE_STATE)
        m.disp = (int64_t)(offsetof(VexState, tool) + 8 * (REG_TOOL_WORDS / 2) + 8 * below(x, 4));
    else
        m = gen_address(x);
    if (below(x, 2))
        keep(x, ir_load(x->b, space, t, m));
    else
        ir_store(x->b, space, m, v);
}

static void gen_call(Gen *x)
{
    unsigned n = sizeof callees / sizeof callees[0];
    const IrCallee *c = &callees[below(x, n)];
    IrRef args[5];
    if (c->kind == CALLEE_FULL && !may(x, GEN_FULL))
        return;
    for (unsigned k = 0; k < c->nargs; k++)
        args[k] = any(x, below(x, 6) ? int_type(x) : TY_I1);
    /* Without the call the value would be undefined. */
    IrRef guard = c->ret == TY_NONE && below(x, 2) ? any(x, TY_I1) : IR_NONE;
    IrRef r = ir_call(x->b, c, guard, args, c->nargs);
    if (c->ret != TY_NONE)
        keep(x, r);
}

static void gen_value(Gen *x)
{
    unsigned k = below(x, 8);
    if (k == 0 && may(x, GEN_FLAGS))
        gen_flags(x);
    else if (k <= 2 && may(x, GEN_VEC))
        gen_vec(x);
    else
        gen_int(x);
}

static void gen_put(Gen *x)
{
    unsigned k = below(x, 8);
    if (k == 0 && may(x, GEN_FLAGS)) {
        ir_put(x->b, gimle_guest->flags, any(x, TY_FLAGS));
    } else if (k <= 2 && may(x, GEN_VEC)) {
        IrType t = below(x, 6) ? vec_type(x) : TY_I32 + below(x, 2);
        ir_put(x->b, random_vec_reg(x), any(x, t));
    } else {
        RegId r = random_gpr(x);
        ir_put(x->b, r, any(x, TY_I64));
    }
}

static void gen_cold(Gen *x, bool puts)
{
    Gen before = *x;
    ir_cold_begin(x->b, any(x, TY_I1));
    for (unsigned k = 1 + below(x, 5); k > 0; k--) {
        if (puts)
            gen_put(x);
        else if (below(x, 3) == 0)
            gen_mem(x);
        else if (may(x, GEN_CALLS) && below(x, 3) == 0)
            gen_call(x);
        else
            gen_value(x);
    }
    ir_cold_end(x->b);
    /* What the region defined must not be used after it. */
    memcpy(x->pool, before.pool, sizeof x->pool);
}

static void gen_guest_insn(Gen *x)
{
    IrBlock *b = x->b;
    unsigned len = 1 + below(x, 15);
    ir_emit(b, &(IrInsn){ .op = OP_IMARK, .imm = x->pc, .aux = (uint16_t)len,
                          .arg = { IR_NONE, IR_NONE, IR_NONE } });
    for (unsigned k = below(x, 10); k > 0; k--) {
        unsigned kind = below(x, 24);
        if (kind < 5)
            gen_mem(x);
        else if (kind == 5 && may(x, GEN_CALLS))
            gen_call(x);
        else if (kind == 6 && may(x, GEN_EXITS))
            ir_exit_if(b, any(x, TY_I1), below(x, 3) ? x->pc + 0x1000 : x->pc, JK_BORING,
                       x->g->mode);
        else if (kind == 7 && may(x, GEN_COLD))
            gen_cold(x, false);
        else
            gen_value(x);
    }
    for (unsigned k = below(x, 4); k > 0; k--)
        gen_put(x);
    if (may(x, GEN_COLD) && below(x, 12) == 0)
        gen_cold(x, true);
    x->pc += len;
    b->n_guest++;
}

/** An address outside the block: tests tell the exits apart by it. */
static IrRef elsewhere(Gen *x)
{
    return ir_binop(x->b, OP_OR, any(x, TY_I64), ir_const(x->b, TY_I64, 1ull << 62));
}

IrBlock *ir_gen_block(const IrGen *g, IrRandom *r, struct Arena *arena)
{
    GuestAddr pc = 0x400000 + ir_random_below(r, 0x100000);
    Gen x = { .g = g, .r = r, .pc = pc, .b = ir_block_new(arena, pc, g->mode) };
    x.b->flags_live_out = ir_random_below(r, 2);
    while (x.b->n_guest < g->n_guest)
        gen_guest_insn(&x);
    if (ir_random_below(r, 2))
        ir_jump(x.b, x.pc + 0x1000, JK_BORING, g->mode);
    else
        ir_jump_ind(x.b, elsewhere(&x), JK_BORING + ir_random_below(r, 3), g->mode);
    return x.b;
}

/* ---- states ------------------------------------------------------------------------------ */

static void random_file(GuestAmd64 *f, IrRandom *r)
{
    for (unsigned k = 0; k < 16; k++)
        f->gpr[k] = ir_random_value(r);
    for (unsigned k = 0; k < 32; k++) {
        for (unsigned j = 0; j < 64; j += 8) {
            uint64_t v = ir_random_value(r);
            memcpy(&f->v[k][j], &v, 8);
        }
    }
}

void ir_gen_state(VexState *s, IrRandom *r)
{
    random_file(&s->guest, r);
    random_file(&s->shadow, r);
    for (unsigned k = 0; k < REG_TOOL_WORDS; k++)
        s->tool[k] = ir_random_value(r);
    s->guest.cc = eval_cc_of_flags(ir_random(r));
    s->guest.df = ir_random_below(r, 2) ? 1 : (uint64_t)-1;
}

static const char *compare_files(const VexState *a, const VexState *b, RegId bank, bool ignore_cc)
{
    static char text[96];
    char name[24];
    for (unsigned k = 0; k < gimle_guest->n_regs; k++) {
        RegId r = (RegId)(k | bank);
        unsigned off = gimle_reg_offset(r), size = gimle_reg_size(r);
        if (ignore_cc && r == gimle_guest->flags)
            continue;
        if (memcmp((const char *)a + off, (const char *)b + off, size) == 0)
            continue;
        uint64_t x, y;
        memcpy(&x, (const char *)a + off, 8);
        memcpy(&y, (const char *)b + off, 8);
        snprintf(text, sizeof text, "%s: %#llx and %#llx", gimle_reg_name(r, name),
                 (unsigned long long)x, (unsigned long long)y);
        return text;
    }
    return NULL;
}

const char *ir_gen_compare(const VexState *a, const VexState *b, bool ignore_cc)
{
    const char *diff = compare_files(a, b, 0, ignore_cc);
    if (!diff)
        diff = compare_files(a, b, REG_SHADOW, false);
    if (diff)
        return diff;
    if (memcmp(a->tool, b->tool, sizeof a->tool) != 0)
        return "tool registers";
    if (a->exit_kind != b->exit_kind || a->exit_mode != b->exit_mode)
        return "exit kind or mode";
    return NULL;
}
