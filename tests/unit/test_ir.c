/* SPDX-License-Identifier: MIT */
/* Building, printing, parsing and verifying IR; the table of registers; thread states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "guest/amd64/guest_amd64.h"
#include "ir/ir_internal.h"
#include "ir_gen.h"
#include "gimle/native.h"

static void to_buf(void *ctx, const char *text)
{
    strbuf_adds(ctx, text);
}

static IrBlock *parse_ok(Arena *a, const char *text)
{
    const char *err = NULL;
    IrBlock *b = ir_parse(a, text, &err);
    if (!b)
        fail_msg("%s", err);
    return b;
}

/** Print, parse, print: the same text, and a block that is as good. */
static void round_trip(const IrBlock *b)
{
    StrBuf one = { 0 }, two = { 0 };
    ir_print(b, to_buf, &one);
    IrBlock *c = parse_ok(b->arena, strbuf_text(&one));
    ir_print(c, to_buf, &two);
    assert_string_equal(strbuf_text(&one), strbuf_text(&two));
    assert_null(ir_verify(c));
    strbuf_free(&one);
    strbuf_free(&two);
}

static void test_random_round_trip(void **state)
{
    (void)state;
    static uint8_t buf[IR_GEN_BUF] __attribute__((aligned(64)));
    Arena a = { 0 };
    for (unsigned k = 0; k < 500; k++) {
        IrRandom r = { k };
        IrGen g = { GEN_ALL, 8, TY_V512, 16, 1, buf };
        IrBlock *b = ir_gen_block(&g, &r, &a);
        const char *err = ir_verify(b);
        if (err)
            fail_msg("seed %u: %s", k, err);
        round_trip(b);
        arena_reset(&a);
    }
    arena_free(&a);
}

static void test_native_round_trip(void **state)
{
    (void)state;
    Arena a = { 0 };
    IrBlock *b = ir_block_new(&a, 0x1000, 2);
    IrRef base = ir_get(b, TY_I64, AMD64_RBX);
    NativeInsn *n = arena_new(&a, NativeInsn);
    *n = (NativeInsn){
        .bytes = { 0x48, 0x03, 0x43, 0xf8 }, .len = 4, .enc = NE_LEGACY, .off_prefix = 0,
        .prefix_len = 1, .off_opcode = 1, .opcode_len = 1, .off_modrm = 2, .n_ops = 2,
        .op = { { AMD64_RAX, NS_REG, NA_READ | NA_WRITE, RC_GPR, 0, 8, 8 },
                { REG_SHADOW_OF(AMD64_V3), NS_RM, NA_READ, RC_VEC, 0, 16, 64 } },
        .mem_access = NA_READ, .mem_size = 8, .disp8_scale = 1, .rule = NR_ADD, .rule_aux = 0x1234,
        .flags = NF_LOCK | NF_SP_CONST, .sp_adjust = -16, .cc_write = 0x8d5,
    };
    ir_native(b, n, (IrMem){ base, base, 3, -8 });
    ir_native(b, n, (IrMem){ IR_NONE, IR_NONE, 0, -8 });
    ir_native(b, n, (IrMem){ IR_NONE, base, 1, INT64_MIN });
    ir_jump(b, 0xffffffffffffffff, JK_BORING, 2);
    assert_null(ir_verify(b));
    round_trip(b);

    StrBuf text = { 0 };
    ir_print(b, to_buf, &text);
    IrBlock *c = parse_ok(&a, strbuf_text(&text));
    assert_int_equal(c->n_native, 3);
    assert_memory_equal(c->native[0], n, sizeof *n);
    assert_true(c->insn[1].disp == -8 && c->insn[2].disp == -8 && c->insn[3].disp == INT64_MIN);
    assert_int_equal(c->insn[1].scale, 3);
    strbuf_free(&text);
    arena_free(&a);
}

/** What the parser must refuse, with a word of the message. */
static void test_parse_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
    } bad[] = {
        { "", "block" },
        { "block 0 mode 0 guest 0 flags_live_out 0\n", "" },
        { "block 0 mode 0 guest 0 flags_live_out 0\n FOO\nend\n", "unknown op" },
        { "block 0 mode 0 guest 0 flags_live_out 0\n t1:I65 = GET rax\nend\n", "unknown type" },
        { "block 0 mode 0 guest 0 flags_live_out 0\n t1:I64 = GET foo\nend\n", "unknown register" },
        { "block 0 mode 0 guest 0 flags_live_out 0\n PUT rax, t4\nend\n", "not defined" },
        { "block 0 mode 0 guest 0 flags_live_out 0\n JUMP 0x10 FOO mode 0\nend\n", "unknown name" },
        { "block 0 mode 0 guest 0 flags_live_out 0\n t99999999:I64 = GET rax\nend\n", "too big" },
        { "block 0 mode 0 guest 0 flags_live_out 0\n NATIVE [] {foo=1 }\nend\n", "unknown field" },
        { "block 0 mode 0 guest 0 flags_live_out 0\n NATIVE [] {bytes=123 }\nend\n", "bytes" },
        { "block 0 mode 0 guest 0 flags_live_out 0\n IMARK 0x10, 2 x\nend\n", "end of line" },
    };
    Arena a = { 0 };
    for (unsigned k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        const char *err = NULL;
        assert_null(ir_parse(&a, bad[k].text, &err));
        assert_non_null(err);
        if (!strstr(err, bad[k].word))
            fail_msg("case %u: %s", k, err);
    }
    arena_free(&a);
}

static void test_verify_rejects(void **state)
{
    (void)state;
    /* The lines of a block that ends well by itself; a word of the complaint. */
    static const struct {
        const char *lines, *word;
    } bad[] = {
        { "t1:I64 = GET rax\n t2:I32 = ADD t1, t1\n", "is I64, not I32" },
        { "t1:I32 = CONST 1\n t2:I1 = COND.E t1\n", "not FLAGS" },
        { "t1:I32 = CONST 0x100000000\n", "too wide" },
        { "t1:I64 = GET cc\n t2:I1 = ADD t1, t1\n", "" },
        { "t1:V128 = GET rax\n", "does not go with" },
        { "t1:FLAGS = GET rax\n", "does not go with" },
        { "t1:I32 = CONST 1\n PUT rax, t1\n", "does not go with" },
        { "t1:I32 = CONST 1\n t2:I8 = CONST 0x20\n t3:I32 = SHL t1, t2\n", "below the width" },
        { "t1:I64 = GET rax\n t2:I32 = ZEXT t1\n", "cannot go" },
        { "t1:I64 = GET rax\n t2:I64 = TRUNC t1\n", "cannot go" },
        { "t1:I8 = GET rax\n t2:I8 = BSWAP t1\n", "I16, I32 or I64" },
        { "t1:V128 = GET v1\n t2:V128 = LSHLI.8 t1, 1\n", "no shifts" },
        { "t1:V128 = GET v1\n t2:V128 = LSHLI.16 t1, 16\n", "below the width" },
        { "t1:V128 = GET v1\n t2:V128 = LSARI.64 t1, 1\n", "no shifts" },
        { "t1:V128 = GET v1\n t2:I64 = VGET64 t1, 2\n", "no part" },
        { "t1:V128 = GET v1\n t2:I1 = CMPLTU t1, t1\n", "compares" },
        { "t1:V128 = GET v1\n t2:V512 = VJOIN t1, t1\n", "cannot make" },
        { "t1:I64 = GET rax\n t2:FLAGS = FLAGS.SUB.I64 t1, -, -\n", "missing" },
        { "t1:I64 = GET rax\n t2:FLAGS = FLAGS.LOGIC.I64 t1, t1, -\n", "superfluous" },
        { "t1:I64 = GET rax\n t2:FLAGS = FLAGS.SHL.I64 t1, t1, -\n", "not I8" },
        { "t1:I32 = GET rax\n t2:I64 = LOAD.GUEST [t1]\n", "not I64" },
        { "t1:I64 = GET rax\n t2:I64 = LOAD.STATE [t1]\n", "by displacement" },
        { "t1:I1 = LOAD.GUEST [0x10]\n", "result is I1" },
        { "t1:I1 = CONST 1\n STORE.GUEST [0x10], t1\n", "cannot store" },
        { "t1:I32 = CONST 1\n EXIT_IF t1, 0x10 BORING mode 0\n", "not I1" },
        { "IMARK 0x10, 1\n t1:I64 = GET rax\n PUT rbx, t1\n t2:I64 = LOAD.GUEST [t1]\n",
          "after the PUT" },
        { "IMARK 0x10, 1\n t1:I64 = GET rax\n PUT rbx, t1\n STORE.SHADOW [t1], t1\n",
          "after the PUT" },
        { "IMARK 0x10, 1\n t1:I64 = GET rax\n t2:I1 = CONST 1\n PUT rbx, t1\n"
          " EXIT_IF t2, 0x10 BORING mode 1\n", "after the PUT" },
        { "t1:I1 = CONST 1\n COLD_BEGIN t1\n t2:I64 = GET rax\n COLD_END\n PUT rax, t2\n",
          "cold region that has ended" },
        { "t1:I1 = CONST 1\n COLD_BEGIN t1\n COLD_BEGIN t1\n COLD_END\n", "do not nest" },
        { "t1:I1 = CONST 1\n COLD_BEGIN t1\n", "in a cold region" },
        { "COLD_END\n", "no cold region" },
        { "JUMP 0x10 BORING mode 0\n", "before its end" },
        { "t1:FLAGS = GET cc\n t2:I64 = CALL.PURE f@0x10(t1)\n", "argument 0" },
        { "NATIVE [] { }\n", "bad payload" },
    };
    Arena a = { 0 };
    for (unsigned k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        char *text = arena_printf(&a, "block 0x10 mode 0 guest 1 flags_live_out 1\n %s"
                                      " JUMP 0x20 BORING mode 0\nend\n", bad[k].lines);
        const char *msg = ir_verify(parse_ok(&a, text));
        if (!msg || !strstr(msg, bad[k].word))
            fail_msg("case %u: %s", k, msg ? msg : "accepted");
    }
    assert_non_null(ir_verify(ir_block_new(&a, 0, 0)));
    IrBlock *b = ir_block_new(&a, 0, 0);
    ir_put(b, AMD64_RAX, 7);
    assert_non_null(ir_verify(b));
    b->insn[0].op = 200;
    assert_non_null(ir_verify(b));
    arena_free(&a);
}

static void test_verify_accepts(void **state)
{
    (void)state;
    static const char *const good[] = {
        "IMARK 0x10, 1\n t1:I64 = GET rax\n PUT rbx, t1\n IMARK 0x11, 1\n"
        " t2:I64 = LOAD.GUEST [t1]\n",
        /* leaving for elsewhere after the instruction is done */
        "IMARK 0x10, 1\n t1:I64 = GET rax\n t2:I1 = CONST 1\n PUT rbx, t1\n"
        " EXIT_IF t2, 0x50 BORING mode 0\n",
        /* the shadow is the tool's own affair */
        "IMARK 0x10, 1\n t1:I64 = GET rax\n PUT rbx.sh, t1\n PUT tool3, t1\n"
        " t2:I64 = LOAD.GUEST [t1]\n",
        "t1:I32 = GET tool0\n PUT tool0, t1\n",
        "t1:I64 = GET rax\n PUT v3, t1\n t2:I32 = GET v3\n",
        "t1:I1 = CONST 1\n t2:I1 = XOR t1, t1\n t3:I1 = SELECT t2, t1, t1\n",
        "t1:FLAGS = GET cc\n t2:I1 = COND.LE t1\n t3:FLAGS = SELECT t2, t1, t1\n PUT cc, t3\n",
        "IMARK 0x10, 1\n t1:I64 = GET rax\n PUT rbx, t1\n t2:I64 = LOAD.STATE [0x8]\n"
        " t3:I64 = CALL.PURE f@0x10(t1)\n",
    };
    Arena a = { 0 };
    for (unsigned k = 0; k < sizeof good / sizeof good[0]; k++) {
        char *text = arena_printf(&a, "block 0x10 mode 0 guest 1 flags_live_out 1\n %s"
                                      " JUMP 0x20 BORING mode 0\nend\n", good[k]);
        const char *msg = ir_verify(parse_ok(&a, text));
        if (msg)
            fail_msg("case %u: %s", k, msg);
    }
    arena_free(&a);
}

static void test_growth_and_copier(void **state)
{
    (void)state;
    Arena a = { 0 };
    IrBlock *b = ir_block_new(&a, 0x10, 0);
    IrRef sum = ir_const(b, TY_I64, 0);
    static const IrCallee c = { "f", NULL, CALLEE_LIGHT, TY_I64, 5 };
    for (unsigned k = 0; k < 1000; k++) {
        IrRef args[5] = { sum, sum, sum, sum, sum };
        sum = ir_call(b, &c, IR_NONE, args, 5);
    }
    ir_jump_ind(b, sum, JK_RET, 0);
    assert_null(ir_verify(b));
    IrCopier copy = ir_copier(b, &a);
    for (IrRef r = 0; r < b->n; r++) {
        ir_const(copy.dst, TY_I8, r);
        ir_copy_insn(&copy, r);
    }
    assert_null(ir_verify(copy.dst));
    assert_int_equal(copy.dst->n, 2 * b->n);
    assert_int_equal(copy.dst->insn[copy.dst->n - 1].arg[0], 2 * sum + 1);
    arena_free(&a);
}

static void test_types_and_ops(void **state)
{
    (void)state;
    for (IrType t = TY_I8; t <= TY_V512; t++)
        assert_int_equal(ir_type_of_size(ir_type_size(t)), t);
    assert_int_equal(ir_type_of_size(3), TY_NONE);
    assert_int_equal(ir_type_of_size(0), TY_NONE);
    for (unsigned k = 0; k < JK_COUNT; k++)
        assert_non_null(ir_jump_kind_name[k]);
    for (unsigned k = 0; k < FK_COUNT; k++)
        assert_non_null(ir_flag_kind_name[k]);
    assert_int_equal(ir_op_nargs(OP_STORE), 3);
    assert_int_equal(ir_op_nargs(OP_SELECT), 3);
    assert_int_equal(ir_op_nargs(OP_CALL), 0);
    assert_int_equal(ir_op_nargs(OP_LSHLI), 1);
    assert_int_equal(ir_op_flags(OP_ADD), OPF_PURE | OPF_COMM);
}

static void test_registers(void **state)
{
    (void)state;
    char name[24];
    assert_string_equal(gimle_reg_name(AMD64_RSP, name), "rsp");
    assert_string_equal(gimle_reg_name(REG_SHADOW_OF(AMD64_V31), name), "v31.sh");
    assert_string_equal(gimle_reg_name(REG_TOOL(5), name), "tool5");
    assert_int_equal(gimle_reg_offset(AMD64_R15), offsetof(VexState, guest.gpr[15]));
    assert_int_equal(gimle_reg_offset(AMD64_V7), offsetof(VexState, guest.v[7]));
    assert_int_equal(gimle_reg_offset(REG_SHADOW_OF(AMD64_FPU)), offsetof(VexState, shadow.fpu));
    assert_int_equal(gimle_reg_offset(REG_TOOL(31)), offsetof(VexState, tool[31]));
    assert_int_equal(gimle_reg_size(AMD64_FPU), 512);
    assert_int_equal(gimle_guest->sp, AMD64_RSP);
}

static void test_state(void **state)
{
    (void)state;
    VexState *s = vex_state_new(1 << 16);
    assert_non_null(s);
    assert_int_equal((uintptr_t)s % 64, 0);
    memset((char *)s - 60000, 1, 60000); /* the stack below is there */
    assert_int_equal(s->guest.cc, 0x200);
    assert_int_equal(vex_rflags_get(&s->guest), 0x202);
    uint64_t all = 0x202 | 0x8d5 | 0x400 | 0x40000 | 0x200000;
    vex_rflags_set(&s->guest, all);
    assert_int_equal(vex_rflags_get(&s->guest), all);
    assert_int_equal(s->guest.df, -1);
    assert_int_equal(s->guest.cc, 0xd701);
    assert_null(vex_state_new((size_t)1 << 40));
    vex_state_free(s);
    vex_state_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_round_trip), cmocka_unit_test(test_native_round_trip),
        cmocka_unit_test(test_parse_errors),      cmocka_unit_test(test_verify_rejects),
        cmocka_unit_test(test_verify_accepts),    cmocka_unit_test(test_growth_and_copier),
        cmocka_unit_test(test_types_and_ops),     cmocka_unit_test(test_registers),
        cmocka_unit_test(test_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
