/* SPDX-License-Identifier: MIT */
/* Reports to the letter: text and XML of errors, counting, limits, descriptions, file names. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "coregrind/core/host_fd.h"
#include "coregrind/report/report_internal.h"
#include "fake_client.h"
#include "fake_tool.h"
#include "gimle/tool.h"

static const FakeFunction functions[] = {
    { .lo = 0x1000, .hi = 0x1100, .fn = "f", .file = "a.c", .dir = "/src/x", .line = 4, .obj = "/bin/a" },
    { .lo = 0x1100, .hi = 0x1200, .fn = "g<int>(char&)", .fn_raw = "_Zg", .file = "g.cpp", .dir = "/src",
      .line = 9, .obj = "/bin/a", .inlined_fn = "inl" },
    { .lo = 0x1200, .hi = 0x1300, .fn = "main", .file = "a.c", .dir = "/src/x", .line = 7, .obj = "/bin/a" },
    { .lo = 0x2000, .hi = 0x2100, .fn = "__libc_start_call_main", .obj = "/lib/libc.so.6" },
    { .lo = 0x3000, .hi = 0x3100, .obj = "/lib/libx.so.1" },
    { .lo = 0x5000, .hi = 0x5040, .fn = "data_glob", .obj = "/bin/a" },
    { .hi = 0 },
};

static char dir[] = "/tmp/gimle-test-XXXXXX";
static const char *const client[] = { "./prog", "a b", NULL };

static char *slurp(const char *name)
{
    static char buf[1 << 20];
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(buf, 1, sizeof buf - 1, f);
    buf[n] = 0;
    fclose(f);
    return buf;
}

/** The log with "PID" for our pid. */
static char *log_text(const char *name)
{
    static char out[1 << 20];
    char pid[16], *w = out;
    size_t n = (size_t)snprintf(pid, sizeof pid, "%d", (int)getpid());
    for (const char *s = slurp(name); *s;) {
        if (strncmp(s, pid, n) == 0) {
            w = stpcpy(w, "PID");
            s += n;
        } else {
            *w++ = *s++;
        }
    }
    *w = 0;
    return out;
}

/** Start a run with the log (or XML) in files of the test directory. */
static void start(const char *const *extra)
{
    static char log[128], xml[128];
    static char *argv[32] = { "gimle", log, xml };
    int argc = 3;
    snprintf(log, sizeof log, "--log-file=%s/log", dir);
    snprintf(xml, sizeof xml, "--xml-file=%s/xml", dir);
    for (; extra && *extra; extra++)
        argv[argc++] = (char *)*extra;
    argv[argc++] = "./prog";
    argv[argc] = NULL;
    options_reset();
    error_store_forget_all();
    suppress_forget_all();
    assert_int_equal(options_collect(argc, argv), argc - 1);
    options_parse("faketool", NULL, "Faketool", NULL);
    report_init(&fake_tool);
    report_banner(client);
    fake_functions = functions;
}

#define START(...) start((const char *const[]){ __VA_ARGS__, NULL })

static void set_stack(unsigned n, ...)
{
    va_list ap;
    va_start(ap, n);
    for (unsigned i = 0; i < n; i++)
        fake_pcs[i] = va_arg(ap, int);
    va_end(ap);
    fake_depth = n;
}

static void test_text(void **state)
{
    (void)state;
    START("-s");
    set_stack(5, 0x1010, 0x1120, 0x3021, 0x1221, 0x2021);
    assert_true(gimle_error(fake_thread(1), 1, 0xabc, NULL, NULL, NULL));
    assert_false(gimle_error(fake_thread(1), 1, 0xabc, NULL, NULL, NULL));
    report_set_thread_name(2, "worker");
    set_stack(2, 0x4000, 0x2021);
    assert_true(gimle_error(fake_thread(2), 1, 0, NULL, NULL, NULL));
    gimle_umsg("one\ntwo");
    gimle_umsg(" more\n");
    report_client_message(fake_thread(1), "hello\n", NULL);
    report_client_ended();
    report_summary();
    report_close();
    char wanted[4096];
    snprintf(wanted, sizeof wanted,
        "==PID== Faketool, a test\n"
        "==PID== (c)\n"
        "==PID== Using Valgrind-3.19.0 compatible Gimle-%s and LibVEX; rerun with -h for copyright info\n"
        "==PID== Command: ./prog a\\ b\n"
        "==PID== Parent PID: %d\n"
        "==PID== \n"
        "==PID== Bad thing of size 1\n"
        "==PID==    at 0x1010: f (a.c:4)\n"
        "==PID==    by 0x111F: inl (g.cpp:109)\n"
        "==PID==    by 0x111F: g<int>(char&) (g.cpp:9)\n"
        "==PID==    by 0x3020: ??? (in /lib/libx.so.1)\n"
        "==PID==    by 0x1220: main (a.c:7)\n"
        "==PID==  Address 0xabc is <odd>\n"
        "==PID== \n"
        "==PID== Thread 2 worker:\n"
        "==PID== Bad thing of size 1\n"
        "==PID==    at 0x4000: ???\n"
        "==PID==    by 0x2020: (below main) (in /lib/libc.so.6)\n"
        "==PID== \n"
        "==PID== one\n"
        "==PID== two more\n"
        "**PID** hello\n"
        "==PID== \n"
        "==PID== ERROR SUMMARY: 3 errors from 2 contexts (suppressed: 0 from 0)\n"
        "==PID== \n"
        "==PID== 1 errors in context 1 of 2:\n"
        "==PID== Bad thing of size 1\n"
        "==PID==    at 0x4000: ???\n"
        "==PID==    by 0x2020: (below main) (in /lib/libc.so.6)\n"
        "==PID== \n"
        "==PID== \n"
        "==PID== 2 errors in context 2 of 2:\n"
        "==PID== Bad thing of size 1\n"
        "==PID==    at 0x1010: f (a.c:4)\n"
        "==PID==    by 0x111F: inl (g.cpp:109)\n"
        "==PID==    by 0x111F: g<int>(char&) (g.cpp:9)\n"
        "==PID==    by 0x3020: ??? (in /lib/libx.so.1)\n"
        "==PID==    by 0x1220: main (a.c:7)\n"
        "==PID==  Address 0xabc is <odd>\n"
        "==PID== \n"
        "==PID== ERROR SUMMARY: 3 errors from 2 contexts (suppressed: 0 from 0)\n",
        options_version(), (int)getppid());
    assert_string_equal(log_text("log"), wanted);
    report_set_thread_name(2, NULL);
}

static void test_xml(void **state)
{
    (void)state;
    START("--xml=yes", "--xml-user-comment=<c/>", "--gen-suppressions=all");
    set_stack(2, 0x1010, 0x1120);
    assert_true(gimle_error(fake_thread(1), 1, 0xabc, NULL, NULL, NULL));
    report_client_ended();
    report_summary();
    report_close();
    const char *xml = log_text("xml");
    assert_non_null(strstr(xml,
        "<error>\n  <unique>0x0</unique>\n  <tid>1</tid>\n  <kind>BadThing</kind>\n"
        "  <what>Bad thing of size 1</what>\n  <stack>\n"
        "    <frame>\n      <ip>0x1010</ip>\n      <obj>/bin/a</obj>\n      <fn>f</fn>\n"
        "      <dir>/src/x</dir>\n      <file>a.c</file>\n      <line>4</line>\n    </frame>\n"));
    assert_non_null(strstr(xml, "      <fn>g&lt;int&gt;(char&amp;)</fn>\n"));
    assert_non_null(strstr(xml, "  <auxwhat>Address 0xabc is &lt;odd&gt;</auxwhat>\n  <suppression>\n"
        "    <sname>insert_a_suppression_name_here</sname>\n    <skind>Faketool:Bad</skind>\n"
        "    <sframe> <fun>f</fun> </sframe>\n"));
    assert_non_null(strstr(xml, "]]>\n    </rawtext>\n  </suppression>\n</error>\n\n"));
    assert_non_null(strstr(xml, "<tool>faketool</tool>\n<usercomment><c/></usercomment>\n\n<args>\n"));
    assert_non_null(strstr(xml, "  <argv>\n    <exe>./prog</exe>\n    <arg>a b</arg>\n  </argv>\n</args>\n\n<status>\n"
        "  <state>RUNNING</state>\n"));
    assert_non_null(strstr(xml, "<errorcounts>\n  <pair>\n    <count>1</count>\n    <unique>0x0</unique>\n"
        "  </pair>\n</errorcounts>\n\n<suppcounts>\n</suppcounts>\n\n</valgrindoutput>\n\n"));
    assert_string_equal(slurp("log"), "");
}

static void test_suppressed_and_disabled(void **state)
{
    (void)state;
    unsigned line;
    const char *why;
    char text[] = "{\n mine\n Faketool:Bad\n ...\n fun:main\n}\n";
    START("-q", "-s");
    assert_true(suppress_parse("mine.supp", text, &line, &why));
    set_stack(2, 0x1010, 0x1221);
    for (int i = 0; i < 3; i++)
        assert_false(gimle_error(fake_thread(1), 1, 0, NULL, NULL, NULL));
    set_stack(1, 0x1010);
    report_change_disabled(fake_thread(1), 1);
    assert_false(gimle_error(fake_thread(1), 1, 0, NULL, NULL, NULL));
    report_change_disabled(fake_thread(1), -1);
    assert_int_equal(gimle_error_count(), 0);
    report_summary();
    report_close();
    assert_string_equal(log_text("log"),
        "==PID== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 3 from 1)\n"
        "--PID-- \n"
        "--PID-- used_suppression:      3 mine mine.supp:2\n"
        "==PID== \n"
        "==PID== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 3 from 1)\n");
}

static void test_limits(void **state)
{
    (void)state;
    START("-q");
    for (int i = 0; i < 1100; i++) {
        set_stack(1, 0x10000 + i);
        gimle_error(fake_thread(1), 1, 0, NULL, NULL, NULL);
    }
    assert_int_equal(gimle_error_contexts(), 1000);
    report_close();
    const char *log = log_text("log");
    assert_non_null(strstr(log, "==PID== \n==PID== \n==PID== More than 100 errors detected.  Subsequent errors\n"
        "==PID== will still be recorded, but in less detail than before.\n==PID== Bad thing"));
    assert_non_null(strstr(log, "==PID== More than 1000 different errors detected.  I'm not reporting any more.\n"));
}

static void test_unique_errors(void **state)
{
    (void)state;
    START("-q", "--error-exitcode=9");
    const GuestAddr pcs[] = { 0x1010, 0x1221 };
    const StackTrace *t = gimle_stack_trace_intern(pcs, 2);
    assert_ptr_equal(t, gimle_stack_trace_intern(pcs, 2));
    assert_ptr_not_equal(t, gimle_stack_trace_intern(pcs, 1));
    assert_true(gimle_error_unique(NULL, 1, 0, NULL, NULL, t, false, false));
    assert_int_equal(report_exit_code(3), 3);
    assert_true(gimle_error_unique(NULL, 1, 0, NULL, NULL, t, true, true));
    assert_int_equal(gimle_error_count(), 1);
    assert_int_equal(report_exit_code(3), 9);
    report_close();
    assert_string_equal(log_text("log"), "==PID== Bad thing of size 1\n==PID==    at 0x1010: f (a.c:4)\n"
        "==PID==    by 0x1220: main (a.c:7)\n==PID== \n");
}

static void test_frame_options(void **state)
{
    (void)state;
    START("-q", "--fullpath-after=/src/", "--sym-offsets=yes", "--show-below-main=yes",
          "--error-markers=BEG,END");
    set_stack(3, 0x1010, 0x1221, 0x2021);
    gimle_error(fake_thread(1), 1, 0, NULL, NULL, NULL);
    report_close();
    assert_string_equal(log_text("log"), "==PID== BEG\n==PID== Bad thing of size 1\n"
        "==PID==    at 0x1010: f+16 (x/a.c:4)\n==PID==    by 0x1220: main+32 (x/a.c:7)\n"
        "==PID==    by 0x2020: __libc_start_call_main+32 (in /lib/libc.so.6)\n==PID== \n==PID== END\n");
}

static void test_merged_recursion(void **state)
{
    (void)state;
    START("-q", "--merge-recursive-frames=2");
    set_stack(8, 0x1010, 0x1021, 0x1021, 0x1021, 0x1030, 0x1040, 0x1030, 0x1040);
    const StackTrace *t = gimle_stack_trace(fake_thread(1));
    assert_int_equal(t->n, 4);
    assert_int_equal(t->pc[1], 0x1021);
    assert_int_equal(t->pc[3], 0x1040);
    report_close();
}

/** The lines about address @p a. */
static const char *describe(GuestAddr a)
{
    static char out[512];
    AddrDesc d;
    ErrorPrinter p = { .ops = &text_printer };
    gimle_describe_addr(fake_thread(1), a, &d);
    gimle_print_addr(&p, a, &d);
    snprintf(out, sizeof out, "%s", strbuf_text(&p.out));
    strbuf_free(&p.out);
    return out;
}

static void test_addresses(void **state)
{
    (void)state;
    START("-q");
    set_stack(2, 0x1010, 0x1221);
    fake_stack(0x7000, 0x6000, 0x8000);
    fake_sps[0] = 0x7000, fake_sps[1] = 0x7040;
    assert_string_equal(describe(0x7010),
        " Address 0x7010 is on thread 1's stack\n in frame #0, created by f (a.c:4)\n");
    assert_string_equal(describe(0x7050), " Address 0x7050 is on thread 1's stack\n");
    assert_string_equal(describe(0x6ff0),
        " Address 0x6ff0 is on thread 1's stack\n 16 bytes below stack pointer\n");
    assert_string_equal(describe(0x5004), " Address 0x5004 is 4 bytes inside data symbol \"glob\"\n");
    assert_string_equal(describe(0x3004), " Address 0x3004 is in the Text segment of /lib/libx.so.1\n");
    fake_mapping = (GuestMapping){ .start = 0x9000, .end = 0xa000, .prot = PROT_READ, .is_file = true,
                                   .path = "/etc/passwd" };
    assert_string_equal(describe(0x9003), " Address 0x9003 is in a r-- mapped file /etc/passwd segment\n");
    fake_mapping = (GuestMapping){ .start = 0x9000, .end = 0xa000, .prot = PROT_READ | PROT_WRITE };
    assert_string_equal(describe(0x9003), " Address 0x9003 is in a rw- anonymous segment\n");
    fake_mapping.is_brk = true;
    assert_string_equal(describe(0x9003), " Address 0x9003 is in the brk data segment 0x9000-0x9fff\n");
    assert_string_equal(describe(0x123), " Address 0x123 is not stack'd, malloc'd or (recently) free'd\n");
    report_close();
}

static void test_fatal_signals(void **state)
{
    (void)state;
    START("-q", "--main-stacksize=1000");
    set_stack(1, 0x1221);
    report_fatal_signal(fake_thread(1), SIGTERM, NULL, SI_USER, 0, NULL, false);
    report_fatal_signal(fake_thread(1), SIGILL, NULL, ILL_ILLOPC, 0x1221, NULL, false);
    report_fatal_signal(fake_thread(1), SIGSEGV, NULL, SI_KERNEL, 0, NULL, false);
    report_fatal_signal(fake_thread(1), SIGSEGV, NULL, SEGV_MAPERR, 0xabc, NULL, false);
    report_close();
    assert_string_equal(log_text("log"),
        "==PID== \n==PID== Process terminating with default action of signal 4 (SIGILL)\n"
        "==PID==  Illegal opcode at address 0x1221\n==PID==    at 0x1221: main (a.c:7)\n"
        "==PID== \n==PID== Process terminating with default action of signal 11 (SIGSEGV)\n"
        "==PID==  General Protection Fault\n==PID==    at 0x1221: main (a.c:7)\n"
        "==PID== \n==PID== Process terminating with default action of signal 11 (SIGSEGV)\n"
        "==PID==  Access not within mapped region at address 0xABC\n==PID==    at 0x1221: main (a.c:7)\n"
        "==PID==  If you believe this happened as a result of a stack\n"
        "==PID==  overflow in your program's main thread (unlikely but\n"
        "==PID==  possible), you can try to increase the size of the\n"
        "==PID==  main thread stack using the --main-stacksize= flag.\n"
        "==PID==  The main thread stack size used in this run was 1000.\n");
}

static void test_file_names(void **state)
{
    (void)state;
    char wanted[64], here[4096];
    setenv("GIMLE_TEST_VAR", "val", 1);
    char *name = gimle_expand_file_name("--log-file", "/a.%p.%%.%q{GIMLE_TEST_VAR}x");
    snprintf(wanted, sizeof wanted, "/a.%d.%%.valx", (int)getpid());
    assert_string_equal(name, wanted);
    free(name);
    /* relative to where the run began, wherever the program went */
    assert_non_null(getcwd(here, sizeof here));
    output_file_set_base();
    assert_int_equal(chdir("/"), 0);
    name = gimle_expand_file_name("--log-file", "b");
    assert_int_equal(chdir(here), 0);
    assert_true(strncmp(name, here, strlen(here)) == 0 && strcmp(name + strlen(here), "/b") == 0);
    free(name);
}

static void test_descriptors(void **state)
{
    (void)state;
    int fd = host_fd_dup(2);
    assert_true((unsigned long)fd >= host_fd_client_end() || fd >= (int)host_fd_client_limit() || fd >= 65536);
    assert_true(host_fd_is_core(fd));
    assert_false(host_fd_is_core(2));
    host_fd_close(fd);
    assert_false(host_fd_is_core(fd));
}

static void test_json(void **state)
{
    (void)state;
    char arg[128];
    snprintf(arg, sizeof arg, "--json-file=%s/json", dir);
    START("-q", arg);
    set_stack(1, 0x1010);
    gimle_error(fake_thread(1), 1, 0xabc, NULL, NULL, NULL);
    report_close();
    assert_string_equal(slurp("json"),
        "{\"unique\":0,\"tid\":1,\"kind\":\"BadThing\",\"what\":\"Bad thing of size 1\","
        "\"details\":[{\"stack\":[{\"ip\":\"0x1010\",\"obj\":\"/bin/a\",\"fn\":\"f\","
        "\"dir\":\"/src/x\",\"file\":\"a.c\",\"line\":4}]},{\"text\":\"Address 0xabc is <odd>\"}]}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),           cmocka_unit_test(test_xml),
        cmocka_unit_test(test_suppressed_and_disabled), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_unique_errors),  cmocka_unit_test(test_frame_options),
        cmocka_unit_test(test_merged_recursion), cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_file_names),     cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_json),           cmocka_unit_test(test_fatal_signals),
    };
    if (!mkdtemp(dir))
        return 99;
    setenv("HOME", dir, 1);
    unsetenv("VALGRIND_OPTS");
    host_fd_init();
    int bad = cmocka_run_group_tests(tests, NULL, NULL);
    char cmd[64];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd) != 0 || bad != 0;
}
