/* SPDX-License-Identifier: MIT */
/*
 * The evaluator against the processor: every integer op and every kind of condition codes, at all
 * widths, over random and edge operands, by inline assembly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <immintrin.h>
#include <string.h>

#include "ir/eval.h"
#include "ir/ir_internal.h"
#include "ir_gen.h"

enum { ROUNDS = 20000 };

/** Run an instruction on *a with operand b and flags *f: both are updated. */
typedef void (*CpuFn)(uint64_t *a, uint64_t b, uint64_t *f);

/* Skip the red zone, set the flags, run, fetch the flags. */
#define CPU(name, type, insn, constraint)                                                  \
    static void cpu_##name##_##type(uint64_t *a, uint64_t b, uint64_t *f)                   \
    {                                                                                      \
        type x = (type)*a, y = (type)b;                                                    \
        uint64_t fl = *f | 0x202;                                                          \
        __asm__ volatile("lea -128(%%rsp), %%rsp; push %1; popf; " insn                     \
                         "; pushf; pop %1; lea 128(%%rsp), %%rsp"                          \
                         : "+&r"(x), "+&r"(fl)                                             \
                         : constraint(y)                                                   \
                         : "cc", "memory");                                                \
        *a = x;                                                                            \
        *f = fl & RF_CODES;                                                                \
    }
#define CPU4(name, insn, constraint)                                                       \
    CPU(name, uint8_t, insn, constraint)                                                   \
    CPU(name, uint16_t, insn, constraint)                                                  \
    CPU(name, uint32_t, insn, constraint)                                                  \
    CPU(name, uint64_t, insn, constraint)
#define CPU3(name, insn)                                                                   \
    CPU(name, uint16_t, insn, "r")                                                         \
    CPU(name, uint32_t, insn, "r")                                                         \
    CPU(name, uint64_t, insn, "r")
#define ROW4(name)                                                                         \
    { cpu_##name##_uint8_t, cpu_##name##_uint16_t, cpu_##name##_uint32_t, cpu_##name##_uint64_t }
#define ROW3(name) { NULL, cpu_##name##_uint16_t, cpu_##name##_uint32_t, cpu_##name##_uint64_t }

CPU4(add, "add %2, %0", "r")
CPU4(adc, "adc %2, %0", "r")
CPU4(sub, "sub %2, %0", "r")
CPU4(sbb, "sbb %2, %0", "r")
CPU4(and, "and %2, %0", "r")
CPU4(or, "or %2, %0", "r")
CPU4(xor, "xor %2, %0", "r")
CPU4(test, "test %0, %0", "r")
CPU4(inc, "inc %0", "r")
CPU4(dec, "dec %0", "r")
CPU4(neg, "neg %0", "r")
CPU4(not, "not %0", "r")
CPU4(shl, "shl %%cl, %0", "c")
CPU4(shr, "shr %%cl, %0", "c")
CPU4(sar, "sar %%cl, %0", "c")
CPU4(rol, "rol %%cl, %0", "c")
CPU4(ror, "ror %%cl, %0", "c")
CPU3(imul, "imul %2, %0")
CPU3(popcnt, "popcnt %0, %0")
CPU3(lzcnt, "lzcnt %0, %0")
CPU3(tzcnt, "tzcnt %0, %0")

static const IrType int_types[4] = { TY_I8, TY_I16, TY_I32, TY_I64 };

/* ---- values ------------------------------------------------------------------------------ */

static const struct {
    IrOp op;
    CpuFn fn[4];
} values[] = {
    { OP_ADD, ROW4(add) }, { OP_SUB, ROW4(sub) }, { OP_AND, ROW4(and) }, { OP_OR, ROW4(or) },
    { OP_XOR, ROW4(xor) }, { OP_NEG, ROW4(neg) }, { OP_NOT, ROW4(not) }, { OP_SHL, ROW4(shl) },
    { OP_SHR, ROW4(shr) }, { OP_SAR, ROW4(sar) }, { OP_ROL, ROW4(rol) }, { OP_ROR, ROW4(ror) },
    { OP_MUL, ROW3(imul) }, { OP_POPCNT, ROW3(popcnt) }, { OP_CLZ, ROW3(lzcnt) },
    { OP_CTZ, ROW3(tzcnt) },
};

static void one_value(IrOp op, IrType t, CpuFn fn, IrRandom *r)
{
    IrShape shape = (IrShape)ir_op_info[op].shape;
    uint64_t a = ir_random_value(r) & ir_mask(t);
    uint64_t b = ir_random_value(r) & ir_mask(shape == SHAPE_SHIFT ? TY_I8 : t), f = 0, want = a;
    if (shape == SHAPE_SHIFT)
        b &= ir_bits(t) - 1;
    fn(&want, b, &f);
    uint64_t got = shape == SHAPE_UN ? eval_unop(op, t, a) : eval_binop(op, t, a, b);
    if (got != want)
        fail_msg("%s.%s %#lx, %#lx: %#lx, processor %#lx", ir_op_name(op), ir_type_name(t), a, b,
                 got, want);
}

static void test_values(void **state)
{
    (void)state;
    IrRandom r = { 1 };
    for (unsigned k = 0; k < sizeof values / sizeof values[0]; k++) {
        for (unsigned w = 0; w < 4; w++) {
            for (unsigned n = 0; n < ROUNDS && values[k].fn[w]; n++)
                one_value(values[k].op, int_types[w], values[k].fn[w], &r);
        }
    }
}

/** What has no instruction at every width, from its definition. */
static void test_other_values(void **state)
{
    (void)state;
    IrRandom r = { 2 };
    for (unsigned n = 0; n < 4 * ROUNDS; n++) {
        IrType t = int_types[n % 4];
        uint64_t a = ir_random_value(&r) & ir_mask(t), b = ir_random_value(&r) & ir_mask(t);
        int64_t sa = ir_sext(t, a), sb = ir_sext(t, b);
        assert_int_equal(eval_binop(OP_CMPEQ, t, a, b), a == b);
        assert_int_equal(eval_binop(OP_CMPNE, t, a, b), a != b);
        assert_int_equal(eval_binop(OP_CMPLTU, t, a, b), a < b);
        assert_int_equal(eval_binop(OP_CMPLEU, t, a, b), a <= b);
        assert_int_equal(eval_binop(OP_CMPLTS, t, a, b), sa < sb);
        assert_int_equal(eval_binop(OP_CMPLES, t, a, b), sa <= sb);
        if (t == TY_I64) {
            uint64_t lo = a, hi;
            __asm__("mul %2" : "+a"(lo), "=&d"(hi) : "r"(b) : "cc");
            assert_int_equal(eval_binop(OP_MULHU, t, a, b), hi);
            lo = a;
            __asm__("imul %2" : "+a"(lo), "=&d"(hi) : "r"(b) : "cc");
            assert_int_equal(eval_binop(OP_MULHS, t, a, b), hi);
            assert_int_equal(eval_unop(OP_BSWAP, t, a), __builtin_bswap64(a));
        } else {
            assert_int_equal(eval_binop(OP_MULHU, t, a, b), a * b >> ir_bits(t));
            assert_int_equal(eval_binop(OP_MULHS, t, a, b),
                             (uint64_t)(sa * sb >> ir_bits(t)) & ir_mask(t));
        }
    }
    assert_int_equal(eval_unop(OP_BSWAP, TY_I16, 0x1234), 0x3412);
    assert_int_equal(eval_unop(OP_BSWAP, TY_I32, 0x12345678), 0x78563412);
    assert_int_equal(eval_unop(OP_CLZ, TY_I8, 0), 8);
    assert_int_equal(eval_unop(OP_CTZ, TY_I8, 0), 8);
    assert_int_equal(eval_unop(OP_CLZ, TY_I8, 1), 7);
    assert_int_equal(eval_convert(OP_SEXT, TY_I16, TY_I1, 1), 0xffff);
    assert_int_equal(eval_convert(OP_SEXT, TY_I32, TY_I8, 0x80), 0xffffff80);
    assert_int_equal(eval_convert(OP_ZEXT, TY_I64, TY_I32, 0x80000000), 0x80000000);
    assert_int_equal(eval_convert(OP_TRUNC, TY_I1, TY_I32, 2), 0);
}

/* ---- condition codes --------------------------------------------------------------------- */

/** Operation of each kind; c_is_flags: the old codes go in (else bit 0 of c as CF). */
static const struct {
    CpuFn fn[4];
    uint16_t undefined;      /**< by the manuals, whatever the count */
    uint16_t undefined_many; /**< if the count is not 1 */
} kinds[FK_COUNT] = {
    [FK_ADD] = { ROW4(add), 0, 0 },
    [FK_ADC] = { ROW4(adc), 0, 0 },
    [FK_SUB] = { ROW4(sub), 0, 0 },
    [FK_SBB] = { ROW4(sbb), 0, 0 },
    [FK_LOGIC] = { ROW4(test), RF_AF, 0 },
    [FK_INC] = { ROW4(inc), 0, 0 },
    [FK_DEC] = { ROW4(dec), 0, 0 },
    [FK_SHL] = { ROW4(shl), RF_AF, RF_OF },
    [FK_SHR] = { ROW4(shr), RF_AF, RF_OF },
    [FK_SAR] = { ROW4(sar), RF_AF, 0 },
    [FK_ROL] = { ROW4(rol), 0, RF_OF },
    [FK_ROR] = { ROW4(ror), 0, RF_OF },
    [FK_MULS] = { ROW3(imul), RF_SF | RF_ZF | RF_AF | RF_PF, 0 },
};

static void one_flags(IrFlagKind k, IrType t, CpuFn fn, IrRandom *r)
{
    uint64_t a = ir_random_value(r) & ir_mask(t), b = ir_random_value(r) & ir_mask(t);
    uint64_t c = ir_random(r) & RF_CODES, undefined = kinds[k].undefined, x = a, f = c;
    if (k >= FK_SHL && k <= FK_ROR) {
        b = ir_random_below(r, 3) ? b & (t == TY_I64 ? 63 : 31) : 1;
        if (b != 1)
            undefined |= kinds[k].undefined_many;
        if (b >= ir_bits(t) && (k == FK_SHL || k == FK_SHR))
            undefined |= RF_CF;
        if (b == 0)
            undefined = 0;
    }
    fn(&x, b, &f);
    uint64_t got = eval_flags(k, t, a, b, c);
    if ((got ^ f) & ~undefined)
        fail_msg("%s.%s %#lx, %#lx, %#lx: %#lx, processor %#lx", ir_flag_kind_name[k],
                 ir_type_name(t), a, b, c, got, f);
}

static void test_flags(void **state)
{
    (void)state;
    IrRandom r = { 3 };
    for (unsigned k = 0; k < FK_COUNT; k++) {
        for (unsigned w = 0; w < 4; w++) {
            for (unsigned n = 0; n < ROUNDS && kinds[k].fn[w]; n++)
                one_flags((IrFlagKind)k, int_types[w], kinds[k].fn[w], &r);
        }
    }
}

#define SETCC(cc)                                                                          \
    static bool set_##cc(uint64_t f)                                                       \
    {                                                                                      \
        uint8_t r;                                                                         \
        __asm__ volatile("lea -128(%%rsp), %%rsp; push %1; popf; "                     \
                         "lea 128(%%rsp), %%rsp; set" #cc " %0"                            \
                         : "=r"(r) : "r"(f | 0x202) : "cc", "memory");                     \
        return r;                                                                          \
    }
SETCC(o) SETCC(no) SETCC(b) SETCC(ae) SETCC(e) SETCC(ne) SETCC(be) SETCC(a)
SETCC(s) SETCC(ns) SETCC(p) SETCC(np) SETCC(l) SETCC(ge) SETCC(le) SETCC(g)

static void test_conditions(void **state)
{
    (void)state;
    static bool (*const set[16])(uint64_t) = {
        set_o, set_no, set_b, set_ae, set_e, set_ne, set_be, set_a,
        set_s, set_ns, set_p, set_np, set_l, set_ge, set_le, set_g,
    };
    for (uint64_t f = 0; f <= RF_CODES; f++) {
        if (f & ~(uint64_t)RF_CODES)
            continue;
        for (unsigned cc = 0; cc < 16; cc++)
            assert_int_equal(eval_cond((IrCond)cc, f), set[cc](f));
        assert_int_equal(eval_flags_of_cc(eval_cc_of_flags(f)), f);
    }
}

/* ---- vectors ----------------------------------------------------------------------------- */

typedef __m128i (*Vec2Fn)(__m128i a, __m128i b);
#define VEC2(name, expr)                                                                   \
    static __m128i v_##name(__m128i a, __m128i b)                                          \
    {                                                                                      \
        (void)b;                                                                           \
        return (expr);                                                                     \
    }
VEC2(add8, _mm_add_epi8(a, b))
VEC2(add16, _mm_add_epi16(a, b))
VEC2(add32, _mm_add_epi32(a, b))
VEC2(add64, _mm_add_epi64(a, b))
VEC2(sub8, _mm_sub_epi8(a, b))
VEC2(sub16, _mm_sub_epi16(a, b))
VEC2(sub32, _mm_sub_epi32(a, b))
VEC2(sub64, _mm_sub_epi64(a, b))
VEC2(eq8, _mm_cmpeq_epi8(a, b))
VEC2(eq16, _mm_cmpeq_epi16(a, b))
VEC2(eq32, _mm_cmpeq_epi32(a, b))
VEC2(gt8, _mm_cmpgt_epi8(a, b))
VEC2(gt16, _mm_cmpgt_epi16(a, b))
VEC2(gt32, _mm_cmpgt_epi32(a, b))
VEC2(shl16, _mm_slli_epi16(a, 5))
VEC2(shl32, _mm_slli_epi32(a, 5))
VEC2(shl64, _mm_slli_epi64(a, 5))
VEC2(shr16, _mm_srli_epi16(a, 5))
VEC2(shr32, _mm_srli_epi32(a, 5))
VEC2(shr64, _mm_srli_epi64(a, 5))
VEC2(sar16, _mm_srai_epi16(a, 5))
VEC2(sar32, _mm_srai_epi32(a, 5))
VEC2(and, _mm_and_si128(a, b))
VEC2(or, _mm_or_si128(a, b))
VEC2(xor, _mm_xor_si128(a, b))
VEC2(nez32, _mm_xor_si128(_mm_cmpeq_epi32(a, _mm_setzero_si128()), _mm_set1_epi8(-1)))

static const struct {
    IrOp op;
    IrLane lane;
    Vec2Fn fn;
} vectors[] = {
    { OP_LADD, LANE_8, v_add8 },     { OP_LADD, LANE_16, v_add16 }, { OP_LADD, LANE_32, v_add32 },
    { OP_LADD, LANE_64, v_add64 },   { OP_LSUB, LANE_8, v_sub8 },   { OP_LSUB, LANE_16, v_sub16 },
    { OP_LSUB, LANE_32, v_sub32 },   { OP_LSUB, LANE_64, v_sub64 }, { OP_LCMPEQ, LANE_8, v_eq8 },
    { OP_LCMPEQ, LANE_16, v_eq16 },  { OP_LCMPEQ, LANE_32, v_eq32 }, { OP_LCMPGTS, LANE_8, v_gt8 },
    { OP_LCMPGTS, LANE_16, v_gt16 }, { OP_LCMPGTS, LANE_32, v_gt32 },
    { OP_LSHLI, LANE_16, v_shl16 },
    { OP_LSHLI, LANE_32, v_shl32 },  { OP_LSHLI, LANE_64, v_shl64 }, { OP_LSHRI, LANE_16, v_shr16 },
    { OP_LSHRI, LANE_32, v_shr32 },  { OP_LSHRI, LANE_64, v_shr64 }, { OP_LSARI, LANE_16, v_sar16 },
    { OP_LSARI, LANE_32, v_sar32 },  { OP_AND, 0, v_and }, { OP_OR, 0, v_or }, { OP_XOR, 0, v_xor },
    { OP_LNEZ, LANE_32, v_nez32 },
};

static void random_vector(IrValue *v, IrRandom *r)
{
    for (unsigned k = 0; k < 8; k++)
        v->u64[k] = ir_random_value(r);
}

static void test_vectors(void **state)
{
    (void)state;
    IrRandom r = { 4 };
    for (unsigned n = 0; n < 200000; n++) {
        unsigned k = n % (sizeof vectors / sizeof vectors[0]);
        IrValue a, b, got;
        random_vector(&a, &r);
        random_vector(&b, &r);
        if (ir_random_below(&r, 2))
            memcpy(&b, &a, 1 + ir_random_below(&r, 16));
        IrInsn i = { .op = (uint8_t)vectors[k].op, .type = TY_V128, .sub = (uint8_t)vectors[k].lane,
                     .imm = 5 };
        eval_pure(&i, TY_V128, &a, &b, NULL, &got);
        __m128i x, y;
        memcpy(&x, &a, 16);
        memcpy(&y, &b, 16);
        __m128i want = vectors[k].fn(x, y);
        if (memcmp(&got, &want, 16) != 0)
            fail_msg("%s.%u", ir_op_name(vectors[k].op), 8u << vectors[k].lane);
    }
}

static void test_vector_parts(void **state)
{
    (void)state;
    IrRandom r = { 5 };
    IrValue a, b, out, half;
    random_vector(&a, &r);
    random_vector(&b, &r);
    IrInsn i = { .op = OP_VGET64, .type = TY_I64, .imm = 5 };
    eval_pure(&i, TY_V512, &a, NULL, NULL, &out);
    assert_int_equal(out.u64[0], a.u64[5]);
    i = (IrInsn){ .op = OP_VHALF, .type = TY_V256, .imm = 1 };
    eval_pure(&i, TY_V512, &a, NULL, NULL, &half);
    assert_memory_equal(&half, &a.u64[4], 32);
    i = (IrInsn){ .op = OP_VJOIN, .type = TY_V512 };
    eval_pure(&i, TY_V256, &half, &b, NULL, &out);
    assert_memory_equal(&out, &half, 32);
    assert_memory_equal(&out.u64[4], &b, 32);
    i = (IrInsn){ .op = OP_VMAKE64, .type = TY_V128 };
    eval_pure(&i, TY_I64, &a, &b, NULL, &out);
    assert_true(out.u64[0] == a.u64[0] && out.u64[1] == b.u64[0]);
    i = (IrInsn){ .op = OP_VZEXT, .type = TY_V256 };
    eval_pure(&i, TY_I32, &a, NULL, NULL, &out);
    assert_true(out.u64[0] == (uint32_t)a.u64[0] && out.u64[1] == 0 && out.u64[3] == 0);
    i = (IrInsn){ .op = OP_CMPEQ, .type = TY_I1 };
    out = a;
    out.u64[7] ^= 1;
    IrValue eq;
    eval_pure(&i, TY_V512, &a, &out, NULL, &eq);
    assert_int_equal(eq.u64[0], 0);
    eval_pure(&i, TY_V256, &a, &out, NULL, &eq);
    assert_int_equal(eq.u64[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),     cmocka_unit_test(test_other_values),
        cmocka_unit_test(test_flags),      cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_vectors),    cmocka_unit_test(test_vector_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
