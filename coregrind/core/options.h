/* SPDX-License-Identifier: MIT */
/*
 * The command line.  options.def is the one list of the core's options; a tool brings its own
 * rows; parsing, --help and gimle_core_option() are made from them.  Mistakes of the user end the
 * program here with one line and status 1.
 *
 * main() calls, in this order:
 *   options_collect()      where the client's program is, which tool is wanted; --version ends here
 *   (load the tool)
 *   options_parse()        all sources against core rows + tool rows; --help ends here
 *   report_init()          see report/report.h
 */
#ifndef COREGRIND_OPTIONS_H
#define COREGRIND_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "gimle/options.h"

typedef enum EngineKind { ENGINE_COMPILE, ENGINE_INTERP } EngineKind;
typedef enum SmcCheck { SMC_NONE, SMC_STACK, SMC_ALL, SMC_ALL_NON_FILE } SmcCheck;
typedef enum GenSupp { GEN_SUPP_NO, GEN_SUPP_YES, GEN_SUPP_ALL } GenSupp;
typedef enum VgdbKind { VGDB_NO, VGDB_YES, VGDB_FULL } VgdbKind;
typedef enum TrackFds { TRACK_FDS_NO, TRACK_FDS_YES, TRACK_FDS_ALL } TrackFds;
typedef enum CpuLevel { CPU_HOST, CPU_V1, CPU_V2, CPU_V3, CPU_V4 } CpuLevel;
/** The values of --debug-crash: how the core is to fail at the client's exit_group(). */
typedef enum CrashKind { CRASH_NO, CRASH_SEGV, CRASH_CHECK, CRASH_ABORT } CrashKind;
/** Bits of chaos, in the order of options.def. */
enum { CHAOS_REGALLOC = 1, CHAOS_TCACHE = 2, CHAOS_SIGNALS = 4, CHAOS_SCHED = 8, CHAOS_END = 16 };

/** Every core option that something in the core looks at, with its default in options.c. */
typedef struct CoreOptions {
    const char *tool;
    int quiet, verbose, debug;         /**< how often -q, -v, -d were given */
    int help, help_debug, help_dyn;
    bool trace_children, child_silent_after_fork;
    const char *trace_children_skip, *trace_children_skip_by_arg;
    int track_fds;                     /**< TrackFds */
    bool time_stamp;
    int64_t log_fd;
    const char *log_file, *log_socket; /**< NULL: not asked for */
    bool xml, json;
    int64_t xml_fd;                    /**< -1: not asked for */
    const char *xml_file, *xml_socket, *xml_user_comment;
    int64_t xml_protocol;
    const char *json_file;
    int color;                         /**< 0 no, 1 yes, 2 auto */
    bool demangle;
    int64_t num_callers;
    bool error_limit, exit_on_first_error;
    int64_t error_exitcode;
    const char *error_markers;         /**< "begin,end" or NULL */
    bool show_error_list;
    int show_error_list_flag;          /**< -s */
    bool keep_debuginfo, show_below_main, default_suppressions;
    OptList suppressions;
    int gen_suppressions;              /**< GenSupp */
    int vgdb;                          /**< VgdbKind */
    int64_t vgdb_error;                /**< errors after which Valgrind would wait for a debugger */
    int64_t input_fd, max_stackframe, main_stacksize;
    int64_t alignment, redzone_size;   /**< redzone_size -1: the tool's default */
    OptList fullpath_after;
    const char *extra_debuginfo_path;
    bool allow_mismatched_debuginfo;
    int smc_check;                     /**< SmcCheck */
    int read_inline_info;              /**< 0 no, 1 yes, 2 the tool's default */
    bool read_var_info;
    bool run_libc_freeres, run_cxx_freeres;
    unsigned sim_hints;
    int64_t merge_recursive_frames;
    uint64_t aspace_minaddr;
    OptList require_text_symbol;
    int xtree_memory;                  /**< 0 none, 1 allocs, 2 full */
    const char *xtree_memory_file;
    const char *soname_synonyms;
    bool sigill_diagnostics;
    int64_t max_threads;
    const char *cache_dir;             /**< NULL: the default; "no": none */
    bool stats;
    int64_t sanity_level;
    unsigned trace_flags;              /**< VT_* bits of VEX/vex.h */
    uint64_t trace_at;                 /**< 0: every block */
    bool trace_syscalls, trace_signals, trace_redir, trace_sched, trace_malloc, trace_symtab;
    bool wait_for_gdb, sym_offsets, command_line_only;
    int64_t max_guest_insns;           /**< --vex-guest-max-insns */
    int engine;                        /**< EngineKind */
    bool parallel;
    int cpu;                           /**< CpuLevel */
    int debug_crash;                   /**< CrashKind */
    unsigned chaos;                    /**< CHAOS_* */
    int64_t chaos_seed;                /**< --chaos-seed */
} CoreOptions;

/** Constant once options_parse() has returned. */
extern const CoreOptions *const core_options;

/**
 * Gather the arguments of all sources (~/.valgrindrc, $VALGRIND_OPTS, ./.valgrindrc, command line)
 * and return the index in argv of the client's program (argc: none given).  Prints the version and
 * exits for --version.
 */
int options_collect(int argc, char **argv);

/** Output files with relative names are to lie below the present directory (output_file.c). */
void output_file_set_base(void);

/** Value of the last --tool=, "memcheck" if none. Valid after options_collect(). */
const char *options_tool_name(void);

/**
 * Parse everything collected.  @p tool_name is the short name ("memcheck") that --NAME:option
 * prefixes are compared with, @p rows the tool's table, @p title "Memcheck" for --help,
 * @p footer as GimleTool.help_footer.  Exits for --help and for mistakes, a missing program too.
 */
void options_parse(const char *tool_name, const GimleOption *rows, const char *title,
                   const char *footer);

/** While the client runs: it, or somebody else, asks for another value. What is to be told is added to @p said. */
void options_change(const char *arg, StrBuf *said);

/** --merge-recursive-frames, while the client runs. */
void options_set_merge_recursive_frames(int64_t n);

/** The options given on the command line itself (for exec of traced children), n of them. */
char *const *options_command_line(unsigned *n);
/** All options in effect, of all sources, in order of parsing (for -v and XML). */
const char *const *options_all(unsigned *n);
/** argv[0] of this process. */
const char *options_argv0(void);

/** "0.1.0": the version of Gimle. */
const char *options_version(void);

/** The version of Valgrind whose interfaces these are. */
#define OPTIONS_VALGRIND_VERSION "3.19.0"

/**
 * Were we called by the name "valgrind" (a link to the launcher)?  Then the version, the texts about
 * wrong use and their exit status are what programs that call Valgrind know.
 */
bool options_as_valgrind(void);
/** "gimle" or "valgrind": how error messages begin. */
const char *options_program_name(void);

/** End with "gimle: Bad option: @p option: reason" and status 1. */
_Noreturn void options_bad(const char *option, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* For tests: forget everything and restore the defaults. */
void options_reset(void);

#endif
