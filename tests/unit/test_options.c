/* SPDX-License-Identifier: MIT */
/* The command line: each type of option, sources and their order, mistakes, help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "coregrind/core/options.h"
#include "gimle/tool.h"

static bool flag;
static int64_t number;
static int choice;
static unsigned set;
static const char *text;
static const GimleOption rows[] = {
    { "--flag", OPT_BOOL, &flag, NULL, 0, 0, "a truth", NULL },
    { "--number", OPT_INT, &number, "things", 1, 10, "a number", NULL },
    { "--choice", OPT_CHOICE, &choice, "no|summary|full", 0, 0, "a choice", NULL },
    { "--set", OPT_SET, &set, "a|b|c", 0, 0, "a set", NULL },
    { "--text", OPT_STRING, &text, NULL, 0, 0, "a text", NULL },
    { 0 },
};

static char dir[] = "/tmp/gimle-test-XXXXXX";

/** Parse these arguments (ends with NULL); returns the index of the program. */
static int parse(const char *const *args)
{
    int argc = 0;
    static char *argv[32];
    for (; args[argc]; argc++)
        argv[argc] = (char *)args[argc];
    argv[argc] = NULL;
    options_reset();
    int i = options_collect(argc, argv);
    options_parse("mytool", rows, "Mytool", NULL);
    return i;
}

#define PARSE(...) parse((const char *const[]){ "gimle", __VA_ARGS__, NULL })

/** What a child that parses these prints (stdout and stderr) and its exit status. */
static int run(const char *const *args, char *out, size_t size)
{
    int p[2], status;
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(p[1], 1);
        dup2(p[1], 2);
        parse(args);
        _exit(77);
    }
    close(p[1]);
    size_t n = 0;
    for (ssize_t r; n < size - 1 && (r = read(p[0], out + n, size - 1 - n)) > 0;)
        n += (size_t)r;
    out[n] = 0;
    close(p[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check_mistake(const char *arg, const char *line)
{
    char out[4096];
    const char *args[] = { "gimle", arg, "./prog", NULL };
    assert_int_equal(run(args, out, sizeof out), 1);
    assert_string_equal(out, line);
}

static void test_types(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--flag=yes", "--number=7", "--choice=full", "--set=a,c", "--text=x=y",
                           "-q", "-q", "--num-callers=30", "--suppressions=s1", "--suppressions=s2",
                           "prog", "-v"), 11);
    assert_true(flag);
    assert_int_equal(number, 7);
    assert_int_equal(choice, 2);
    assert_int_equal(set, 5);
    assert_string_equal(text, "x=y");
    assert_int_equal(core_options->quiet, 2);
    assert_int_equal(core_options->verbose, 0);
    assert_int_equal(core_options->num_callers, 30);
    assert_int_equal(core_options->suppressions.n, 2);
    assert_string_equal(core_options->suppressions.item[1], "s2");
    assert_string_equal(gimle_client_argv()[0], "prog");
    assert_string_equal(gimle_client_argv()[1], "-v");
    assert_int_equal(gimle_core_option("num-callers"), 30);
    assert_int_equal(gimle_core_option("quiet"), 2);
    assert_int_equal(gimle_core_option("nonsense"), -1);
    PARSE("--set=none", "--chaos=all", "--tool=other", "--", "-prog");
    assert_int_equal(set, 0);
    assert_int_equal(core_options->chaos,
                     CHAOS_REGALLOC | CHAOS_TCACHE | CHAOS_SIGNALS | CHAOS_SCHED | CHAOS_END);
    assert_string_equal(options_tool_name(), "other");
    assert_string_equal(gimle_client_argv()[0], "-prog");
}

static void test_trace_flags(void **state)
{
    (void)state;
    PARSE("--trace-flags=10000001", "--trace-at=0x401000", "p");
    assert_int_equal(core_options->trace_flags, 2 | 32);
    assert_int_equal(core_options->trace_at, 0x401000);
    PARSE("--trace-flags=guest,opt", "p");
    assert_int_equal(core_options->trace_flags, 1 | 8);
}

static void test_tool_prefix(void **state)
{
    (void)state;
    number = 1;
    PARSE("--mytool:number=5", "--other:number=77", "--other:no-such-thing", "p");
    assert_int_equal(number, 5);
    check_mistake("--mytool:nope=1", "gimle: Unknown option: --nope=1 (--help lists the options)\n");
}

static void test_mistakes(void **state)
{
    (void)state;
    check_mistake("--foo", "gimle: Unknown option: --foo (--help lists the options)\n");
    check_mistake("--flag", "gimle: Unknown option: --flag (--help lists the options)\n");
    check_mistake("--flag=maybe", "gimle: Bad option: --flag=maybe: Invalid boolean value 'maybe' "
                                  "(should be 'yes' or 'no')\n");
    check_mistake("--number=abc", "gimle: Bad option: --number=abc: Invalid integer value 'abc'\n");
    check_mistake("--number=1.5", "gimle: Bad option: --number=1.5: Invalid integer value '1.5'\n");
    check_mistake("--number=99999999999999999999",
                  "gimle: Bad option: --number=99999999999999999999: Invalid integer value "
                  "'99999999999999999999'\n");
    check_mistake("--number=11",
                  "gimle: Bad option: --number=11: '--number' argument must be between 1 and 10\n");
    check_mistake("--choice=x", "gimle: Bad option: --choice=x: Invalid value 'x' (should be one of "
                                "no|summary|full)\n");
    check_mistake("--set=a,z", "gimle: Bad option: --set=a,z: a,z is an invalid set set\n");
    check_mistake("--trace-at=zz", "gimle: Bad option: --trace-at=zz: not an address (0x followed by "
                                   "hexadecimal digits)\n");
    check_mistake("--xml=yes", "gimle: Bad option: --xml=yes: --xml=yes needs a destination: --xml-fd, "
                               "--xml-file or --xml-socket\n");
}

static void test_no_program(void **state)
{
    (void)state;
    char out[256];
    const char *args[] = { "gimle", "-q", NULL };
    assert_int_equal(run(args, out, sizeof out), 1);
    assert_string_equal(out, "gimle: no program specified (use --help for more information)\n");
}

static void test_version_and_help(void **state)
{
    (void)state;
    static char out[65536];
    const char *version[] = { "gimle", "-v", "--version", "--foo", NULL };
    assert_int_equal(run(version, out, sizeof out), 0);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "gimle-%s\n", options_version());
    assert_string_equal(out, wanted);
    const char *help[] = { "gimle", "--help", "--number=3", NULL };
    number = 4;
    assert_int_equal(run(help, out, sizeof out), 0);
    assert_non_null(strstr(out, "    --number=<things>         a number [4]\n"));
    assert_non_null(strstr(out, "    --choice=no|summary|full  a choice"));
    assert_non_null(strstr(out, "--suppressions=<file>"));
    assert_null(strstr(out, "--chaos"));
    const char *debug[] = { "gimle", "--help-debug", NULL };
    assert_int_equal(run(debug, out, sizeof out), 0);
    assert_non_null(strstr(out, "--chaos"));
}

static void spew(const char *name, const char *content, mode_t mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void test_sources(void **state)
{
    (void)state;
    char home[256];
    snprintf(home, sizeof home, "%s/home", dir);
    mkdir(home, 0755);
    spew("home/.valgrindrc", "--num-callers=1 --number=1\n", 0644);
    spew(".valgrindrc", "--num-callers=3\n  --choice=summary", 0644);
    setenv("HOME", home, 1);
    setenv("VALGRIND_OPTS", "--num-callers=2\t--number=2 --text=env", 1);
    assert_int_equal(chdir(dir), 0);
    PARSE("p");
    assert_int_equal(core_options->num_callers, 3);
    assert_int_equal(number, 2);
    assert_int_equal(choice, 1);
    assert_string_equal(text, "env");
    PARSE("--num-callers=4", "p");
    assert_int_equal(core_options->num_callers, 4);
    unsigned n;
    options_command_line(&n);
    assert_int_equal(n, 1);
    options_all(&n);
    assert_int_equal(n, 8);
    PARSE("--command-line-only=yes", "p");
    assert_int_equal(core_options->num_callers, 12);
    spew(".valgrindrc", "--num-callers=3\n", 0666); /* anybody may write it: not obeyed */
    char out[512];
    const char *args[] = { "gimle", "p", NULL };
    assert_int_equal(run(args, out, sizeof out), 77);
    assert_non_null(strstr(out, ".valgrindrc is ignored"));
    unsetenv("VALGRIND_OPTS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),      cmocka_unit_test(test_trace_flags),
        cmocka_unit_test(test_tool_prefix), cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_no_program), cmocka_unit_test(test_version_and_help),
        cmocka_unit_test(test_sources),
    };
    if (!mkdtemp(dir))
        return 99;
    setenv("HOME", dir, 1);
    unsetenv("VALGRIND_OPTS");
    if (chdir("/") != 0)
        return 99;
    int bad = cmocka_run_group_tests(tests, NULL, NULL);
    char cmd[64];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd) != 0 || bad != 0;
}
