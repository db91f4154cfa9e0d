/* SPDX-License-Identifier: MIT */
/*
 * Memcheck's definedness rules against what definedness means: a result bit is defined if and
 * only if no completion of the undefined input bits changes it.  Every rule must be sound (it
 * calls no bit defined that is not); those that vbits.def does not mark as conservative must
 * be exact.  Eight-bit operands: unary operations exhaustively, others on random inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "VEX/ir/eval.h"
#include "base/arena.h"
#include "memcheck/instrument/vbits.h"

enum { MAX_INSNS = 256, REG_X = 0, REG_Y = 1, REG_Z = 2, REG_VX = 3, REG_VY = 4, REG_VZ = 5 };

/** A rule under test: one operation on inputs x, y, z. */
typedef struct Case {
    IrInsn in;          /**< op, type, sub, aux, imm */
    IrType arg[3];      /**< types of the arguments, TY_NONE: absent */
    uint64_t live[3];   /**< bits of each input that may be undefined */
    uint64_t value[3];  /**< bits of each input that may be set */
    uint64_t result;    /**< bits of the result that count */
    bool exact;
    IrBlock *b;         /**< the rule's IR: V bits of the result from REG_* */
    IrRef out;
} Case;

static Arena arena;

static void build(Case *c)
{
    c->b = ir_block_new(&arena, 0, 0);
    IrRef v[3] = { IR_NONE, IR_NONE, IR_NONE };
    for (int k = 0; k < 3; k++) {
        c->in.arg[k] = IR_NONE;
        if (c->arg[k] == TY_NONE)
            continue;
        c->in.arg[k] = ir_get(c->b, c->arg[k], (RegId)(REG_X + k));
        v[k] = ir_get(c->b, vbits_type(c->arg[k]), (RegId)(REG_VX + k));
    }
    c->out = vbits_of(c->b, &c->in, v);
    assert_true(c->out != IR_NONE);
    assert_true(c->b->n < MAX_INSNS);
}

/** Evaluate the rule for inputs @p x with V bits @p v. */
static uint64_t rule_vbits(const Case *c, const uint64_t x[3], const uint64_t v[3])
{
    static IrValue val[MAX_INSNS];
    for (uint32_t i = 0; i < c->b->n; i++) {
        const IrInsn *in = &c->b->insn[i];
        memset(&val[i], 0, sizeof val[i]);
        if (in->op == OP_GET) {
            val[i].u64[0] = in->aux < REG_VX ? x[in->aux] : v[in->aux - REG_VX];
            continue;
        }
        const IrValue *a[3] = { NULL, NULL, NULL };
        for (unsigned k = 0; k < ir_op_nargs((IrOp)in->op); k++)
            if (in->arg[k] != IR_NONE)
                a[k] = &val[in->arg[k]];
        IrType from = in->arg[0] == IR_NONE ? TY_NONE : (IrType)c->b->insn[in->arg[0]].type;
        eval_pure(in, from, a[0], a[1], a[2], &val[i]);
    }
    return val[c->out].u64[0];
}

static uint64_t operation(const Case *c, const uint64_t x[3])
{
    IrValue a[3] = { 0 }, out;
    memset(a, 0, sizeof a);
    memset(&out, 0, sizeof out);
    for (int k = 0; k < 3; k++)
        a[k].u64[0] = x[k];
    eval_pure(&c->in, c->arg[0], &a[0], &a[1], &a[2], &out);
    return out.u64[0];
}

/** Bits of the result that some completion of the undefined bits changes. */
static uint64_t truly_undefined(const Case *c, const uint64_t x[3], const uint64_t v[3])
{
    uint64_t base[3], first = 0, changed = 0;
    bool have = false;
    for (int k = 0; k < 3; k++)
        base[k] = x[k] & ~v[k];
    uint64_t s[3] = { 0, 0, 0 };
    do {
        uint64_t y[3] = { base[0] | s[0], base[1] | s[1], base[2] | s[2] };
        uint64_t r = operation(c, y);
        if (!have)
            first = r;
        have = true;
        changed |= r ^ first;
        /* The next subset of the three masks, as one long counter. */
        for (int k = 0; k < 3; k++) {
            s[k] = (s[k] - v[k]) & v[k];
            if (s[k])
                break;
        }
    } while (s[0] | s[1] | s[2]);
    return changed;
}

static void check(const Case *c, const uint64_t x[3], const uint64_t v[3])
{
    if ((v[0] | v[1] | v[2]) == 0)
        return;
    uint64_t want = truly_undefined(c, x, v) & c->result, got = rule_vbits(c, x, v) & c->result;
    bool ok = c->exact ? got == want : (want & ~got) == 0;
    if (!ok)
        fail_msg("%s sub %u aux %u: x %llx/%llx y %llx/%llx z %llx/%llx: rule says %llx, truth is %llx",
                 ir_op_name((IrOp)c->in.op), c->in.sub, c->in.aux, (unsigned long long)x[0],
                 (unsigned long long)v[0], (unsigned long long)x[1], (unsigned long long)v[1],
                 (unsigned long long)x[2], (unsigned long long)v[2], (unsigned long long)got,
                 (unsigned long long)want);
}

static uint64_t random_bits(uint64_t mask)
{
    uint64_t r = (uint64_t)random() ^ (uint64_t)random() << 31;
    return r & mask;
}

static void run(Case *c)
{
    build(c);
    uint64_t x[3] = { 0 }, v[3] = { 0 };
    bool unary = c->arg[1] == TY_NONE && c->live[0] == 0xff;
    if (unary) {
        for (v[0] = 0; v[0] < 256; v[0]++)
            for (x[0] = 0; x[0] < 256; x[0]++)
                if ((x[0] & v[0]) == 0)
                    check(c, x, v);
        return;
    }
    for (int i = 0; i < 10000; i++) {
        int undefined = 0;
        for (int k = 0; k < 3; k++) {
            x[k] = random_bits(c->value[k]);
            v[k] = random_bits(c->live[k]) & random_bits(~0ULL);
            if (random() % 4 == 0)
                v[k] = 0;
            undefined += __builtin_popcountll(v[k]);
        }
        if (undefined <= 9)
            check(c, x, v);
    }
}

/* ---- cases --------------------------------------------------------------------------------- */

static Case of(IrOp op, IrType t, IrType a, IrType b2, bool exact)
{
    return (Case){ .in = { .op = (uint8_t)op, .type = (uint8_t)t }, .arg = { a, b2, TY_NONE },
                   .live = { 0xff, b2 == TY_NONE ? 0 : 0xff, 0 },
                   .value = { 0xff, b2 == TY_NONE ? 0 : 0xff, 0 }, .result = 0xff, .exact = exact };
}

static void test_bitwise(void **state)
{
    (void)state;
    static const uint8_t ops[] = { OP_AND, OP_OR, OP_XOR };
    for (unsigned i = 0; i < sizeof ops; i++) {
        Case c = of((IrOp)ops[i], TY_I8, TY_I8, TY_I8, true);
        run(&c);
    }
    Case n = of(OP_NOT, TY_I8, TY_I8, TY_NONE, true);
    run(&n);
}

static void test_arithmetic(void **state)
{
    (void)state;
    static const struct { uint8_t op; bool exact; } ops[] = {
        { OP_ADD, true }, { OP_SUB, true }, { OP_MUL, false }, { OP_MULHU, false },
        { OP_MULHS, false },
    };
    for (unsigned i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        Case c = of((IrOp)ops[i].op, TY_I8, TY_I8, TY_I8, ops[i].exact);
        run(&c);
    }
    Case n = of(OP_NEG, TY_I8, TY_I8, TY_NONE, true);
    run(&n);
}

static void test_shifts(void **state)
{
    (void)state;
    static const uint8_t ops[] = { OP_SHL, OP_SHR, OP_SAR, OP_ROL, OP_ROR };
    for (unsigned i = 0; i < sizeof ops; i++) {
        Case c = of((IrOp)ops[i], TY_I8, TY_I8, TY_I8, true);
        c.value[1] = 7;
        c.live[1] = 0;
        run(&c);
        c.live[1] = 7;
        c.exact = false;
        run(&c);
    }
}

static void test_counting(void **state)
{
    (void)state;
    static const uint8_t ops[] = { OP_CLZ, OP_CTZ, OP_POPCNT };
    for (unsigned i = 0; i < sizeof ops; i++) {
        /* Which bits of a count change is not told, only whether it is known. */
        Case c = of((IrOp)ops[i], TY_I8, TY_I8, TY_NONE, false);
        run(&c);
    }
    Case z = of(OP_CTZ, TY_I8, TY_I8, TY_NONE, false);
    build(&z);
    uint64_t x[3] = { 0x04 }, v[3] = { 0xf8 };
    assert_int_equal(rule_vbits(&z, x, v), 0);
    x[0] = 0x40, v[0] = 0x07;
    assert_int_not_equal(rule_vbits(&z, x, v), 0);
}

static void test_comparisons(void **state)
{
    (void)state;
    for (unsigned op = OP_CMPEQ; op <= OP_CMPLES; op++) {
        Case c = of((IrOp)op, TY_I1, TY_I8, TY_I8, true);
        c.result = 1;
        run(&c);
    }
}

static void test_widths(void **state)
{
    (void)state;
    Case z = of(OP_ZEXT, TY_I16, TY_I8, TY_NONE, true), s = of(OP_SEXT, TY_I16, TY_I8, TY_NONE, true);
    Case t = of(OP_TRUNC, TY_I8, TY_I16, TY_NONE, true), b = of(OP_BSWAP, TY_I16, TY_I16, TY_NONE, true);
    z.result = s.result = b.result = 0xffff;
    t.live[0] = t.value[0] = b.live[0] = b.value[0] = 0xffff;
    run(&z);
    run(&s);
    run(&t);
    run(&b);
}

static void test_select(void **state)
{
    (void)state;
    Case c = of(OP_SELECT, TY_I8, TY_I1, TY_I8, true);
    c.arg[2] = TY_I8;
    c.live[0] = c.value[0] = 1;
    c.live[2] = c.value[2] = 0xff;
    run(&c);
}

static void test_flags(void **state)
{
    (void)state;
    static const struct { uint8_t kind; IrType y, z; uint64_t exact; } kinds[] = {
        { FK_ADD, TY_I8, TY_NONE, RF_CF | RF_SF },
        { FK_SUB, TY_I8, TY_NONE, RF_CF | RF_ZF | RF_SF },
        { FK_LOGIC, TY_NONE, TY_NONE, RF_ZF | RF_SF | RF_CF | RF_OF },
        { FK_INC, TY_NONE, TY_FLAGS, RF_CF | RF_SF }, { FK_DEC, TY_NONE, TY_FLAGS, RF_CF | RF_SF },
        { FK_ADC, TY_I8, TY_I64, 0 }, { FK_SBB, TY_I8, TY_I64, 0 },
        { FK_SHL, TY_I8, TY_FLAGS, 0 }, { FK_SHR, TY_I8, TY_FLAGS, 0 },
        { FK_SAR, TY_I8, TY_FLAGS, 0 }, { FK_ROL, TY_I8, TY_FLAGS, 0 },
        { FK_ROR, TY_I8, TY_FLAGS, 0 }, { FK_MULS, TY_I8, TY_NONE, 0 },
    };
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        Case c = of(OP_FLAGS, TY_FLAGS, TY_I8, kinds[i].y, false);
        c.in.sub = kinds[i].kind;
        c.in.aux = TY_I8;
        c.arg[2] = kinds[i].z;
        if (kinds[i].kind >= FK_SHL && kinds[i].kind <= FK_ROR)
            c.value[1] = c.live[1] = 7;
        if (kinds[i].z == TY_FLAGS)
            c.value[2] = c.live[2] = RF_CODES;
        if (kinds[i].z == TY_I64)
            c.value[2] = c.live[2] = 1;
        c.result = RF_CODES;
        run(&c);
        c.exact = true;
        c.result = kinds[i].exact;
        if (c.result)
            run(&c);
    }
}

static void test_conditions(void **state)
{
    (void)state;
    for (unsigned cc = CC_O; cc <= CC_G; cc++) {
        Case c = of(OP_COND, TY_I1, TY_FLAGS, TY_NONE, false);
        c.in.sub = (uint8_t)cc;
        c.value[0] = c.live[0] = RF_CODES;
        c.result = 1;
        run(&c);
    }
}

static void test_lanes(void **state)
{
    (void)state;
    static const struct { uint8_t op; bool unary, exact; } ops[] = {
        { OP_LADD, false, false }, { OP_LSUB, false, false }, { OP_LCMPEQ, false, true },
        { OP_LCMPGTS, false, false }, { OP_LNEZ, true, true },
    };
    for (unsigned i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        Case c = of((IrOp)ops[i].op, TY_V128, TY_V128, ops[i].unary ? TY_NONE : TY_V128,
                    ops[i].exact);
        c.in.sub = LANE_8;
        run(&c);
        c.in.sub = LANE_16;
        c.value[0] = c.live[0] = 0xffff;
        if (!ops[i].unary)
            c.value[1] = c.live[1] = 0xffff;
        c.result = 0xffff;
        run(&c);
    }
}

static int tear_down(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_bitwise, tear_down),
        cmocka_unit_test_teardown(test_arithmetic, tear_down),
        cmocka_unit_test_teardown(test_shifts, tear_down),
        cmocka_unit_test_teardown(test_counting, tear_down),
        cmocka_unit_test_teardown(test_comparisons, tear_down),
        cmocka_unit_test_teardown(test_widths, tear_down),
        cmocka_unit_test_teardown(test_select, tear_down),
        cmocka_unit_test_teardown(test_flags, tear_down),
        cmocka_unit_test_teardown(test_conditions, tear_down),
        cmocka_unit_test_teardown(test_lanes, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
