/* SPDX-License-Identifier: MIT */
/*
 * How translations leave: unchained and chained exits, changes of register convention, the jump
 * cache, pending, service exits, faults and their recovery.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ucontext.h>

#include "base/arena.h"
#include "guest/amd64/guest_amd64.h"
#include "host/amd64/cpu.h"
#include "host/host.h"
#include "vex.h"

enum { PINNED, FREE, CODE_BYTES = 1 << 16, ID = 1000, PC_A = 0x400000, PC_B = 0x500000, PC_C = 0x600000 };

static VexConfig config = {
    .modes = { { .name = "pinned", .flags = VM_PINNED | VM_PIN_TOOL0 }, { .name = "free" } },
    .n_modes = 2,
};

const VexConfig *vex_config(void) { return &config; }

static uint8_t *code;
static size_t used, room; /* main parts are below, cold parts above */
static VexState *st;
static Arena arena;

/** A block and where it is. */
typedef struct Made {
    VexTranslation t;
    uint8_t *at;
    uint32_t id; /**< number of the translation */
} Made;

static int setup(void **state)
{
    (void)state;
    host_init();
    code = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return code == MAP_FAILED ? -1 : 0;
}

static int fresh(void **state)
{
    (void)state;
    used = 0;
    room = CODE_BYTES;
    st = vex_state_new(1 << 16);
    if (!st)
        return -1;
    host_stubs(&st->stubs);
    vex_jump_cache_clear(st);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    vex_state_free(st);
    arena_reset(&arena);
    return 0;
}

static IrBlock *block(GuestAddr pc, unsigned mode)
{
    IrBlock *b = ir_block_new(&arena, pc, (uint8_t)mode);
    ir_emit(b, &(IrInsn){ .op = OP_IMARK, .imm = pc, .aux = 4,
                          .arg = { IR_NONE, IR_NONE, IR_NONE } });
    return b;
}

/** PUT r = GET r + n. */
static void add_to(IrBlock *b, RegId r, uint64_t n)
{
    ir_put(b, r, ir_binop(b, OP_ADD, ir_get(b, TY_I64, r), ir_const(b, TY_I64, n)));
}

static Made make(const IrBlock *b)
{
    Made m;
    memset(&m, 0, sizeof m);
    m.at = code + used;
    assert_true(host_compile(b, config.modes[b->mode].flags, m.at, room - used, m.at, &arena,
                             &m.t));
    assert_true(m.t.code_len <= m.t.cold_off && m.t.cold_off + m.t.cold_len <= room - used);
    if (m.t.id_off) {
        assert_true(m.t.id_off >= m.t.cold_off);
        memcpy(m.at + m.t.id_off, &(uint32_t){ ID + used }, 4);
    }
    m.id = ID + used;
    room = used + m.t.cold_off;
    used += (m.t.code_len + 63u) & ~63u;
    return m;
}

static void enter(const Made *m, unsigned mode) { vex_enter(st, m->at, mode == PINNED); }

static void test_chain(void **state)
{
    (void)state;
    IrBlock *b = block(PC_A, PINNED);
    add_to(b, AMD64_RAX, 1);
    add_to(b, AMD64_R14, 2);
    ir_jump(b, PC_B, JK_BORING, PINNED);
    Made a = make(b);
    b = block(PC_B, PINNED);
    add_to(b, AMD64_RAX, 10);
    ir_jump(b, PC_C, JK_SYSCALL, PINNED);
    Made c = make(b);
    assert_int_equal(a.t.n_exits, 1);
    assert_int_equal(c.t.n_exits, 0);
    const VexExitSite *e = &a.t.exits[0];
    assert_true(e->patch_off % 8 <= 4);
    for (unsigned round = 0; round < 2; round++) {
        st->guest.gpr[AMD64_RAX] = 100;
        enter(&a, PINNED);
        assert_int_equal(st->exit_reason, VEX_EXIT_CHAIN);
        assert_int_equal(st->exit_block, a.id);
        assert_int_equal(st->exit_index, 0);
        assert_int_equal(e->target, PC_B);
        assert_int_equal(e->mode, PINNED);
        assert_false(vex_is_chained(a.at, e));
        assert_int_equal(st->guest.gpr[AMD64_RAX], 101);
        vex_chain(a.at, a.at, e, c.at);
        assert_true(vex_is_chained(a.at, e));
        enter(&a, PINNED);
        assert_int_equal(st->exit_reason, VEX_EXIT_KIND);
        assert_int_equal(st->exit_kind, JK_SYSCALL);
        assert_int_equal(st->guest.pc, PC_C);
        assert_int_equal(st->guest.gpr[AMD64_RAX], 112);
        vex_unchain(a.at, a.at, e);
    }
    assert_int_equal(st->guest.gpr[AMD64_R14], 8);
}

static void test_crossing(void **state)
{
    (void)state;
    IrBlock *b = block(PC_A, PINNED);
    add_to(b, AMD64_RSI, 1);
    ir_put(b, REG_TOOL(0), ir_const(b, TY_I32, 77));
    ir_jump(b, PC_B, JK_BORING, FREE);
    Made a = make(b);
    b = block(PC_B, FREE);
    add_to(b, AMD64_RSI, 2);
    add_to(b, REG_TOOL(0), 1);
    ir_jump(b, PC_C, JK_BORING, PINNED);
    Made f = make(b);
    b = block(PC_C, PINNED);
    add_to(b, AMD64_RSI, 4);
    add_to(b, AMD64_RSP, 8);
    ir_jump(b, PC_A, JK_YIELD, PINNED);
    Made c = make(b);
    assert_true(a.t.exits[0].crosses && f.t.exits[0].crosses);
    memset(st->guest.v[5], 0x5a, 32);
    enter(&a, PINNED);
    assert_int_equal(st->exit_reason, VEX_EXIT_CHAIN);
    assert_int_equal(st->exit_block, a.id);
    assert_int_equal(st->tool[0], 77);
    vex_chain(a.at, a.at, &a.t.exits[0], f.at);
    enter(&a, PINNED);
    assert_int_equal(st->exit_reason, VEX_EXIT_CHAIN);
    assert_int_equal(st->exit_block, f.id);
    assert_int_equal(st->cur_mode, FREE);
    vex_chain(f.at, f.at, &f.t.exits[0], c.at);
    enter(&a, PINNED);
    assert_int_equal(st->exit_reason, VEX_EXIT_KIND);
    assert_int_equal(st->exit_kind, JK_YIELD);
    assert_int_equal(st->guest.gpr[AMD64_RSI], 1 + 3 + 7);
    assert_int_equal(st->guest.gpr[AMD64_RSP], 8);
    assert_int_equal(st->tool[0], 78);
    assert_int_equal(st->guest.v[5][0], 0x5a);
    assert_int_equal(st->guest.v[5][15], 0x5a);
}

/** An exit that does the same instruction again in the other mode finds it through the jump cache. */
static void test_redo(void **state)
{
    (void)state;
    IrBlock *b = block(PC_A, PINNED);
    IrRef odd = ir_unop(b, OP_TRUNC, TY_I1, ir_get(b, TY_I64, AMD64_RCX));
    ir_exit_if(b, odd, PC_A, JK_BORING, FREE);
    add_to(b, AMD64_RAX, 1);
    ir_jump(b, PC_C, JK_YIELD, PINNED);
    Made a = make(b);
    b = block(PC_A, FREE);
    add_to(b, AMD64_RAX, 1000);
    ir_jump(b, PC_C, JK_YIELD, PINNED);
    Made f = make(b);
    enter(&a, PINNED);
    assert_int_equal(st->guest.gpr[AMD64_RAX], 1);
    st->guest.gpr[AMD64_RCX] = 1;
    enter(&a, PINNED);
    assert_int_equal(st->exit_reason, VEX_EXIT_INDIRECT);
    assert_int_equal(st->exit_mode, FREE);
    assert_int_equal(st->guest.pc, PC_A);
    st->jump_cache[FREE][vex_jump_index(PC_A)] = (VexJumpEntry){ PC_A, f.at };
    enter(&a, PINNED);
    assert_int_equal(st->exit_reason, VEX_EXIT_KIND);
    assert_int_equal(st->guest.gpr[AMD64_RAX], 1001);
}

static void test_indirect(void **state)
{
    (void)state;
    IrBlock *b = block(PC_A, PINNED);
    ir_jump_ind(b, ir_get(b, TY_I64, AMD64_RDX), JK_RET, PINNED);
    Made a = make(b);
    b = block(PC_B, PINNED);
    add_to(b, AMD64_RBX, 3);
    ir_jump(b, PC_C, JK_NO_REDIR, PINNED);
    Made c = make(b);
    for (unsigned k = 0; k < 2; k++) { /* address 0 must not match an empty entry */
        st->guest.gpr[AMD64_RDX] = k ? PC_B : 0;
        enter(&a, PINNED);
        assert_int_equal(st->exit_reason, VEX_EXIT_INDIRECT);
        assert_int_equal(st->guest.pc, k ? PC_B : 0);
    }
    st->jump_cache[PINNED][vex_jump_index(PC_B)] = (VexJumpEntry){ PC_B, c.at };
    enter(&a, PINNED);
    assert_int_equal(st->exit_reason, VEX_EXIT_KIND);
    assert_int_equal(st->guest.gpr[AMD64_RBX], 3);
    st->pending = 1;
    enter(&a, PINNED);
    assert_int_equal(st->exit_reason, VEX_EXIT_INDIRECT);
    assert_int_equal(st->guest.pc, PC_B);
}

/**
 * Two calls of one function from one block each: each return comes to the block behind its own call,
 * whatever the jump cache says; one with another stack pointer or address goes by the jump cache.
 */
static void test_return(void **state)
{
    (void)state;
    static const RegId mark[2] = { AMD64_RAX, AMD64_RBX };
    Made call[2], after[2];
    for (unsigned k = 0; k < 2; k++) {
        IrBlock *b = block(PC_A + 0x100 * k, PINNED);
        add_to(b, AMD64_RSP, (uint64_t)-8);
        ir_jump(b, PC_B, JK_CALL, PINNED);
        call[k] = make(b);
        b = block(PC_A + 0x100 * k + 4, PINNED);
        add_to(b, mark[k], 1);
        ir_jump(b, PC_C, JK_YIELD, PINNED);
        after[k] = make(b);
    }
    IrBlock *b = block(PC_B, PINNED); /* returns to where RDX says */
    add_to(b, AMD64_RSP, 8);
    ir_jump_ind(b, ir_get(b, TY_I64, AMD64_RDX), JK_RET, PINNED);
    Made callee = make(b);
    for (unsigned k = 0; k < 2; k++) {
        assert_int_equal(call[k].t.n_exits, 2);
        assert_int_equal(call[k].t.exits[0].target, PC_A + 0x100 * k + 4);
        assert_int_equal(call[k].t.exits[1].target, PC_B);
        vex_chain(call[k].at, call[k].at, &call[k].t.exits[0], after[k].at);
        vex_chain(call[k].at, call[k].at, &call[k].t.exits[1], callee.at);
    }
    for (unsigned round = 0; round < 4; round++) {
        unsigned k = round & 1;
        st->guest.gpr[AMD64_RSP] = 0x7000;
        st->guest.gpr[AMD64_RDX] = PC_A + 0x100 * k + 4;
        enter(&call[k], PINNED);
        assert_int_equal(st->exit_reason, VEX_EXIT_KIND);
        assert_int_equal(st->guest.gpr[mark[k]], 1 + round / 2);
        assert_int_equal(st->guest.gpr[mark[1 - k]], (round + 1) / 2);
        assert_int_equal(st->guest.gpr[AMD64_RSP], 0x7000);
    }
    st->guest.gpr[AMD64_RSP] = 0x7000 - 8;
    enter(&callee, PINNED); /* as a return without its call: the note of the last call still fits */
    assert_int_equal(st->exit_reason, VEX_EXIT_KIND);
    st->guest.gpr[AMD64_RSP] = 0x7100;
    enter(&callee, PINNED);
    assert_int_equal(st->exit_reason, VEX_EXIT_INDIRECT);
    st->guest.gpr[AMD64_RSP] = 0x7000;
    st->guest.gpr[AMD64_RDX] = PC_C;
    enter(&call[0], PINNED);
    assert_int_equal(st->exit_reason, VEX_EXIT_INDIRECT);
    assert_int_equal(st->guest.pc, PC_C);
    vex_jump_cache_clear(st);
    st->guest.gpr[AMD64_RSP] = 0x7000 - 8;
    st->guest.gpr[AMD64_RDX] = PC_A + 4;
    enter(&callee, PINNED);
    assert_int_equal(st->exit_reason, VEX_EXIT_INDIRECT);
    assert_int_equal(st->guest.pc, PC_A + 4);
}

/** A loop chained to itself ends when pending is set by a helper. */
static GIMLE_LIGHT uint64_t stop_at_ten(VexState *s, uint64_t n)
{
    if (n >= 10)
        s->pending = 1;
    return 0;
}

static void test_pending_loop(void **state)
{
    (void)state;
    static const IrCallee stop = { "stop", (void *)stop_at_ten, CALLEE_LIGHT, TY_NONE, 1 };
    for (unsigned mode = PINNED; mode <= FREE; mode++) {
        IrBlock *b = block(PC_A, mode);
        IrRef n = ir_get(b, TY_I64, AMD64_R12);
        ir_call(b, &stop, IR_NONE, &n, 1);
        add_to(b, AMD64_R12, 1);
        IrRef more = ir_cmp(b, OP_CMPLTU, ir_get(b, TY_I64, AMD64_R12), ir_const(b, TY_I64, 1000));
        ir_exit_if(b, more, PC_A, JK_BORING, (uint8_t)mode);
        ir_jump(b, PC_B, JK_BORING, (uint8_t)mode);
        Made a = make(b);
        assert_int_equal(a.t.exits[0].target, PC_A);
        vex_chain(a.at, a.at, &a.t.exits[0], a.at);
        st->pending = 0;
        st->guest.gpr[AMD64_R12] = 0;
        enter(&a, mode);
        assert_int_equal(st->exit_reason, VEX_EXIT_CHAIN);
        assert_int_equal(st->exit_block, a.id);
        assert_int_equal(st->exit_index, 0);
        assert_int_equal(st->guest.gpr[AMD64_R12], 11);
    }
}

/* ---- faults ---- */

static const Made *faulting;
static unsigned fault_mode;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
    (void)sig, (void)si;
    const ucontext_t *u = uc;
    uint32_t off = (uint32_t)((uint8_t *)(uintptr_t)u->uc_mcontext.gregs[REG_RIP] - faulting->at);
    const VexPoint *p = NULL;
    for (uint32_t k = 0; k < faulting->t.n_points && faulting->t.points[k].host_off <= off; k++)
        p = &faulting->t.points[k];
    vex_state_from_context(st, uc, fault_mode, PC_A + (p ? p->guest_off : 0xdead));
    if (p && p->cc_in_host)
        vex_cc_from_context(st, uc);
    st->exit_reason = VEX_EXIT_PENDING;
    vex_context_leave(st, uc);
}

static void test_fault(void **state)
{
    (void)state;
    static uint8_t stack[1 << 16];
    stack_t alt = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK }, old;
    sigaltstack(&alt, NULL);
    sigaction(SIGSEGV, &sa, &old);
    for (unsigned mode = PINNED; mode <= FREE; mode++) {
        IrBlock *b = block(PC_A, mode);
        add_to(b, AMD64_RDI, 5);
        add_to(b, AMD64_R9, 6);
        IrRef a = ir_get(b, TY_I64, AMD64_RDI);
        ir_put(b, AMD64_CC, ir_flags(b, FK_SUB, TY_I64, a, a, IR_NONE));
        ir_emit(b, &(IrInsn){ .op = OP_IMARK, .imm = PC_A + 4, .aux = 3,
                              .arg = { IR_NONE, IR_NONE, IR_NONE } });
        IrMem m = { ir_get(b, TY_I64, AMD64_RBX), IR_NONE, 0, 8 };
        IrRef v = ir_load(b, SPACE_GUEST, TY_I64, m);
        ir_put(b, AMD64_RDI, v);
        b->flags_live_out = true;
        ir_jump(b, PC_B, JK_BORING, (uint8_t)mode);
        Made made = make(b);
        faulting = &made;
        fault_mode = mode;
        memset(&st->guest.gpr, 0, sizeof st->guest.gpr);
        st->guest.cc = 0x200;
        enter(&made, mode);
        assert_int_equal(st->exit_reason, VEX_EXIT_PENDING);
        assert_int_equal(st->guest.pc, PC_A + 4);
        assert_int_equal(st->guest.gpr[AMD64_RDI], 5);
        assert_int_equal(st->guest.gpr[AMD64_R9], 6);
        assert_int_equal(st->guest.cc, 0x4600); /* equal: ZF and PF */
    }
    sigaction(SIGSEGV, &old, NULL);
}

/* ---- full helpers ---- */

static uint64_t look_around(VexState *s, uint64_t n)
{
    /* everything is in its place, and may be changed */
    assert_int_equal(s->guest.pc, PC_A);
    assert_int_equal(s->guest.gpr[AMD64_RBP], 41);
    s->guest.gpr[AMD64_RBP] += n;
    s->guest.gpr[AMD64_R15] = 15;
    s->guest.v[2][1]++;
    s->tool[0] = 9;
    return 1234;
}

static void test_full_call(void **state)
{
    (void)state;
    static const IrCallee look = { "look", (void *)look_around, CALLEE_FULL, TY_I64, 1 };
    for (unsigned mode = PINNED; mode <= FREE; mode++) {
        IrBlock *b = block(PC_A, mode);
        IrRef before = ir_get(b, TY_I64, AMD64_RBP);
        IrRef n = ir_const(b, TY_I64, 1);
        IrRef r = ir_call(b, &look, IR_NONE, &n, 1);
        ir_put(b, AMD64_RCX, r);
        ir_put(b, AMD64_R8, before);
        ir_jump(b, PC_B, JK_YIELD, (uint8_t)mode);
        Made a = make(b);
        st->guest.gpr[AMD64_RBP] = 41;
        st->guest.v[2][1] = 7;
        enter(&a, mode);
        assert_int_equal(st->guest.gpr[AMD64_RBP], 42);
        assert_int_equal(st->guest.gpr[AMD64_R8], 41);
        assert_int_equal(st->guest.gpr[AMD64_RCX], 1234);
        assert_int_equal(st->guest.gpr[AMD64_R15], 15);
        assert_int_equal(st->guest.v[2][1], 8);
        assert_int_equal(st->tool[0], 9);
        assert_false(vex_pc_in_stubs((void *)st->helper_ret));
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, drop)
    const struct CMUnitTest tests[] = {
        TEST(test_chain),        TEST(test_crossing), TEST(test_redo),      TEST(test_indirect),
        TEST(test_return),
        TEST(test_pending_loop), TEST(test_fault),    TEST(test_full_call),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
