/* SPDX-License-Identifier: MIT */
/* The interpreter: registers, memory, calls, control; what it leaves in the state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/arena.h"
#include "guest/amd64/guest_amd64.h"
#include "interp/interp.h"
#include "ir_gen.h"
#include "vex.h"
#include "vex_stub.h"

static Arena arena;
static VexState *s;

static int setup(void **state)
{
    (void)state;
    s = vex_state_new(1 << 16);
    return s ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    vex_state_free(s);
    arena_free(&arena);
    return 0;
}

/** Interpret the lines given, followed by a jump to 0x2000. */
static void run(const char *lines)
{
    const char *err = NULL;
    char *text = arena_printf(&arena, "block 0x1000 mode 1 guest 1 flags_live_out 1\n%s\n"
                                      "JUMP 0x2000 BORING mode 1\nend\n", lines);
    IrBlock *b = ir_parse(&arena, text, &err);
    if (!b)
        fail_msg("%s", err);
    err = ir_verify(b);
    if (err)
        fail_msg("%s", err);
    interp_run(s, b);
}

static void test_registers(void **state)
{
    (void)state;
    s->guest.gpr[0] = 0x1122334455667788;
    memset(s->guest.v[1], 0xab, 64);
    run("t1:I32 = GET rax\n t2:I64 = SEXT t1\n PUT rbx, t2\n PUT rcx.sh, t2\n PUT tool7, t1\n"
        "t3:I64 = GET rax\n PUT v1, t3\n t4:V128 = GET v1\n PUT v2, t4\n"
        "t5:FLAGS = FLAGS.SUB.I32 t1, t1, -\n PUT cc, t5\n t6:FLAGS = GET cc\n"
        "t7:I64 = FLAGS_BITS t6\n PUT rdx, t7");
    assert_int_equal(s->guest.gpr[3], 0x55667788);
    assert_int_equal(s->shadow.gpr[1], 0x55667788);
    assert_int_equal(s->tool[7], 0x55667788);
    assert_int_equal(s->guest.v[1][0], 0x88);
    assert_int_equal(s->guest.v[1][8], 0xab);
    assert_memory_equal(s->guest.v[2], s->guest.v[1], 16);
    assert_int_equal(s->guest.v[2][16], 0);
    assert_int_equal(s->guest.gpr[2], 0x44);
    assert_int_equal(s->guest.cc, 0x4600);
    assert_int_equal(s->guest.pc, 0x2000);
    assert_int_equal(s->exit_reason, VEX_EXIT_INDIRECT);
    assert_int_equal(s->exit_mode, 1);
    assert_int_equal(s->cur_mode, 1);
}

static void test_memory(void **state)
{
    (void)state;
    static uint64_t mem[2][32];
    vex_stub_config.shadow_offset = (uintptr_t)mem[1] - (uintptr_t)mem[0];
    for (unsigned k = 0; k < 64; k++)
        mem[k / 32][k % 32] = k * 0x0101010101010101;
    s->guest.gpr[0] = (uintptr_t)mem[0];
    s->guest.gpr[1] = 2;
    run("t1:I64 = GET rax\n t2:I64 = GET rcx\n"
        "t3:I16 = LOAD.GUEST [t1 + t2<<3 + 0x8]\n t4:I64 = ZEXT t3\n"
        "t5:V512 = LOAD.GUEST [t1 + 0x80]\n"
        "t6:I64 = LOAD.SHADOW [t1 + t2<<2 - 0x8]\n"
        "STORE.SHADOW [t1 + 0x8], t4\n STORE.GUEST [t1], t5\n"
        "PUT rbx, t4\n PUT rdx, t6");
    assert_int_equal(s->guest.gpr[3], 0x0303);
    assert_int_equal(s->guest.gpr[2], 0x2020202020202020);
    assert_int_equal(mem[1][1], 0x0303);
    assert_memory_equal(mem[0], &mem[0][16], 64);
    uint64_t expect = s->tool[3] = 77;
    run(arena_printf(&arena, "t1:I64 = LOAD.STATE [0x%zx]\n STORE.STATE [0x%zx], t1",
                     offsetof(VexState, tool[3]), offsetof(VexState, tool[4])));
    assert_int_equal(s->tool[4], expect);
}

static uint64_t helper(VexState *st, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    st->tool[0] = st->guest.pc;
    return a | b << 4 | c << 8 | d << 12 | e << 16 | 1ull << 40;
}

static void test_calls(void **state)
{
    (void)state;
    run(arena_printf(&arena, "IMARK 0x1010, 3\n t1:I8 = CONST 0x1\n t2:I64 = CONST 0x2\n"
        "t3:I1 = CONST 1\n"
        "t4:I32 = CALL.FULL helper@%p(t1, t2, t1, t2, t3)\n t5:I64 = ZEXT t4\n PUT rax, t5\n",
        (void *)helper));
    assert_int_equal(s->guest.gpr[0], 0x12121);
    assert_int_equal(s->tool[0], 0x1010);
    s->tool[0] = 5;
    run(arena_printf(&arena, "t1:I64 = CONST 0x1\n t3:I1 = CONST 0\n"
        "CALL.LIGHT helper@%p(t1, t1, t1, t1, t1) if t3\n", (void *)helper));
    assert_int_equal(s->tool[0], 5);
}

static void test_control(void **state)
{
    (void)state;
    const char *cold = "t1:I64 = GET rax\n t2:I64 = CONST 0\n t3:I1 = CMPNE t1, t2\n"
                       "COLD_BEGIN t3\n t4:I64 = CONST 0x9\n PUT rbx, t4\n"
                       "EXIT_IF t3, 0x3000 SYSCALL mode 2\n COLD_END";
    s->guest.gpr[0] = 0;
    s->guest.gpr[3] = 1;
    run(cold);
    assert_int_equal(s->guest.gpr[3], 1);
    assert_int_equal(s->guest.pc, 0x2000);
    s->guest.gpr[0] = 1;
    run(cold);
    assert_int_equal(s->guest.gpr[3], 9);
    assert_int_equal(s->guest.pc, 0x3000);
    assert_int_equal(s->exit_reason, VEX_EXIT_KIND);
    assert_int_equal(s->exit_kind, JK_SYSCALL);
    assert_int_equal(s->exit_mode, 2);
    s->pending = 1;
    run("");
    assert_int_equal(s->exit_reason, VEX_EXIT_PENDING);
    s->pending = 0;
}

/** The interpreter hands NATIVE to the back end with its address. */
static void test_native(void **state)
{
    (void)state;
    s->guest.gpr[0] = 0x100;
    run("t1:I64 = GET rax\n NATIVE [t1 + t1<<1 + 0x5] {bytes=90 mem_access=1 }");
    assert_int_equal(vex_stub_native_addr, 0x305);
    assert_int_equal(vex_stub_native->bytes[0], 0x90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_registers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_control, setup, teardown),
        cmocka_unit_test_setup_teardown(test_native, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
