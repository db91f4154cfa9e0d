/* SPDX-License-Identifier: MIT */
/* Lifting of amd64 code: the shape of the IR that well-known instructions become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/arena.h"
#include "guest/lift.h"

enum { PAGE = 4096 };
static uint8_t *code; /* one readable page, the next one is not */
static Arena arena;
static char text[1 << 16];

static unsigned readable(void *ctx, GuestAddr a, unsigned want)
{
    (void)ctx;
    GuestAddr end = (GuestAddr)code + PAGE;
    if (a < (GuestAddr)code || a >= end)
        return 0;
    return end - a < want ? (unsigned)(end - a) : want;
}

static int setup(void **state)
{
    (void)state;
    VexConfig c = { .modes = { { .name = "native", .flags = VM_PINNED | VM_NATIVE },
                               { .name = "full" } },
                    .n_modes = 2, .code_readable = readable };
    vex_init(&c);
    code = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return code == MAP_FAILED || mprotect(code + PAGE, PAGE, PROT_NONE);
}

static void append(void *ctx, const char *s)
{
    (void)ctx;
    strncat(text, s, sizeof text - strlen(text) - 1);
}

/** Lift the @p n bytes at offset @p at; the rest of the page is UD2. */
static IrBlock *lift_at(unsigned mode, size_t at, const uint8_t *bytes, size_t n)
{
    VexTranslation t;
    memset(&t, 0, sizeof t);
    for (size_t i = 0; i < PAGE; i += 2)
        memcpy(code + i, "\x0f\x0b", 2);
    memcpy(code + at, bytes, n);
    arena_reset(&arena);
    text[0] = 0;
    IrBlock *b = guest_lift_block((GuestAddr)code + at, mode, vex_config()->modes[mode].flags,
                                  NULL, &arena, &t);
    if (b) {
        assert_null(ir_verify(b));
        ir_print(b, append, NULL);
    }
    return b;
}

enum { NATIVE, FULL };
#define LIFT(mode, ...)                                                                     \
    lift_at(mode, 0, (const uint8_t[]){ __VA_ARGS__ }, sizeof (uint8_t[]){ __VA_ARGS__ })

static const IrInsn *last(const IrBlock *b)
{
    return &b->insn[b->n - 1];
}

static void count_is(const char *what, unsigned want)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    if (n != want)
        fail_msg("%u times '%s', not %u, in\n%s", n, what, want, text);
}

static void policies_differ(void **state)
{
    (void)state;
    LIFT(NATIVE, 0x48, 0x01, 0xd8, 0xc3); /* add rax, rbx; ret */
    count_is("NATIVE", 1);
    LIFT(FULL, 0x48, 0x01, 0xd8, 0xc3);
    count_is("NATIVE", 0);
    count_is("ADD", 2); /* and RSP */
}

static void dead_flags_are_not_made(void **state)
{
    (void)state;
    LIFT(FULL, 0x48, 0x01, 0xd8, 0x48, 0x01, 0xd8, 0x74, 0x02); /* add; add; je */
    count_is("FLAGS.ADD", 1);
}

static void branches_end_blocks(void **state)
{
    (void)state;
    IrBlock *b = LIFT(NATIVE, 0x74, 0x10, 0x75, 0x10, 0x90); /* je; jne; nop */
    count_is("EXIT_IF", 2);
    assert_int_equal(last(b)->op, OP_JUMP);
    assert_int_equal(last(b)->imm, (GuestAddr)code + 4);
    b = LIFT(NATIVE, 0xc3);
    assert_int_equal(last(b)->op, OP_JUMP_IND);
    assert_int_equal(last(b)->sub, JK_RET);
    b = LIFT(NATIVE, 0x0f, 0x05);
    assert_int_equal(last(b)->sub, JK_SYSCALL);
}

static void bad_code(void **state)
{
    (void)state;
    IrBlock *b = LIFT(NATIVE, 0x90, 0x06); /* nop; (bad) */
    assert_int_equal(last(b)->sub, JK_NODECODE);
    assert_int_equal(last(b)->imm, (GuestAddr)code + 1);
    b = LIFT(NATIVE, 0xf0, 0x90); /* lock nop */
    assert_int_equal(last(b)->sub, JK_SIGILL);
    b = LIFT(NATIVE, 0xf4); /* hlt */
    assert_int_equal(last(b)->sub, JK_SIGSEGV);
}

static void end_of_readable_code(void **state)
{
    (void)state;
    const uint8_t nop_and_half[] = { 0x90, 0xe9 };
    IrBlock *b = lift_at(NATIVE, PAGE - 2, nop_and_half, 2);
    assert_int_equal(b->n_guest, 1);
    assert_int_equal(last(b)->imm, (GuestAddr)code + PAGE - 1);
    assert_null(lift_at(NATIVE, PAGE - 1, nop_and_half + 1, 1));
}

static void client_requests(void **state)
{
    (void)state;
#define PREAMBLE 0x48, 0xc1, 0xc7, 0x03, 0x48, 0xc1, 0xc7, 0x0d, 0x48, 0xc1, 0xc7, 0x3d, \
                 0x48, 0xc1, 0xc7, 0x33
    IrBlock *b = LIFT(NATIVE, PREAMBLE, 0x48, 0x87, 0xdb);
    assert_int_equal(last(b)->sub, JK_CLIENT_REQ);
    assert_int_equal(last(b)->imm, (GuestAddr)code + 19);
    b = LIFT(NATIVE, PREAMBLE, 0x48, 0x87, 0xd2);
    assert_int_equal(last(b)->op, OP_JUMP_IND);
    assert_int_equal(last(b)->sub, JK_NO_REDIR);
    LIFT(NATIVE, PREAMBLE, 0x48, 0x87, 0xdf, 0xc3);
    count_is("CLIENT_REQ", 0);
}

static void strings(void **state)
{
    (void)state;
    LIFT(NATIVE, 0xf3, 0xa4); /* rep movsb: nobody looks */
    count_is("NATIVE", 1);
    IrBlock *b = LIFT(FULL, 0xf3, 0xa4);
    count_is("NATIVE", 0);
    assert_int_equal(last(b)->imm, (GuestAddr)code); /* goes on at itself */
}

static void addresses(void **state)
{
    (void)state;
    LIFT(NATIVE, 0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0, 0xc3); /* mov rax, fs:0x28 */
    count_is("GET fs_base", 1);
    LIFT(NATIVE, 0x48, 0x8d, 0x05, 0x10, 0, 0, 0, 0xc3); /* lea rax, [rip+16] */
    char want[64];
    snprintf(want, sizeof want, "CONST 0x%llx", (unsigned long long)code + 7 + 16);
    count_is(want, 1);
}

static void condition_codes_at_calls(void **state)
{
    (void)state;
    IrBlock *b = LIFT(NATIVE, 0x39, 0xc8, 0xc3); /* cmp; ret: no compiler returns them */
    assert_int_equal(last(b)->aux, 0);
    b = LIFT(NATIVE, 0x39, 0xc8, 0xff, 0xe0); /* cmp; jmp rax: anything may be there */
    assert_int_equal(last(b)->aux, 1);
    /* call +2; jc: this code does return them, and nothing is assumed from here on */
    VexTranslation t;
    memset(&t, 0, sizeof t);
    LIFT(NATIVE, 0x39, 0xc8, 0xc3);
    const uint8_t call_jc[] = { 0xe8, 2, 0, 0, 0, 0x72, 0x10, 0xc3 };
    memcpy(code, call_jc, sizeof call_jc);
    assert_non_null(guest_lift_block((GuestAddr)code, NATIVE, VM_PINNED | VM_NATIVE, NULL, &arena,
                                     &t));
    assert_true(t.assumption_failed);
    b = LIFT(NATIVE, 0x39, 0xc8, 0xc3);
    assert_int_equal(last(b)->aux, 1);
}

/** VexConfig.code_unstable: somebody writes to the code when it has just been lifted. */
static bool write_when_lifted(void *ctx, GuestAddr a, unsigned len)
{
    (void)ctx;
    (void)a;
    (void)len;
    code[1]++;
    return true;
}

/** What is run and what it is compared with later are the same bytes. */
static void code_that_changes_while_it_is_lifted(void **state)
{
    (void)state;
    static const uint8_t mov_1_eax_jmp[] = { 0xb8, 1, 0, 0, 0, 0xeb, 0x10 };
    memcpy(code, mov_1_eax_jmp, sizeof mov_1_eax_jmp);
    VexConfig before = *vex_config(), c = before;
    c.code_unstable = write_when_lifted;
    vex_init(&c);
    VexState *s = vex_state_new(1 << 16);
    assert_non_null(s);
    arena_reset(&arena);
    assert_int_equal(vex_interpret(s, (GuestAddr)code, FULL, &arena), VEX_OK);
    assert_int_equal(s->guest.gpr[0], code[1]);
    assert_int_equal(s->guest.pc, (GuestAddr)code + sizeof mov_1_eax_jmp + 0x10);
    vex_state_free(s);
    vex_init(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_differ),       cmocka_unit_test(dead_flags_are_not_made),
        cmocka_unit_test(branches_end_blocks),   cmocka_unit_test(bad_code),
        cmocka_unit_test(end_of_readable_code),  cmocka_unit_test(client_requests),
        cmocka_unit_test(strings),               cmocka_unit_test(addresses),
        cmocka_unit_test(code_that_changes_while_it_is_lifted),
        cmocka_unit_test(condition_codes_at_calls), /* last: changes what is assumed */
    };
    return cmocka_run_group_tests_name("lift", tests, setup, NULL);
}
