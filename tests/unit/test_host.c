/* SPDX-License-Identifier: MIT */
/*
 * The back end against the interpreter: random blocks, pinned and not, with and without chaos.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <asm/prctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "guest/amd64/guest_amd64.h"
#include "host/amd64/cpu.h"
#include "host/host.h"
#include "interp/interp.h"
#include "ir_gen.h"
#include "vex.h"

enum { MODE_PINNED, MODE_PINNED_TOOL, MODE_FREE, CODE_BYTES = 1 << 20 };
#define SHADOW_OFFSET (1ull << 45)

static VexConfig config = {
    .modes = { { .name = "pinned", .flags = VM_PINNED },
               { .name = "tool", .flags = VM_PINNED | VM_PIN_TOOL0 },
               { .name = "free" } },
    .n_modes = 3,
    .shadow_offset = SHADOW_OFFSET,
};

const VexConfig *vex_config(void) { return &config; }

static uint8_t *code;   /* writable and executable: only tests do that */
static uint8_t *buf;    /* memory of the generated blocks, its shadow at SHADOW_OFFSET */
static VexState *ref, *st;
static Arena arena;

static int setup(void **state)
{
    (void)state;
    host_init();
    code = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    buf = mmap((void *)0x10000000000, IR_GEN_BUF, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    void *shadow = mmap(buf + SHADOW_OFFSET, IR_GEN_BUF, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    ref = vex_state_new(1 << 16);
    st = vex_state_new(1 << 16);
    host_stubs(&st->stubs);
    host_stubs(&ref->stubs);
    vex_jump_cache_clear(st);
    vex_jump_cache_clear(ref);
    bool ok = code != MAP_FAILED && buf != MAP_FAILED && shadow != MAP_FAILED;
    ok = ok && syscall(SYS_arch_prctl, ARCH_SET_GS, SHADOW_OFFSET) == 0;
    return ok ? 0 : -1;
}

static void out_text(void *ctx, const char *text)
{
    (void)ctx;
    fputs(text, stderr);
}

static VexTranslation compile(const IrBlock *b)
{
    VexTranslation t;
    memset(&t, 0, sizeof t);
    if (!host_compile(b, config.modes[b->mode].flags, code, CODE_BYTES, code, &arena, &t))
    {
        ir_print(b, out_text, NULL);
        fail_msg("no room");
    }
    return t;
}

static void run(unsigned mode)
{
    vex_enter(st, code, config.modes[mode].flags & VM_PINNED);
}

static void copy_guest(VexState *to, const VexState *from)
{
    to->guest = from->guest;
    to->shadow = from->shadow;
    memcpy(to->tool, from->tool, sizeof to->tool);
}

static bool is_final(const IrBlock *b, GuestAddr pc)
{
    const IrInsn *e = &b->insn[b->n - 1];
    for (uint32_t k = 0; k < b->n; k++) {
        if (b->insn[k].op == OP_EXIT_IF && b->insn[k].imm == pc)
            return false;
    }
    return e->op != OP_JUMP || e->imm == pc;
}

static void one_block(unsigned mode, uint64_t seed, unsigned what)
{
    IrRandom r = { seed };
    IrGen g = { .what = what, .n_guest = 1 + ir_random_below(&r, 8),
                /* pinned modes have the width of the host */
                .max_vec = mode == MODE_FREE || host_cpu.avx512 ? TY_V512 : TY_V256,
                .max_reg = 16, .mode = (uint8_t)mode, .buf = buf };
    IrBlock *b = ir_gen_block(&g, &r, &arena);
    static uint8_t mem[2][IR_GEN_BUF], got[2][IR_GEN_BUF];
    for (unsigned k = 0; k < IR_GEN_BUF; k += 8) {
        uint64_t v[2] = { ir_random_value(&r), ir_random_value(&r) };
        memcpy(mem[0] + k, &v[0], 8);
        memcpy(mem[1] + k, &v[1], 8);
    }
    ir_gen_state(st, &r);
    memcpy(st->guest.fpu, (uint16_t[]){ 0x37f }, 2);
    st->guest.mxcsr = 0x1f80;
    for (unsigned k = 0; k < 32; k++)
        memset(st->guest.v[k] + host_cpu.vec_bytes, 0, 64 - host_cpu.vec_bytes);
    if (mode == MODE_PINNED_TOOL)
        st->tool[0] = (uint32_t)st->tool[0];
    copy_guest(ref, st);
    memcpy(buf, mem[0], IR_GEN_BUF);
    memcpy(buf + SHADOW_OFFSET, mem[1], IR_GEN_BUF);
    interp_run(ref, b);
    memcpy(got[0], buf, IR_GEN_BUF);
    memcpy(got[1], buf + SHADOW_OFFSET, IR_GEN_BUF);
    memcpy(buf, mem[0], IR_GEN_BUF);
    memcpy(buf + SHADOW_OFFSET, mem[1], IR_GEN_BUF);
    VexTranslation t = compile(b);
    run(mode);
    if (st->exit_reason == VEX_EXIT_CHAIN)
        vex_take_exit(st, &t.exits[st->exit_index], mode);
    if (st->exit_reason != VEX_EXIT_KIND)
        st->exit_kind = ref->exit_kind; /* plain jumps tell no kind */
    const char *diff = ir_gen_compare(ref, st, !b->flags_live_out || !is_final(b, ref->guest.pc));
    if (!diff && memcmp(got[0], buf, IR_GEN_BUF))
        diff = "memory";
    if (!diff && memcmp(got[1], buf + SHADOW_OFFSET, IR_GEN_BUF))
        diff = "shadow memory";
    if (diff) {
        ir_print(b, out_text, NULL);
        host_disassemble(t.code, t.code_len, code, out_text, NULL);
        host_disassemble(t.code + t.cold_off, t.cold_len, code + t.cold_off, out_text, NULL);
        fail_msg("seed %llu mode %u: %s", (unsigned long long)seed, mode, diff);
    }
    arena_reset(&arena);
}

static unsigned rounds(void)
{
    const char *n = getenv("GIMLE_TEST_ROUNDS");
    return n ? (unsigned)atoi(n) : 3000;
}

static void random_blocks(unsigned mode, unsigned what, bool chaos)
{
    const char *only = getenv("GIMLE_TEST_SEED");
    unsigned first = only ? (unsigned)atoi(only) : 0, end = only ? first + 1 : rounds();
    config.chaos_regalloc = chaos;
    for (unsigned k = first; k < end; k++) {
        /* simple blocks first: they are easier to understand when they fail */
        bool simple = k < 1000;
        one_block(mode, k, simple ? what & ~(unsigned)(GEN_COLD | GEN_CALLS | GEN_VEC) : what);
    }
    config.chaos_regalloc = false;
}

/* What the two agree on also for codes that the manuals leave undefined is not asked for. */
#define WHAT (GEN_ALL | GEN_DEFINED_FLAGS)


static void test_unpinned(void **state) { (void)state; random_blocks(MODE_FREE, WHAT, false); }
static void test_unpinned_chaos(void **state) { (void)state; random_blocks(MODE_FREE, WHAT, true); }
static void test_pinned(void **state) { (void)state; random_blocks(MODE_PINNED, WHAT, false); }
static void test_pinned_chaos(void **state) { (void)state; random_blocks(MODE_PINNED, WHAT, true); }
static void test_tool(void **state) { (void)state; random_blocks(MODE_PINNED_TOOL, WHAT, false); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unpinned),       cmocka_unit_test(test_unpinned_chaos),
        cmocka_unit_test(test_pinned),     cmocka_unit_test(test_pinned_chaos),
        cmocka_unit_test(test_tool),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
