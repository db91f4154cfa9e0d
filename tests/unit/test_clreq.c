/* SPDX-License-Identifier: MIT */
/* Client requests as the client's macros send them, and printf of client memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "VEX/state.h"
#include "coregrind/clreq/clreq.h"
#include "coregrind/clreq/guest_printf.h"
#include "coregrind/clreq/monitor.h"
#include "gimle/monitor.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/os/safe_copy.h"
#include "coregrind/report/report_internal.h"
#include "coregrind/syscall/fd_table.h"
#include "fake_client.h"
#include "fake_tool.h"

enum { RAX = 0, RDX = 2 };

/** The test's own memory is above what clients may have: no range check here. */
size_t gimle_read_guest(void *dst, GuestAddr src, size_t len) { return safe_read_some(src, dst, len); }

/* What the monitor commands about threads and descriptors would ask. */
void gimle_thread_for_each_stopped(void (*f)(void *ctx, Thread *t), void *ctx) { (void)f, (void)ctx; }
void fd_table_report(const char *when) { (void)when; }
void monitor_answer(Thread *t, uint32_t number, const MonitorHooks *h) { (void)t, (void)number, (void)h; }

static const FakeFunction functions[] = {
    { .lo = 0x1000, .hi = 0x1100, .fn = "f", .file = "a.c", .line = 4 }, { .hi = 0 },
};

/** Send a request; @p otherwise is the default result. */
static uint64_t request(uint64_t otherwise, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
    uint64_t args[6] = { a0, a1, a2, a3 };
    Thread *t = fake_thread(3);
    VexState *s = gimle_thread_state(t);
    s->guest.gpr[RAX] = (uint64_t)(uintptr_t)args;
    s->guest.gpr[RDX] = otherwise;
    clreq_handle(t);
    return s->guest.gpr[RDX];
}

static void check_printf(const char *wanted, const char *format, ...)
{
    StrBuf b = { 0 };
    va_list args;
    va_start(args, format);
    guest_printf(&b, (GuestAddr)(uintptr_t)format, (GuestAddr)(uintptr_t)args);
    va_end(args);
    assert_string_equal(strbuf_text(&b), wanted);
    strbuf_free(&b);
}

static void test_printf(void **state)
{
    (void)state;
    check_printf("plain", "plain");
    check_printf("    1|2    |00003|ff|0x10|c|str|5|6|%|         r|",
                 "%5d|%-5d|%05d|%x|%p|%c|%s|%lu|%lld|%%|%10s|", 1, 2, 3, 255, (void *)16, 'c', "str",
                 5UL, 6LL, "r");
    check_printf("-1 4294967295 -1 255 (null)", "%d %u %hhd %hhu %s", -1, -1, 255, 255, NULL);
    check_printf("1.50 2.5 x 1e+10 3.25", "%.2f %g %s %g %Lg", 1.5, 2.5, "x", 1e10, 3.25L);
    check_printf("   ab|ab   |abc", "%*s|%-5s|%.*s", 5, "ab", "ab", 3, "abcdef");
    check_printf("1 2 3 4 5 6 7 8 9", "%d %d %d %d %d %ld %d %d %d", 1, 2, 3, 4, 5, 6L, 7, 8, 9);
    check_printf("%n and", "%n and");
}

static void test_unreadable(void **state)
{
    (void)state;
    StrBuf b = { 0 };
    GuestAddr nowhere = 0x10;
    guest_printf(&b, nowhere, nowhere);
    guest_printf(&b, (GuestAddr)(uintptr_t)"<%s %d>", nowhere);
    assert_string_equal(strbuf_text(&b), "<(null) 0>");
    strbuf_free(&b);
    VexState *s = gimle_thread_state(fake_thread(1));
    s->guest.gpr[RAX] = nowhere;
    s->guest.gpr[RDX] = 7;
    clreq_handle(fake_thread(1));
    assert_int_equal(s->guest.gpr[RDX], 7);
}

static GuestAddr discarded;
static uint64_t called[6];
static void discard(GuestAddr a, uint64_t len) { discarded = a + len; }

static void call(Thread *t, GuestAddr fn, const uint64_t *args, unsigned n)
{
    (void)t;
    called[0] = fn;
    called[1] = n;
    memcpy(called + 2, args, n * sizeof *args);
}

static bool tool_request(Thread *t, const uint64_t args[6], uint64_t *result)
{
    (void)t;
    if (args[0] != 0x1301)
        return false;
    *result = args[1] + args[2];
    return true;
}

static char asked[100];

static bool tool_monitor(Thread *t, const char *command)
{
    (void)t;
    snprintf(asked, sizeof asked, "%s", command);
    return strncmp(command, "look", 4) == 0;
}

static uint64_t monitor(const char *command)
{
    asked[0] = 0;
    return request(9, 0x1202, (uint64_t)(uintptr_t)command, 0, 0);
}

static void test_monitor(void **state)
{
    static const char *const words[] = { "leak", "list", "listen", NULL };
    char text[] = " 0x10  0b101 8x", *rest = text;
    GuestAddr a;
    uint64_t n;
    (void)state;
    assert_int_equal(gimle_keyword("le", words, false), 0);
    assert_int_equal(gimle_keyword("list", words, false), 1);
    assert_int_equal(gimle_keyword("lis", words, false), -1);
    assert_int_equal(gimle_keyword("look", words, false), -1);
    assert_int_equal(gimle_keyword(NULL, words, false), -1);
    assert_true(gimle_parse_address(&rest, &a, &n));
    assert_int_equal(a, 0x10);
    assert_int_equal(n, 5);
    assert_false(gimle_parse_number(gimle_next_word(&rest), &n));
    assert_null(gimle_next_word(&rest));
    clreq_set_tool(NULL, NULL);
    assert_int_equal(monitor("look 1"), 1);
    clreq_set_tool(NULL, tool_monitor);
    assert_int_equal(monitor("look 1 2"), 0);
    assert_string_equal(asked, "look 1 2");
    assert_int_equal(monitor("unknown"), 1);
    assert_int_equal(monitor("v.unknown"), 1);
    assert_int_equal(monitor("v.info location 0x1000"), 0);
    assert_string_equal(asked, "v.info location 0x1000");
    assert_int_equal(request(9, 0x1202, 0x10, 0, 0), 1); /* no text there */
    clreq_set_tool(NULL, NULL);
}

static void test_core_requests(void **state)
{
    (void)state;
    static const ClreqHooks hooks = { .discard = discard, .client_call = call };
    clreq_set_hooks(&hooks);
    fake_functions = functions;
    assert_int_equal(request(0, 0x1001, 0, 0, 0), 1);
    assert_int_equal(request(9, 0x1002, 0x100, 0x20, 0), 0);
    assert_int_equal(discarded, 0x120);
    assert_int_equal(request(9, 0x1201, 0, 0, 0), 0);
    request(9, 0x1102, 0x4000, 77, 0);
    assert_int_equal(called[0], 0x4000);
    assert_int_equal(called[1], 2);
    assert_int_equal(called[2], 3); /* the thread's id */
    assert_int_equal(called[3], 77);
    char buf[64] = "x";
    request(0, 0x1701, 0x1010, (uint64_t)(uintptr_t)buf, 0);
    assert_string_equal(buf, "a.c:4");
    request(0, 0x1701, 0x9999, (uint64_t)(uintptr_t)buf, 0);
    assert_string_equal(buf, "");
    assert_int_equal(request(5, 0x1301, 2, 3, 0), 5); /* no tool: the default */
    clreq_set_tool(tool_request, NULL);
    assert_int_equal(request(5, 0x1301, 2, 4, 0), 6);
    assert_int_equal(request(5, 0x4d430000, 2, 4, 0), 5);
}

int main(void)
{
    static char *argv[] = { "gimle", "-q", "p", NULL };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printf), cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_monitor),
        cmocka_unit_test(test_core_requests),
    };
    host_fd_init();
    setenv("HOME", "/", 1);
    options_collect(3, argv);
    options_parse("faketool", NULL, "Faketool", NULL);
    report_init(&fake_tool);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
