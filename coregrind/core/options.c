/* SPDX-License-Identifier: MIT */
/*
 * The core's option table and the sources of options: ~/.valgrindrc, $VALGRIND_OPTS, ./.valgrindrc,
 * the command line, later ones winning.  Everything is collected first, since the tool must be known
 * before its rows are.
 */
#include "coregrind/core/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "config.h"
#include "coregrind/core/options_parse.h"
#include "gimle/report.h"
#include "gimle/tool.h"
#include "VEX/vex.h"

#define DEFAULTS                                                                           \
    {                                                                                      \
        .tool = "memcheck",                                                                \
        .xtree_memory_file = "xtmemory.kcg.%p",                                            \
        .log_fd = 2, .xml_fd = -1, .xml_protocol = 4,                                      \
        .color = 0,                                                                        \
        .demangle = true, .num_callers = 12, .error_limit = true,                          \
        .default_suppressions = true,                                                      \
        .vgdb = VGDB_YES, .vgdb_error = 999999999,                                          \
        .max_stackframe = 2000000, .alignment = 16, .redzone_size = -1,                    \
        .smc_check = SMC_ALL_NON_FILE, .read_inline_info = 2,                              \
        .run_libc_freeres = true, .run_cxx_freeres = true,                                 \
        .sigill_diagnostics = true, .max_threads = 500,                                    \
        .sanity_level = 1, .max_guest_insns = 64,                                          \
        .engine = ENGINE_COMPILE, .parallel = true,                                        \
    }
static const CoreOptions defaults = DEFAULTS;
static CoreOptions opt = DEFAULTS;
const CoreOptions *const core_options = &opt;

/* ---- options whose values are neither number nor name ----------------------------------- */

static const char *parse_hex(const char *value, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(value, &end, 0);
    return end == value || *end || errno ? "not an address (0x followed by hexadecimal digits)" : NULL;
}

static const char *parse_minaddr(const char *value) { return parse_hex(value, &opt.aspace_minaddr); }
static const char *parse_trace_at(const char *value) { return parse_hex(value, &opt.trace_at); }

/** Eight digits mean what they mean for Valgrind as far as we have such a stage. */
static const char *parse_trace_flags(const char *value)
{
    static const unsigned by_digit[8] = { VT_LIFT, VT_LIFT, VT_INSTRUMENT, VT_OPT,
                                          VT_GUEST, 0, VT_REGALLOC, VT_HOST };
    static const struct { const char *name; unsigned bit; } by_name[] = {
        { "guest", VT_GUEST }, { "lift", VT_LIFT }, { "instrument", VT_INSTRUMENT },
        { "opt", VT_OPT }, { "regalloc", VT_REGALLOC }, { "host", VT_HOST },
    };
    opt.trace_flags = 0;
    if (strlen(value) == 8 && strspn(value, "01") == 8) {
        for (int i = 0; i < 8; i++)
            opt.trace_flags |= value[i] == '1' ? by_digit[i] : 0;
        return NULL;
    }
    for (const char *s = value; *s;) {
        size_t n = strcspn(s, ","), i;
        for (i = 0; i < sizeof by_name / sizeof *by_name; i++)
            if (strlen(by_name[i].name) == n && memcmp(by_name[i].name, s, n) == 0)
                break;
        if (i == sizeof by_name / sizeof *by_name)
            return "should be 8 digits 0 or 1, or names of guest,lift,instrument,opt,regalloc,host";
        opt.trace_flags |= by_name[i].bit;
        s += n + (s[n] == ',');
    }
    return NULL;
}

/* ---- the table -------------------------------------------------------------------------- */

typedef enum OptGroup { GROUP_BASIC, GROUP_ERRORS, GROUP_HEAP, GROUP_UNCOMMON, GROUP_DEBUG } OptGroup;

#define OPT(group, name, type, field, choices, lo, hi, help)                               \
    { name, OPT_##type, &opt.field, choices, lo, hi, help, NULL },
#define FUNC(group, name, fn, value, help) { name, OPT_FUNC, NULL, value, 0, 0, help, fn },
#define ACCEPT(group, name, type, choices, lo, hi)                                         \
    { name, OPT_##type, NULL, choices, lo, hi, NULL, NULL },
static const GimleOption core_rows[] = {
#include "coregrind/core/options.def"
    { 0 }
};
#undef OPT
#undef FUNC
#undef ACCEPT

#define OPT(group, ...) GROUP_##group,
#define FUNC(group, ...) GROUP_##group,
#define ACCEPT(group, ...) GROUP_##group,
static const uint8_t core_groups[] = {
#include "coregrind/core/options.def"
};
#undef OPT
#undef FUNC
#undef ACCEPT

int64_t gimle_core_option(const char *name)
{
    for (const GimleOption *row = core_rows; row->name; row++)
        if (strcmp(row->name + strspn(row->name, "-"), name) == 0 && row->target)
            return option_number(row);
    return -1;
}

const char *gimle_core_option_text(const char *name)
{
    for (const GimleOption *row = core_rows; row->name; row++)
        if (strcmp(row->name + strspn(row->name, "-"), name) == 0 && row->type == OPT_STRING && row->target)
            return *(const char **)row->target;
    return NULL;
}

/* ---- sources ---------------------------------------------------------------------------- */

typedef VEC(const char *) StringVec;

static StringVec collected, for_tool;
static char *const *command_line;
static unsigned command_line_n;
static const char *argv0 = "gimle";
static char *const *client_argv;

const char *options_version(void) { return PACKAGE_VERSION; }
const char *options_argv0(void) { return argv0; }

bool options_as_valgrind(void)
{
    const char *slash = strrchr(argv0, '/');
    return strcmp(slash ? slash + 1 : argv0, "valgrind") == 0;
}

const char *options_program_name(void) { return options_as_valgrind() ? "valgrind" : "gimle"; }

/** End for a mistake in the options, in three lines as users of Valgrind know them. */
static _Noreturn void fail_as_valgrind(const char *kind, const char *option, const char *why)
{
    fprintf(stderr, "valgrind: %s: %s\n", kind, option);
    if (*why)
        fprintf(stderr, "valgrind: %s\n", why);
    fputs("valgrind: Use --help for more information or consult the user manual.\n", stderr);
    exit(1);
}

_Noreturn void options_bad(const char *option, const char *fmt, ...)
{
    StrBuf why = { 0 };
    va_list ap;
    va_start(ap, fmt);
    strbuf_vprintf(&why, fmt, ap);
    va_end(ap);
    if (options_as_valgrind())
        fail_as_valgrind("Bad option", option, strbuf_text(&why));
    gimle_user_error("Bad option: %s: %s", option, strbuf_text(&why));
}

/** Split at white space and collect; @p text is kept (the options point into it). */
static void collect_text(char *text)
{
    for (char *save, *w = strtok_r(text, " \t\n\r\f\v", &save); w;
         w = strtok_r(NULL, " \t\n\r\f\v", &save))
        vec_push(&collected, w);
}

/** Read dir/.valgrindrc; with @p checked only if nobody else can have written it. */
static void collect_file(const char *dir, bool checked)
{
    StrBuf path = { 0 }, text = { 0 };
    strbuf_printf(&path, "%s/.valgrindrc", dir);
    FILE *f = fopen(path.s, "re");
    struct stat st;
    if (f && fstat(fileno(f), &st) == 0) {
        if (!S_ISREG(st.st_mode)) {
            /* a directory or device of that name has no options */
        } else if (checked && (st.st_uid != geteuid() || (st.st_mode & S_IWOTH))) {
            fprintf(stderr, "gimle: %s is ignored: it belongs to somebody else or everybody may "
                            "write it\n", path.s);
        } else {
            char buf[4096];
            for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;)
                strbuf_add(&text, buf, n);
        }
    }
    if (f)
        fclose(f);
    strbuf_free(&path);
    if (text.s)
        collect_text(text.s);
}

static bool same_directory(const char *a, const char *b)
{
    struct stat sa, sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev
           && sa.st_ino == sb.st_ino;
}

static void collect_environment(void)
{
    const char *home = getenv("HOME"), *env = getenv("VALGRIND_OPTS");
    if (home)
        collect_file(home, false);
    if (env) {
        char *copy = strdup(env);
        CHECK(copy != NULL, "out of memory");
        collect_text(copy);
    }
    if (!home || !same_directory(home, "."))
        collect_file(".", true);
}

int options_collect(int argc, char **argv)
{
    int i = 1;
    bool only_us = false, version = false;
    output_file_set_base();
    if (argc > 0)
        argv0 = argv[0];
    for (; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0; i++) {
        only_us |= strcmp(argv[i], "--command-line-only=yes") == 0;
        version |= strcmp(argv[i], "--version") == 0;
    }
    if (version) {
        if (options_as_valgrind()) /* scripts compare this version */
            puts("valgrind-" OPTIONS_VALGRIND_VERSION);
        else
            printf("gimle-%s\n", options_version());
        exit(0);
    }
    if (!only_us)
        collect_environment();
    command_line = argv + (argc > 0);
    command_line_n = i > 0 ? (unsigned)i - (argc > 0) : 0;
    for (unsigned k = 0; k < command_line_n; k++)
        vec_push(&collected, command_line[k]);
    if (i < argc && strcmp(argv[i], "--") == 0)
        i++;
    opt.tool = defaults.tool;
    for (size_t k = 0; k < collected.n; k++)
        if (strncmp(collected.data[k], "--tool=", 7) == 0)
            opt.tool = collected.data[k] + 7;
    client_argv = argv + i;
    return i;
}

const char *options_tool_name(void) { return opt.tool; }
const char *const *gimle_client_argv(void) { return (const char *const *)client_argv; }

char *const *options_command_line(unsigned *n)
{
    *n = command_line_n;
    return command_line;
}

const char *const *options_all(unsigned *n)
{
    *n = (unsigned)collected.n;
    return collected.data;
}

const char *const *gimle_tool_options(unsigned *n)
{
    *n = (unsigned)for_tool.n;
    return for_tool.data;
}

/* ---- parsing ---------------------------------------------------------------------------- */

/**
 * "--memcheck:leak-check=full" is "--leak-check=full" for memcheck and nothing for others.
 * Returns the argument to parse (possibly new memory, kept for ever), NULL to ignore it.
 */
static const char *strip_tool_prefix(const char *arg, const char *tool_name)
{
    const char *s = arg + 2;
    if (strncmp(arg, "--", 2) != 0)
        return arg;
    while (isalnum((unsigned char)*s) || *s == '-' || *s == '_')
        s++;
    if (*s != ':')
        return arg;
    size_t n = (size_t)(s - arg) - 2;
    if (strlen(tool_name) != n || memcmp(tool_name, arg + 2, n) != 0)
        return NULL;
    char *plain = malloc(strlen(s) + 2);
    CHECK(plain != NULL, "out of memory");
    sprintf(plain, "--%s", s + 1);
    return plain;
}

static void parse_one(const char *arg, const GimleOption *tool_rows)
{
    StrBuf why = { 0 };
    OptResult r = option_parse_arg(core_rows, arg, &why);
    if (r == OPTION_UNKNOWN && tool_rows) {
        r = option_parse_arg(tool_rows, arg, &why);
        if (r == OPTION_TAKEN)
            vec_push(&for_tool, arg);
    }
    if (r == OPTION_BAD)
        options_bad(arg, "%s", strbuf_text(&why));
    if (r == OPTION_UNKNOWN && options_as_valgrind())
        fail_as_valgrind("Unknown option", arg, "");
    if (r == OPTION_UNKNOWN)
        gimle_user_error("Unknown option: %s (--help lists the options)", arg);
    strbuf_free(&why);
}

/* ---- changes while the program runs --------------------------------------------------------- */

/** Those that may change, the tools' too; with '=' only this very text. */
static const char *const dynamic[] = {
    "-v", "--verbose", "-q", "--quiet", "-d", "--stats", "--vgdb=no", "--vgdb=yes", "--vgdb=full",
    "--vgdb-poll", "--vgdb-error", "--vgdb-stop-at", "--error-markers", "--show-error-list", "-s",
    "--show-below-main", "--time-stamp", "--trace-children", "--child-silent-after-fork",
    "--trace-sched", "--trace-signals", "--trace-symtab", "--trace-cfi", "--trace-redir",
    "--trace-syscalls", "--sym-offsets", "--progress-interval", "--merge-recursive-frames",
    "--vex-iropt-verbosity", "--suppressions", "--trace-flags", "--trace-notbelow",
    "--trace-notabove", "--profile-flags", "--gen-suppressions=no", "--gen-suppressions=yes",
    "--gen-suppressions=all", "--errors-for-leak-kinds", "--show-leak-kinds",
    "--leak-check-heuristics", "--show-reachable", "--show-possibly-lost", "--freelist-vol",
    "--freelist-big-blocks", "--leak-check=no", "--leak-check=summary", "--leak-check=yes",
    "--leak-check=full", "--ignore-ranges", "--ignore-range-below-sp", "--show-mismatched-frees",
};

static const GimleOption *tool_table;
static const char *tool_short_name = "";

/** The name under which @p arg may change, or NULL. */
static const char *dynamic_name(const char *arg)
{
    size_t n = strcspn(arg, "=");
    for (size_t i = 0; i < sizeof dynamic / sizeof *dynamic; i++)
        if (strcmp(arg, dynamic[i]) == 0 || (strlen(dynamic[i]) == n && !memcmp(dynamic[i], arg, n)))
            return dynamic[i];
    return NULL;
}

static bool is_known(const GimleOption *rows, const char *arg)
{
    for (; rows && rows->name; rows++)
        if (strlen(rows->name) == strcspn(arg, "=") && strncmp(rows->name, arg, strlen(rows->name)) == 0)
            return true;
    return false;
}

void options_change(const char *text, StrBuf *said)
{
    bool quiet = opt.quiet > opt.verbose;
    char *copy = strdup(text); /* options point into it */
    CHECK(copy != NULL, "out of memory");
    const char *arg = strip_tool_prefix(copy, tool_short_name);
    if (!arg)
        return;
    const char *name = dynamic_name(arg);
    bool known = is_known(core_rows, arg) || is_known(tool_table, arg);
    if (!known || !name) {
        if (!quiet && known)
            strbuf_printf(said, "Cannot change %.*s option dynamically\n", (int)strcspn(arg, "="), arg);
        else if (!quiet)
            strbuf_printf(said, "Ignoring dynamic change to unrecognised option %s\n", arg);
        return;
    }
    if (!quiet)
        strbuf_printf(said, "Handling new value %s for option %s\n", arg, name);
    StrBuf why = { 0 };
    OptResult r = option_parse_arg(core_rows, arg, &why);
    if (r == OPTION_UNKNOWN)
        r = option_parse_arg(tool_table, arg, &why);
    if (r != OPTION_TAKEN)
        strbuf_printf(said, "Bad option: %s\n%s\n", arg, strbuf_text(&why));
    strbuf_free(&why);
}

void options_set_merge_recursive_frames(int64_t n) { opt.merge_recursive_frames = n; }

/* ---- help and everything together ------------------------------------------------------------ */

/** Help is built before anything is parsed, so that it shows the defaults. */
static char *make_help(bool debug, const GimleOption *tool_rows, const char *title,
                       const char *footer)
{
    static const struct { OptGroup group; const char *title; } groups[] = {
        { GROUP_BASIC, "Options for every tool (defaults in brackets)" },
        { GROUP_ERRORS, "Options for tools that report errors" },
        { GROUP_HEAP, "Options for tools that replace malloc" },
        { GROUP_UNCOMMON, "Seldom needed options for every tool" },
        { GROUP_DEBUG, "Options for debugging Gimle" },
    };
    StrBuf b = { 0 };
    strbuf_adds(&b, "usage: gimle [options] program [arguments]\n");
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        if (groups[g].group == GROUP_DEBUG && !debug)
            continue;
        strbuf_printf(&b, "\n  %s:\n", groups[g].title);
        for (size_t i = 0; i < sizeof core_groups; i++)
            if (core_groups[i] == groups[g].group)
                option_help_line(&core_rows[i], &b);
    }
    strbuf_printf(&b, "\n  Options of %s:\n", title);
    size_t before = b.len;
    for (const GimleOption *row = tool_rows; row && row->name; row++)
        option_help_line(row, &b);
    if (b.len == before)
        strbuf_adds(&b, "    (none)\n");
    if (footer)
        strbuf_adds(&b, footer);
    strbuf_adds(&b, "\n  Options are also read from ~/.valgrindrc, $VALGRIND_OPTS and ./.valgrindrc.\n");
    return b.s;
}

/** Combinations that make no sense. */
static void check_combinations(void)
{
    bool destination = opt.xml_fd >= 0 || opt.xml_file || opt.xml_socket;
    if (opt.xml && !destination)
        options_bad("--xml=yes", "--xml=yes needs a destination: --xml-fd, --xml-file or --xml-socket");
    if (opt.xml && opt.gen_suppressions == GEN_SUPP_YES)
        options_bad("--gen-suppressions=yes", "with --xml=yes nothing can be asked; use --gen-suppressions=all");
    if (opt.exit_on_first_error && opt.error_exitcode == 0)
        options_bad("--exit-on-first-error=yes", "it needs an exit status: --error-exitcode=<number> other than 0");
    if (opt.alignment & (opt.alignment - 1))
        options_bad("--alignment", "the alignment must be a power of two");
    if (!opt.xml)
        opt.xml_fd = -1, opt.xml_file = opt.xml_socket = NULL;
    int level = opt.verbose - opt.quiet; /* each -q takes back a -v */
    opt.verbose = level > 0 ? level : 0;
    opt.quiet = level < 0 ? -level : 0;
    if (opt.verbose)
        opt.show_error_list = true;
    if (opt.show_error_list_flag)
        opt.show_error_list = true;
    if (opt.json_file)
        opt.json = true;
}

void options_parse(const char *tool_name, const GimleOption *rows, const char *title,
                   const char *footer)
{
    const char *tool = opt.tool;
    char *help = NULL;
    tool_table = rows;
    tool_short_name = tool_name;
    opt.tool = defaults.tool; /* for --help */
    for (size_t i = 0; i < collected.n && !help; i++) {
        const char *a = collected.data[i];
        if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0 || strcmp(a, "--help-dyn-options") == 0)
            help = make_help(false, rows, title, footer);
        else if (strcmp(a, "--help-debug") == 0)
            help = make_help(true, rows, title, footer);
    }
    if (help) {
        fputs(help, stdout);
        exit(fflush(stdout) == 0 ? 0 : 1);
    }
    for (size_t i = 0; i < collected.n; i++) {
        const char *arg = strip_tool_prefix(collected.data[i], tool_name);
        if (arg)
            parse_one(arg, rows);
    }
    opt.tool = tool;
    check_combinations();
    if (!client_argv || !client_argv[0])
        gimle_user_error("no program specified (use --help for more information)");
}

void options_reset(void)
{
    opt = defaults;
    vec_free(&collected);
    vec_free(&for_tool);
    command_line_n = 0;
    client_argv = NULL;
}
