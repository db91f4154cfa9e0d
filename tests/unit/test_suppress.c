/* SPDX-License-Identifier: MIT */
/* Suppressions: grammar, mistakes with their lines, matching, generation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "coregrind/report/report_internal.h"
#include "fake_client.h"
#include "fake_tool.h"

static const FakeFunction functions[] = {
    { .lo = 0x1000, .hi = 0x1100, .fn = "f", .file = "a.c", .dir = "/src", .line = 4, .obj = "/bin/a" },
    { .lo = 0x1100, .hi = 0x1200, .fn = "ns::g(int)", .fn_raw = "_ZN2ns1gEi", .file = "g.cpp",
      .line = 9, .obj = "/bin/a", .inlined_fn = "inl" },
    { .lo = 0x1200, .hi = 0x1300, .fn = "main", .file = "a.c", .line = 7, .obj = "/bin/a" },
    { .lo = 0x2000, .hi = 0x2100, .fn = "__libc_start_call_main", .obj = "/lib/libc.so.6" },
    { .lo = 0x3000, .hi = 0x3100, .obj = "/lib/libx.so.1" },
    { .hi = 0 },
};

static GuestAddr pcs[] = { 0x1010, 0x1120, 0x3020, 0x1220, 0x2020 };

static GimleError error(int kind, const char *string)
{
    fake_functions = functions;
    return (GimleError){ .kind = kind, .string = string, .where = gimle_stack_trace_intern(pcs, 5) };
}

/** Parse; returns NULL or the reason, *line where. */
static const char *parse(const char *text, unsigned *line)
{
    const char *why = NULL;
    char *copy = strdup(text);
    suppress_forget_all();
    bool ok = suppress_parse("t.supp", copy, line, &why);
    free(copy);
    return ok ? NULL : why;
}

static void check_bad(const char *text, unsigned line, const char *reason)
{
    unsigned at = 0;
    const char *why = parse(text, &at);
    assert_non_null(why);
    assert_string_equal(why, reason);
    assert_int_equal(at, line);
}

static void test_mistakes(void **state)
{
    (void)state;
    check_bad("foo\n", 1, "expected '{' or end-of-file");
    check_bad("{\n  n\n  Faketool:Nope\n  fun:x\n}\n", 3, "unknown tool suppression type");
    check_bad("{\n  n\n  Faketool:Bad\n  xun:x\n}\n", 4,
              "location should be \"...\", or should start with \"fun:\", \"obj:\", or \"src:\"");
    check_bad("{\n  n\n  Faketool:Bad\n}\n", 4, "missing stack trace");
    check_bad("{\n  n\n  Faketool:Bad\n  fun:x\n", 4,
              "unexpected end-of-file (when reading stack trace)");
    check_bad("{\n  n\n  nocolon\n  fun:x\n}\n", 3, "malformed 'tool1,tool2,...:supp' line");
    check_bad("{\n  n\n  Faketool:Param\n  fun:x\n}\n", 4, "bad or missing extra suppression info");
    check_bad("{\n  n\n  Faketool:Bad\n  ...\n}\n", 5,
              "suppression must contain at least one location line which is not \"...\"");
    check_bad("{\n}\n", 2, "unexpected '}'");
    check_bad("# c\n\n{\n n", 4, "unexpected end-of-file (expecting tool:suppr)");
}

static bool covers(const char *frames)
{
    unsigned line;
    StrBuf b = { 0 };
    strbuf_printf(&b, "{\n n\n Faketool:Bad\n%s}\n", frames);
    assert_null(parse(b.s, &line));
    strbuf_free(&b);
    GimleError e = error(1, NULL);
    return suppress_match(&e) != NULL;
}

static void test_matching(void **state)
{
    (void)state;
    assert_true(covers(" fun:f\n"));
    assert_false(covers(" fun:g\n"));
    assert_false(covers(" fun:main\n"));
    assert_true(covers(" ...\n fun:main\n"));
    assert_true(covers(" fun:f\n fun:inl\n fun:_ZN2ns1gEi\n obj:/lib/libx.so*\n fun:main\n"));
    assert_true(covers(" fun:f\n ...\n fun:main\n fun:(below main)\n"));
    assert_true(covers(" fun:f\n ...\n fun:main\n fun:__libc_start_call_main\n"));
    assert_false(covers(" ...\n fun:main\n fun:f\n"));
    assert_true(covers(" src:a.c:4\n"));
    assert_false(covers(" src:a.c:5\n"));
    assert_true(covers(" src:?.c\n"));
    assert_true(covers(" ...\n src:g.*:109\n"));
    assert_true(covers(" obj:*\n fun:*\n fun:*\n fun:*\n"));
    assert_true(covers(" ...\n ...\n obj:*libc.so*\n"));
    assert_false(covers(" fun:f\n fun:inl\n fun:_ZN2ns1gEi\n obj:*\n fun:main\n obj:*\n obj:*\n"));
}

static void test_tools_and_extra(void **state)
{
    (void)state;
    unsigned line;
    size_t n;
    GimleError e = error(2, "write(buf)");
    assert_null(parse("{\n n\n Other:Whatever\n }x\n fun:f\n}\n{\n m\n A,Faketool,B:Param\n read(buf)\n fun:f\n}\n",
                      &line));
    assert_null(suppress_match(&e));
    assert_int_equal((suppress_list(&n), n), 1);
    assert_null(parse("{\n m m\n A,Faketool:Param\n\n# c\n write(buf)\n fun:f  \n}\n", &line));
    Suppression *s = suppress_match(&e);
    assert_non_null(s);
    assert_string_equal(s->name, "m m");
    assert_int_equal(s->line, 2);
}

static void test_wildcards(void **state)
{
    (void)state;
    assert_true(suppress_wildcard("*", ""));
    assert_true(suppress_wildcard("a*b*c", "axxbyybzc"));
    assert_false(suppress_wildcard("a*b*c", "axxbyybz"));
    assert_true(suppress_wildcard("a?c", "abc"));
    assert_false(suppress_wildcard("a?c", "ac"));
    assert_false(suppress_wildcard("", "x"));
}

static void test_generation(void **state)
{
    (void)state;
    StrBuf b = { 0 };
    GimleError e = error(2, "write(buf)");
    suppress_generate(&e, &b);
    assert_string_equal(b.s, "{\n   <insert_a_suppression_name_here>\n   Faketool:Param\n   write(buf)\n"
                             "   fun:f\n   fun:inl\n   fun:_ZN2ns1gEi\n   obj:/lib/libx.so.1\n   fun:main\n}\n");
    unsigned line;
    assert_null(parse(b.s, &line)); /* what is generated can be read, and covers its error */
    assert_non_null(suppress_match(&e));
    strbuf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),       cmocka_unit_test(test_matching),
        cmocka_unit_test(test_tools_and_extra), cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_generation),
    };
    report_tool = &fake_tool;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
