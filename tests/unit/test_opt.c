/* SPDX-License-Identifier: MIT */
/*
 * The optimiser: random blocks mean the same before and after it, with all passes, each pass
 * alone and each left out; and the reductions that it is there for do happen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "interp/interp.h"
#include "ir/ir_internal.h"
#include "ir_gen.h"
#include "opt/opt.h"
#include "vex_stub.h"

static void to_buf(void *ctx, const char *text)
{
    strbuf_adds(ctx, text);
}

static const char *text_of(Arena *a, const IrBlock *b)
{
    StrBuf s = { 0 };
    ir_print(b, to_buf, &s);
    const char *copy = arena_strdup(a, strbuf_text(&s));
    strbuf_free(&s);
    return copy;
}

/* ---- meaning ----------------------------------------------------------------------------- */

typedef struct Bench {
    Arena arena;
    VexState *before, *after;
    uint8_t *mem, *saved; /**< data and shadow, IR_GEN_BUF each */
} Bench;

static void bench_new(Bench *t)
{
    memset(t, 0, sizeof *t);
    t->before = vex_state_new(1 << 16);
    t->after = vex_state_new(1 << 16);
    static uint8_t mem[2 * IR_GEN_BUF] __attribute__((aligned(64)));
    static uint8_t saved[2 * IR_GEN_BUF];
    t->mem = mem;
    t->saved = saved;
    vex_stub_config.shadow_offset = IR_GEN_BUF;
}

static void bench_free(Bench *t)
{
    vex_state_free(t->before);
    vex_state_free(t->after);
    arena_free(&t->arena);
}

static void fill(uint8_t *p, size_t n, IrRandom *r)
{
    for (size_t k = 0; k < n; k += 8) {
        uint64_t v = ir_random_value(r);
        memcpy(p + k, &v, 8);
    }
}

static void copy_registers(VexState *to, const VexState *from)
{
    to->guest = from->guest;
    to->shadow = from->shadow;
    memcpy(to->tool, from->tool, sizeof to->tool);
}

/** Run both blocks on one random state and compare everything that can be seen. */
static const char *differ(Bench *t, const IrBlock *b, const IrBlock *opt, IrRandom *r)
{
    static uint8_t start[2 * IR_GEN_BUF];
    ir_gen_state(t->before, r);
    fill(start, sizeof start, r);
    copy_registers(t->after, t->before);
    memcpy(t->mem, start, sizeof start);
    interp_run(t->before, b);
    memcpy(t->saved, t->mem, sizeof start);
    memcpy(t->mem, start, sizeof start);
    interp_run(t->after, opt);
    /* Exits to the start of the same instruction need the flags, whatever the successors do. */
    bool at_same = t->before->guest.pc < b->addr + 0x800 && t->before->guest.pc >= b->addr;
    const char *diff = ir_gen_compare(t->before, t->after, !b->flags_live_out && !at_same);
    if (diff)
        return diff;
    return memcmp(t->saved, t->mem, sizeof start) == 0 ? NULL : "memory";
}

static unsigned count_op(const IrBlock *b, IrOp op)
{
    unsigned n = 0;
    for (uint32_t k = 0; k < b->n; k++)
        n += b->insn[k].op == op;
    return n;
}

static void one_block(Bench *t, uint64_t seed, uint32_t disabled)
{
    IrRandom r = { seed };
    IrGen g = { GEN_ALL, 1 + ir_random_below(&r, 12), TY_V512, 4 + ir_random_below(&r, 12), 1,
                t->mem };
    vex_stub_config.disabled_passes = disabled;
    IrBlock *b = ir_gen_block(&g, &r, &t->arena);
    const char *before = text_of(&t->arena, b);
    IrBlock *opt = opt_run(b, &t->arena, OPT_PRE);
    const char *err = ir_verify(opt);
    for (unsigned k = 0; k < 4 && !err; k++)
        err = differ(t, b, opt, &r);
    /* An exit that is always taken cuts the rest off; apart from that all loads stay. */
    bool cut = b->insn[b->n - 1].imm != opt->insn[opt->n - 1].imm ||
               b->insn[b->n - 1].op != opt->insn[opt->n - 1].op;
    if (!err && !cut && count_op(b, OP_LOAD) != count_op(opt, OP_LOAD))
        err = "a load has gone";
    if (err) {
        fprintf(stderr, "%s\n%s\n", before, text_of(&t->arena, opt));
        fail_msg("seed %lu, disabled %#x: %s", seed, disabled, err);
    }
    arena_reset(&t->arena);
}

static void test_meaning(void **state)
{
    (void)state;
    Bench t;
    bench_new(&t);
    for (uint64_t seed = 0; seed < 4000; seed++)
        one_block(&t, seed, 0);
    for (unsigned p = 0; p < PASS_COUNT; p++) {
        for (uint64_t seed = 0; seed < 300; seed++) {
            one_block(&t, seed, 1u << p);
            one_block(&t, seed, ~(1u << p));
        }
    }
    bench_free(&t);
}

/* ---- what it must achieve ---------------------------------------------------------------- */

static IrBlock *optimised(Arena *a, const char *lines, bool flags_live_out)
{
    const char *err = NULL;
    char *text = arena_printf(a, "block 0x10 mode 0 guest 1 flags_live_out %d\n%s"
                                 "JUMP 0x20 BORING mode 0\nend\n", flags_live_out, lines);
    IrBlock *b = ir_parse(a, text, &err);
    if (!b)
        fail_msg("%s", err);
    err = ir_verify(b);
    if (err)
        fail_msg("%s", err);
    vex_stub_config.disabled_passes = 0;
    return opt_run(b, a, OPT_PRE);
}

/** Blocks and what remains of them (all but the first line and the jump). */
static const struct {
    const char *name, *lines, *left;
    bool flags_live_out;
} reductions[] = {
    { "get after put",
      "t0:I64 = GET rax\n PUT rbx, t0\n t1:I64 = GET rbx\n PUT rcx, t1\n",
      "  t0:I64 = GET rax\n  PUT rbx, t0\n  PUT rcx, t0\n", true },
    { "narrow get",
      "t0:I64 = GET rax\n t1:I32 = GET rax\n t2:I32 = GET rax\n t3:I32 = XOR t1, t2\n"
      "t4:I32 = NOT t1\n t5:I32 = OR t3, t4\n t6:I64 = ZEXT t5\n PUT rcx, t6\n",
      "  t0:I64 = GET rax\n  t1:I32 = TRUNC t0\n  t2:I32 = NOT t1\n  t3:I64 = ZEXT t2\n"
      "  PUT rcx, t3\n", true },
    { "x + x",
      "t0:I64 = GET rax\n t1:I64 = ADD t0, t0\n PUT rcx, t1\n",
      "  t0:I64 = GET rax\n  t1:I8 = CONST 0x1\n  t2:I64 = SHL t0, t1\n  PUT rcx, t2\n", true },
    { "dead put",
      "IMARK 0x10, 1\n t0:I64 = GET rax\n PUT rbx, t0\n IMARK 0x11, 1\n t1:I64 = GET rcx\n"
      "PUT rbx, t1\n",
      "  IMARK 0x10, 1\n  IMARK 0x11, 1\n  t2:I64 = GET rcx\n  PUT rbx, t2\n", true },
    { "put that a fault may show",
      "IMARK 0x10, 1\n t0:I64 = GET rax\n PUT rbx, t0\n IMARK 0x11, 1\n t1:I64 = LOAD.GUEST [t0]\n"
      "PUT rbx, t1\n",
      "  IMARK 0x10, 1\n  t1:I64 = GET rax\n  PUT rbx, t1\n  IMARK 0x11, 1\n"
      "  t4:I64 = LOAD.GUEST [t1 + 0x0]\n  PUT rbx, t4\n", true },
    { "dead flags need not be right at faults",
      "IMARK 0x10, 1\n t0:I64 = GET rax\n t1:FLAGS = FLAGS.ADD.I64 t0, t0, -\n PUT cc, t1\n"
      "IMARK 0x11, 1\n t2:I64 = LOAD.GUEST [t0]\n t3:FLAGS = FLAGS.SUB.I64 t2, t2, -\n"
      " PUT cc, t3\n",
      "  IMARK 0x10, 1\n  t1:I64 = GET rax\n  IMARK 0x11, 1\n  t3:I64 = LOAD.GUEST [t1 + 0x0]\n"
      "  t4:FLAGS = FLAGS.SUB.I64 t3, t3, -\n  PUT cc, t4\n", true },
    { "flags dead at the end, and comparison",
      "IMARK 0x10, 1\n t0:I32 = GET rax\n t1:I32 = GET rbx\n t2:FLAGS = FLAGS.SUB.I32 t0, t1, -\n"
      "PUT cc, t2\n IMARK 0x12, 2\n t3:FLAGS = GET cc\n t4:I1 = COND.G t3\n"
      "EXIT_IF t4, 0x40 BORING mode 0\n",
      "  IMARK 0x10, 1\n  t1:I64 = GET rax\n  t2:I32 = TRUNC t1\n  t3:I64 = GET rbx\n"
      "  t4:I32 = TRUNC t3\n  IMARK 0x12, 2\n  t6:I1 = CMPLTS t4, t2\n"
      "  EXIT_IF t6, 0x40 BORING mode 0\n", false },
    { "test and jump",
      "t0:I64 = GET rax\n t1:I64 = GET rbx\n t2:I64 = AND t0, t1\n"
      "t3:FLAGS = FLAGS.LOGIC.I64 t2, -, -\n t4:I1 = COND.NE t3\n t5:I64 = ZEXT t4\n PUT rcx, t5\n",
      "  t0:I64 = GET rax\n  t1:I64 = GET rbx\n  t2:I64 = AND t0, t1\n  t3:I64 = CONST 0x0\n"
      "  t4:I1 = CMPNE t2, t3\n  t5:I64 = ZEXT t4\n  PUT rcx, t5\n", true },
    { "carry through increment",
      "t0:I64 = GET rax\n t1:I64 = GET rbx\n t2:FLAGS = FLAGS.ADD.I64 t0, t1, -\n"
      "t3:FLAGS = FLAGS.INC.I64 t1, -, t2\n t4:I1 = COND.B t3\n t5:I64 = ZEXT t4\n PUT rcx, t5\n",
      "  t0:I64 = GET rax\n  t1:I64 = GET rbx\n  t2:I64 = ADD t0, t1\n  t3:I1 = CMPLTU t2, t0\n"
      "  t4:I64 = ZEXT t3\n  PUT rcx, t4\n", true },
    { "stack pointer arithmetic",
      "IMARK 0x10, 1\n t0:I64 = GET rsp\n t8:I64 = CONST 0x8\n t1:I64 = SUB t0, t8\n"
      "STORE.GUEST [t1], t0\n PUT rsp, t1\n IMARK 0x11, 1\n t2:I64 = GET rsp\n"
      " t3:I64 = SUB t2, t8\n"
      "STORE.GUEST [t3], t0\n PUT rsp, t3\n",
      "  IMARK 0x10, 1\n  t1:I64 = GET rsp\n  t2:I64 = CONST 0xfffffffffffffff8\n"
      "  t3:I64 = ADD t1, t2\n  STORE.GUEST [t1 - 0x8], t1\n  PUT rsp, t3\n  IMARK 0x11, 1\n"
      "  t7:I64 = CONST 0xfffffffffffffff0\n  t8:I64 = ADD t1, t7\n  STORE.GUEST [t1 - 0x10], t1\n"
      "  PUT rsp, t8\n", true },
    { "constants",
      "t0:I32 = CONST 0x7\n t1:I32 = CONST 0x5\n t2:I32 = MUL t0, t1\n t3:I64 = ZEXT t2\n"
      " PUT rax, t3\n",
      "  t0:I64 = CONST 0x23\n  PUT rax, t0\n", true },
    { "partial vector put keeps the upper part",
      "t0:V128 = GET v1\n PUT v2, t0\n t1:V256 = GET v2\n PUT v3, t1\n t2:V128 = GET v2\n"
      " PUT v4, t2\n",
      "  t0:V128 = GET v1\n  PUT v2, t0\n  t2:V256 = GET v2\n  PUT v3, t2\n"
      "  t4:V128 = VHALF t2, 0\n  PUT v4, t4\n", true },
    { "a call may change registers",
      "t0:I64 = GET rax\n PUT rbx, t0\n CALL.LIGHT f@0x10()\n t1:I64 = GET rax\n PUT rcx, t1\n",
      "  t0:I64 = GET rax\n  PUT rbx, t0\n  CALL.LIGHT f@0x10()\n  t3:I64 = GET rax\n"
      "  PUT rcx, t3\n",
      true },
    { "native changes what it names",
      "t0:I64 = GET rax\n PUT rbx, t0\n t1:I64 = GET rcx\n"
      " NATIVE [] {bytes=90 op=rcx:0:2:0:0:8:8 }\n"
      "t2:I64 = GET rcx\n t3:I64 = GET rax\n t4:I64 = ADD t2, t3\n PUT rdx, t4\n",
      "  t0:I64 = GET rax\n  PUT rbx, t0\n  NATIVE [0x0] {bytes=90 op=rcx:0:2:0:0:8:8 }\n"
      "  t3:I64 = GET rcx\n  t4:I64 = ADD t0, t3\n  PUT rdx, t4\n", true },
};

static void test_reductions(void **state)
{
    (void)state;
    Arena a = { 0 };
    for (unsigned k = 0; k < sizeof reductions / sizeof reductions[0]; k++) {
        IrBlock *b = optimised(&a, reductions[k].lines, reductions[k].flags_live_out);
        char *want = arena_printf(&a, "%s  JUMP 0x20 BORING mode 0\nend\n", reductions[k].left);
        const char *got = strchr(text_of(&a, b), '\n') + 1;
        if (strcmp(got, want) != 0)
            fail_msg("%s:\n%s\ninstead of\n%s", reductions[k].name, got, want);
    }
    arena_free(&a);
}

/** Bits of a condition and its negation. */
#define BOTH(cc) (3 << CC_##cc)

/** Conditions over flags of a known operation do not stay. */
static void test_conditions_go(void **state)
{
    (void)state;
    static const struct {
        const char *flags;
        uint16_t gone; /**< bit per condition that must become a comparison */
    } kinds[] = {
        { "SUB.I32 t0, t1, -", BOTH(B) | BOTH(E) | BOTH(BE) | BOTH(S) | BOTH(L) | BOTH(LE) },
        { "LOGIC.I32 t0, -, -", 0xffff & ~BOTH(P) },
        { "ADD.I32 t0, t1, -", BOTH(B) | BOTH(E) | BOTH(S) },
        { "INC.I32 t0, -, t3", BOTH(B) | BOTH(E) | BOTH(S) },
        { "SHL.I32 t0, t4, t3", BOTH(B) | BOTH(E) | BOTH(S) },
    };
    Arena a = { 0 };
    for (unsigned k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (unsigned cc = 0; cc < 16; cc++) {
            char *lines = arena_printf(&a, "t0:I32 = GET rax\n t1:I32 = GET rbx\n"
                                           "t3:FLAGS = GET cc\n"
                                           "t4:I8 = CONST 0x3\n t5:FLAGS = FLAGS.%s\n"
                                           " t6:I1 = COND.%s t5\n"
                                           "t7:I64 = ZEXT t6\n PUT rcx, t7\n",
                                       kinds[k].flags, ir_cond_name[cc]);
            IrBlock *b = optimised(&a, lines, true);
            bool gone = count_op(b, OP_FLAGS) == 0;
            if (gone != (kinds[k].gone >> cc & 1))
                fail_msg("%s %s", kinds[k].flags, ir_cond_name[cc]);
        }
    }
    arena_free(&a);
}

static void test_pass_names(void **state)
{
    (void)state;
    assert_string_equal(opt_pass_name(PASS_CSE), "cse");
    assert_string_equal(opt_pass_name(PASS_DEAD_PUT), "dead-put");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meaning),
        cmocka_unit_test(test_reductions),
        cmocka_unit_test(test_conditions_go),
        cmocka_unit_test(test_pass_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
