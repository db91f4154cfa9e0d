/* SPDX-License-Identifier: MIT */
/*
 * The interface between the core and a tool.  A tool is a shared object that exports
 *     const GimleTool gimle_tool;
 * `--tool=NAME` loads NAME.so from the tool directory, `--tool=./mine.so` any file.  Everything a
 * tool may use is declared in the headers of this directory.
 *
 * Unless said otherwise callbacks run on the guest thread they are about, may run on several
 * threads at once if the tool is TOOL_PARALLEL, and may use any C library function.
 */
#ifndef GIMLE_TOOL_H
#define GIMLE_TOOL_H

#include "guest.h"
#include "intercept.h"
#include "ir.h"
#include "memory.h"
#include "mode.h"
#include "options.h"
#include "report.h"
#include "thread.h"

/**
 * Which interface a tool was compiled against; a core refuses others.  Raised with every change after
 * which a tool that was compiled before would go wrong: members of structures that come or go, functions
 * that are renamed, take other arguments or mean something else.  New functions and new values at the end
 * of an enumeration do not raise it.
 */
#define GIMLE_TOOL_API 3

/** Which memory became available or went away. */
typedef enum MemWhy {
    MEM_STARTUP,   /**< mapped by the loader: segments, initial stack contents */
    MEM_MMAP, MEM_BRK, MEM_STACK_GROW, MEM_SIGNAL_FRAME, MEM_SHMAT
} MemWhy;

/** Events; any may be NULL. */
typedef struct GimleEvents {
    /** [a,a+len) is now mapped. Contents defined (STARTUP, files, anonymous mmap, brk: zero). */
    void (*mem_map)(MemWhy why, GuestAddr a, size_t len, int prot);
    void (*mem_unmap)(MemWhy why, GuestAddr a, size_t len);
    void (*mem_protect)(GuestAddr a, size_t len, int prot);
    /** mremap moved bytes; the destination is mapped already, the source is unmapped afterwards. */
    void (*mem_move)(GuestAddr from, GuestAddr to, size_t len);
    /** The stack pointer was set in a way that translated code does not show (signals, new thread). */
    void (*stack_new)(Thread *t, GuestAddr a, size_t len);
    void (*stack_die)(Thread *t, GuestAddr a, size_t len);

    /** A system call is about to read (write) client memory. what: "write(buf)". */
    void (*sys_pre_read)(Thread *t, const char *what, GuestAddr a, size_t len);
    void (*sys_pre_read_string)(Thread *t, const char *what, GuestAddr a);
    void (*sys_pre_write)(Thread *t, const char *what, GuestAddr a, size_t len);
    /** It has written. */
    void (*sys_post_write)(Thread *t, GuestAddr a, size_t len);
    /** Argument in @p reg is read: what is "write(count)"; bytes: how many of the register count. */
    void (*sys_pre_reg)(Thread *t, const char *what, RegId reg, unsigned bytes);
    /** The core has set guest register @p reg (syscall result, signal handler entry…): it is defined. */
    void (*reg_write)(Thread *t, RegId reg);
    /** Before and after a whole system call (massif, trace). */
    void (*sys_enter)(Thread *t, unsigned number);
    void (*sys_leave)(Thread *t, unsigned number, int64_t result);

    void (*thread_create)(Thread *parent, Thread *child);
    void (*thread_exit)(Thread *t);
    /** @p t, whose turn it is, goes on; others may have run since it stopped (not for TOOL_PARALLEL). */
    void (*thread_turn)(Thread *t);
    /** The image was replaced or forked: in the child. */
    void (*fork_child)(Thread *t);

    /**
     * The client's access at guest.pc faulted (a: address, size and write as far as known; exec:
     * instruction fetch). Runs before the signal is delivered.
     */
    void (*fault)(Thread *t, GuestAddr a, unsigned size, bool write, bool exec);
    /** The client's signal handler is about to run / has returned (frame memory is reported apart). */
    void (*signal_enter)(Thread *t, int sig);
    void (*signal_leave)(Thread *t);
    /** Translations of [a,a+len) are discarded (code unloaded or changed). */
    void (*code_discard)(GuestAddr a, size_t len);
    /**
     * A fault took @p t out of a block of @p mode before its end: the registers are those of the guest
     * instruction, but what the block does at its exits was not done.  Called in a signal handler.
     */
    void (*block_broken)(Thread *t, unsigned mode);
} GimleEvents;

enum {
    TOOL_PARALLEL = 1,      /**< guest threads may run at the same time */
    TOOL_REPORTS_ERRORS = 2,/**< ERROR SUMMARY, suppressions, XML */
    TOOL_SHADOW = 4,        /**< wants the shadow range reserved */
    TOOL_FREERES = 8        /**< have the client C library free its caches before the end (leak checks) */
};

typedef struct GimleTool {
    unsigned api;             /**< GIMLE_TOOL_API */
    const char *name;         /**< "Memcheck" */
    const char *description;  /**< "a memory error detector" */
    const char *copyright;    /**< the rest of the banner's second line */
    unsigned flags;           /**< TOOL_* */
    const GimleOption *options; /**< ends with name NULL */
    /** After option parsing, before the client is loaded. May call gimle_user_error(). */
    void (*init)(void);
    /** Modes; 0 is where threads start. Filled before or in init. */
    const VexMode *modes;
    unsigned n_modes;
    const GimleEvents *events;
    const GimleErrorOps *errors;
    const Intercept *intercepts; /**< ends with symbol NULL */
    /** After the client has ended and the core has printed nothing yet of its summary. */
    void (*fini)(int exit_code);
    /**
     * A client request that is not the core's: args[0] is the request, args[1..5] its arguments.
     * Returns true if known; *result goes to the client.
     */
    bool (*client_request)(Thread *t, const uint64_t args[6], uint64_t *result);
    /** Name of the stats lines of --stats=yes. */
    void (*print_stats)(void);
    /** NULL, or text that --help shows after the tool's options. */
    const char *help_footer;
    /** A monitor command that is not the core's (gimle/monitor.h); false: not known. "help" is its own to print. */
    bool (*monitor)(Thread *t, const char *command);
} GimleTool;

/** Request code of a tool: 'M','C' << 24 | 'C' << 16 as in the public client headers. */
#define GIMLE_TOOL_REQUEST_BASE(a, b) ((((a) & 0xffu) << 24) | (((b) & 0xffu) << 16))

/** Discard all translations of [a,a+len) in all modes (a tool changed its mind about them). */
void gimle_discard_translations(GuestAddr a, size_t len);
/** Options of the core that tools may ask for: "num-callers", "xml", "quiet", "verbose". */
int64_t gimle_core_option(const char *name);
/** Likewise those whose values are texts: "xtree-memory-file"; NULL if there is none. */
const char *gimle_core_option_text(const char *name);
/** Instructions executed cannot be asked of the core: count them in a tool register. */
/** Expand %p %n %q{VAR} %% in an output file name; malloc'ed. */
char *gimle_expand_file_name(const char *option, const char *pattern);
/** Open an output file safely (no following of planted links, O_CLOEXEC, outside the client's descriptors). */
int gimle_open_output(const char *path);
/** Resolve a client symbol in the loaded objects; 0 if there is none. */
GuestAddr gimle_find_symbol(const char *soname_pattern, const char *symbol);
/** Program and arguments as the client was started, and its pid. */
const char *const *gimle_client_argv(void);

#endif
