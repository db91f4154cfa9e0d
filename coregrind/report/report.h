/* SPDX-License-Identifier: MIT */
/*
 * The core's side of reports: start and end of the log, the summary, suppressions, and what the
 * rest of the core prints through.  Tools see gimle/report.h.
 *
 * main() calls, in this order (options_parse() has returned):
 *   report_init(&tool_info)   opens log and XML outputs (failure: one line, exit 1)
 *   suppress_load()           default and given files (failure: one line, exit 1)
 *   report_banner()           the first lines, or the XML preamble
 *   ... the client runs ...
 *   report_client_ended()     blank line / XML <status>FINISHED; then tool->fini()
 *   report_summary()          ERROR SUMMARY and lists
 *   report_close()            </valgrindoutput>; flushes
 *   report_exit_code(status)  --error-exitcode
 */
#ifndef COREGRIND_REPORT_H
#define COREGRIND_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "gimle/report.h"

/** What reports need to know of the tool (from GimleTool, which this layer does not see). */
typedef struct ReportTool {
    const char *name;        /**< "Memcheck" */
    const char *short_name;  /**< "memcheck": <protocoltool>; capitalised in suppressions */
    const char *description;
    const char *copyright;
    const GimleErrorOps *errors; /**< NULL: no errors */
} ReportTool;

void report_init(const ReportTool *tool);
/** @p argv: the client's, NULL-terminated. */
void report_banner(const char *const *argv);
void report_client_ended(void);
void report_summary(void);
/** Before the end: the summary (with -s the list too), or with @p last only the newest error. */
void report_errors_so_far(bool last);
/** What of the calling thread's lines goes to the asker of report_answer_to(): plain ones have no prefix. */
typedef enum AnswerKind { ANSWER_ALL, ANSWER_PLAIN, ANSWER_NONE } AnswerKind;
void report_set_answers(AnswerKind kind);
/** The calling thread's lines go to socket @p fd instead of the log; -1: to the log again. */
void report_answer_to(int fd);
void report_close(void);
/** Exit status for a client that exited with @p status. */
int report_exit_code(int status);
/** The file that --log-file= names now, or NULL if the log goes elsewhere. */
const char *report_log_path(void);
/** In a forked child (@p silent: --child-silent-after-fork): new pid in prefixes, new %p file. */
void report_fork_child(void);
/** Thread @p t got SIGSEGV: if that is because its stack cannot grow, say so, handled or not. */
void report_stack_overflow(const Thread *t, int si_code, GuestAddr addr);
/**
 * XML <fatal_signal>, or the text about "Process terminating with default action of signal N".
 * @p sig_name and @p event may be NULL: then they are found from signal and code.
 * @p dumps_core: the text says so.
 */
void report_fatal_signal(Thread *t, int sig, const char *sig_name, int si_code, GuestAddr addr,
                         const char *event, bool dumps_core);

/** Load default.supp from @p lib_dir (may be missing) and every --suppressions= file. */
void suppress_load(const char *lib_dir);
/** Load files that were named since. No other thread may be at work. */
void suppress_load_more(void);

/** Print the stack of @p t as text lines to the log (VALGRIND_PRINTF_BACKTRACE, fatal signals). */
void report_stack(const StackTrace *trace);

/** Not -q, and a tool that reports errors: mistakes of the program that the core sees are warned of. */
bool report_shows_errors(void);
/** Errors that count for COUNT_ERRORS and --error-exitcode. */
uint64_t report_error_count(void);
/** Thread @p tid ends: warn if it has not enabled its errors again. */
void report_thread_ended(unsigned tid);
/** CHANGE_ERR_DISABLEMENT of thread @p t: @p delta +1 disables, -1 enables. */
void report_change_disabled(Thread *t, int delta);

/** Name the thread has (prctl PR_SET_NAME), shown in reports; copied. */
void report_set_thread_name(unsigned tid, const char *name);

/** Set by the thread module: id of the thread whose stack contains @p a, 0 if none. */
extern unsigned (*report_stack_owner)(GuestAddr a);

/** A client's own message (VALGRIND_PRINTF): whole text with its line ends; @p trace or NULL. */
void report_client_message(Thread *t, const char *text, const StackTrace *trace);

#endif
