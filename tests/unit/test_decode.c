/* SPDX-License-Identifier: MIT */
/*
 * Decoding of amd64 instructions: what the cache of shapes yields is what a full decoding yields,
 * and the parts of well-known instructions are right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guest/amd64/decode.h"
#include "guest/amd64/insn_table.h"
#include "tests/isa/encodings.h"

static Amd64Decoder decoder;

static int setup(void **state)
{
    (void)state;
    amd64_decoder_init(&decoder);
    random_seed(42);
    return 0;
}

static void decode(Insn *in, const uint8_t *code, size_t len)
{
    uint8_t buf[32] = { 0 };
    memcpy(buf, code, len);
    assert_int_equal(amd64_decode(&decoder, buf, sizeof buf, 0x1000, in), DECODE_OK);
}

#define DECODE(in, ...) decode(in, (const uint8_t[]){ __VA_ARGS__ }, sizeof (uint8_t[]){ __VA_ARGS__ })

static void cached_equals_full(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned k = 0; k < encoding_count(); k++) {
            uint8_t code[32];
            Insn a, b;
            encoding_make(k, code);
            DecodeStatus full = amd64_decode_uncached(&decoder, code, 32, 0x1000, &b);
            DecodeStatus cached = amd64_decode(&decoder, code, 32, 0x1000, &a);
            if (cached != full || (full == DECODE_OK && memcmp(&a, &b, sizeof a) != 0)) {
                print_error("encoding %u of round %u:", k, round);
                for (unsigned i = 0; i < 15; i++)
                    print_error(" %02x", code[i]);
                for (unsigned i = 0; i < sizeof a && full == DECODE_OK && cached == full; i++)
                    if (((uint8_t *)&a)[i] != ((uint8_t *)&b)[i])
                        print_error(" +%u", i);
                fail_msg(" decoded differently: %d, %d", cached, full);
            }
        }
    }
}

static void truncated_is_unreadable(void **state)
{
    (void)state;
    const uint8_t mov[] = { 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 };
    Insn in;
    for (size_t n = 1; n < sizeof mov; n++)
        assert_int_equal(amd64_decode(&decoder, mov, n, 0, &in), DECODE_UNREADABLE);
    assert_int_equal(amd64_decode(&decoder, mov, sizeof mov, 0, &in), DECODE_OK);
}

static void operands_of_byte_registers(void **state)
{
    (void)state;
    Insn in;
    DECODE(&in, 0x88, 0xe0); /* mov al, ah */
    assert_int_equal(in.operand[1].reg, AMD64_RAX);
    assert_int_equal(in.operand[1].offset, 1);
    DECODE(&in, 0x40, 0x88, 0xe0); /* mov al, spl */
    assert_int_equal(in.operand[1].reg, AMD64_RSP);
    assert_int_equal(in.operand[1].offset, 0);
}

static void memory_operand_parts(void **state)
{
    (void)state;
    Insn in;
    DECODE(&in, 0x4b, 0x8b, 0x44, 0xd1, 0xf8); /* mov rax, [r9+r10*8-8] */
    assert_true(in.has_mem);
    assert_int_equal(in.mem_base, AMD64_R9);
    assert_int_equal(in.mem_index, AMD64_R10);
    assert_int_equal(in.mem_scale, 3);
    assert_int_equal(in.mem_disp, -8);
    assert_int_equal(in.n.mem_access, NA_READ);
    assert_int_equal(in.n.mem_size, 8);
    DECODE(&in, 0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0); /* mov rax, fs:0x28 */
    assert_int_equal(in.mem_seg, AMD64_FSBASE);
    assert_int_equal(in.n.len, 8); /* without the prefix */
    assert_int_equal(in.len, 9);
}

static void zeroing_reads_nothing(void **state)
{
    (void)state;
    Insn in;
    DECODE(&in, 0x31, 0xc0); /* xor eax, eax */
    assert_int_equal(in.n.rule, NR_ZEROING);
    for (unsigned i = 0; i < in.n.n_ops; i++)
        assert_int_equal(in.n.op[i].access & NA_READ, 0);
    DECODE(&in, 0x31, 0xc8); /* xor eax, ecx */
    assert_int_equal(in.n.rule, NR_XOR);
}

static void shifts_by_zero_write_no_flags(void **state)
{
    (void)state;
    Insn in;
    DECODE(&in, 0xc1, 0xe0, 0x20); /* shl eax, 32 */
    assert_int_equal(in.n.cc_write, 0);
    DECODE(&in, 0xd3, 0xe0); /* shl eax, cl */
    assert_true(in.n.flags & NF_FLAGS_MAYBE);
    assert_int_equal(in.n.cc_read & in.n.cc_write, in.n.cc_write);
}

static void stack_adjustments_are_known(void **state)
{
    (void)state;
    Insn in;
    DECODE(&in, 0x48, 0x83, 0xec, 0x18); /* sub rsp, 24 */
    assert_true(in.n.flags & NF_SP_CONST);
    assert_int_equal(in.n.sp_adjust, -24);
    DECODE(&in, 0x48, 0x83, 0xc4, 0x18); /* add rsp, 24 */
    assert_int_equal(in.n.sp_adjust, 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cached_equals_full),
        cmocka_unit_test(truncated_is_unreadable),
        cmocka_unit_test(operands_of_byte_registers),
        cmocka_unit_test(memory_operand_parts),
        cmocka_unit_test(zeroing_reads_nothing),
        cmocka_unit_test(shifts_by_zero_write_no_flags),
        cmocka_unit_test(stack_adjustments_are_known),
    };
    return cmocka_run_group_tests_name("decode", tests, setup, NULL);
}
