/* SPDX-License-Identifier: MIT */
/* Memcheck's shadow: ranges, the side table of bytes whose V bits equal the reserved pattern, copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "memcheck/shadow/shadow.h"

/** A piece of client address space that is never accessed itself, only its shadow. */
enum { LEN = 1 << 16 };
#define BASE 0x10000000ULL

void gimle_shadow_fill(GuestAddr a, size_t len, uint8_t value)
{
    memset(gimle_shadow(a), value, len);
}

static int set_up(void **state)
{
    (void)state;
    void *want = gimle_shadow(BASE);
    void *p = mmap(want, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return p == want ? 0 : -1;
}

static int clear(void **state)
{
    (void)state;
    shadow_set_defined(BASE, LEN);
    return 0;
}

static void test_ranges(void **state)
{
    (void)state;
    GuestAddr bad;
    assert_true(shadow_all_defined(BASE, LEN));
    shadow_set_undefined(BASE + 100, 50);
    shadow_set_noaccess(BASE + 200, 10);
    assert_int_equal(shadow_check_defined(BASE, 100, &bad), SHADOW_OK);
    assert_int_equal(shadow_check_defined(BASE, 400, &bad), SHADOW_BAD_VALUE);
    assert_int_equal(bad, BASE + 100);
    assert_int_equal(shadow_check_addressable(BASE, 400, &bad), SHADOW_BAD_ADDRESS);
    assert_int_equal(bad, BASE + 200);
    assert_int_equal(shadow_check_defined(BASE + 150, 400, &bad), SHADOW_BAD_ADDRESS);
    assert_false(shadow_all_defined(BASE + 149, 1));
    assert_true(shadow_all_defined(BASE + 150, 50));
    shadow_set_defined_if_addressable(BASE, LEN);
    assert_int_equal(shadow_vbits(BASE + 120), 0);
    assert_false(shadow_is_addressable(BASE + 205));
}

static void test_outside_of_the_client(void **state)
{
    (void)state;
    GuestAddr bad;
    shadow_set_noaccess(GIMLE_CLIENT_END, 100);
    shadow_set_noaccess(~0ULL - 10, 100);
    assert_int_equal(shadow_check_addressable(GIMLE_CLIENT_END, 1, &bad), SHADOW_BAD_ADDRESS);
    assert_int_equal(shadow_check_defined(~0ULL, 8, &bad), SHADOW_BAD_ADDRESS);
    assert_int_equal(shadow_check_defined(~0ULL, 0, &bad), SHADOW_OK);
    assert_false(shadow_is_addressable(GIMLE_CLIENT_END + 5));
}

/** A byte may have V bits that look like the reserved pattern. */
static void test_pattern_bytes(void **state)
{
    (void)state;
    GuestAddr bad;
    shadow_set_vbits(BASE + 8, SH_NOACCESS);
    assert_true(shadow_is_addressable(BASE + 8));
    assert_int_equal(shadow_vbits(BASE + 8), SH_NOACCESS);
    assert_int_equal(shadow_check_addressable(BASE, 64, &bad), SHADOW_OK);
    assert_int_equal(shadow_check_defined(BASE, 64, &bad), SHADOW_BAD_VALUE);
    assert_int_equal(bad, BASE + 8);
    /* A copy takes it along; making the range nobody's forgets it. */
    shadow_copy(BASE, BASE + 1000, 64);
    assert_int_equal(shadow_vbits(BASE + 1008), SH_NOACCESS);
    assert_true(shadow_is_addressable(BASE + 1008));
    shadow_set_noaccess(BASE, 64);
    assert_false(shadow_is_addressable(BASE + 8));
    assert_true(shadow_is_addressable(BASE + 1008));
    shadow_set_noaccess(BASE + 1000, LEN - 1000);
    assert_false(shadow_is_addressable(BASE + 1008));
}

static void test_copies(void **state)
{
    (void)state;
    for (int i = 0; i < 32; i++)
        shadow_set_vbits(BASE + (GuestAddr)i, (uint8_t)(i * 3));
    shadow_copy(BASE, BASE + 5, 32);
    for (int i = 0; i < 32; i++)
        assert_int_equal(shadow_vbits(BASE + 5 + (GuestAddr)i), (uint8_t)(i * 3));
    /* Bytes that nobody owns stay so, and count as defined where they are copied to. */
    shadow_set_undefined(BASE + 500, 16);
    shadow_set_noaccess(BASE + 500, 4);
    shadow_set_noaccess(BASE + 608, 4);
    shadow_copy(BASE + 500, BASE + 600, 16);
    assert_int_equal(shadow_vbits(BASE + 600), 0);
    assert_int_equal(shadow_vbits(BASE + 604), SH_UNDEFINED);
    assert_false(shadow_is_addressable(BASE + 608));
    assert_int_equal(shadow_vbits(BASE + 612), SH_UNDEFINED);
    /* Downwards over itself. */
    shadow_set_defined(BASE, 100);
    shadow_set_undefined(BASE + 50, 10);
    shadow_set_noaccess(BASE + 70, 1);
    shadow_copy(BASE + 50, BASE + 45, 20);
    assert_int_equal(shadow_vbits(BASE + 45), SH_UNDEFINED);
    assert_int_equal(shadow_vbits(BASE + 54), SH_UNDEFINED);
    assert_int_equal(shadow_vbits(BASE + 55), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_ranges, clear),
        cmocka_unit_test_teardown(test_outside_of_the_client, clear),
        cmocka_unit_test_teardown(test_pattern_bytes, clear),
        cmocka_unit_test_teardown(test_copies, clear),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
