/* SPDX-License-Identifier: MIT */
/*
 * Monitor commands: the core's own, and the words that commands are made of.  Words may be shortened as
 * long as they mean one thing.  Results go to the log, without prefixes, as they would go to a debugger.
 */
#include "coregrind/clreq/monitor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "VEX/state.h"
#include "base/strbuf.h"
#include "coregrind/core/options.h"
#include "coregrind/report/report.h"
#include "coregrind/syscall/fd_table.h"
#include "coregrind/thread/thread.h"
#include "gimle/monitor.h"

/* ---- words -------------------------------------------------------------------------- */

char *gimle_next_word(char **rest)
{
    return strtok_r(NULL, " \t\n", rest);
}

static void say_candidates(const char *word, const char *const *words)
{
    StrBuf b = { 0 };
    size_t n = strlen(word);
    bool any = false;
    for (const char *const *w = words; *w; w++) {
        if (strncmp(*w, word, n) != 0)
            continue;
        strbuf_printf(&b, " %s", *w);
        any = true;
    }
    if (any)
        gimle_msg(MSG_PLAIN, "%s can match%s\n", *word ? word : "<empty string>", strbuf_text(&b));
    strbuf_clear(&b);
    for (const char *const *w = words; !any && *w; w++)
        strbuf_printf(&b, "%s ", *w);
    if (!any)
        gimle_msg(MSG_PLAIN, "%s does not match any of '%s'\n", word, strbuf_text(&b));
    strbuf_free(&b);
}

int gimle_keyword(const char *word, const char *const *words, bool say)
{
    const char *text = word ? word : "";
    size_t n = strlen(text);
    int found = -1, matches = 0;
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0)
            return i;
        if (strncmp(words[i], text, n) == 0) {
            found = i;
            matches++;
        }
    }
    if (matches == 1)
        return found;
    if (say)
        say_candidates(text, words);
    return -1;
}

bool gimle_parse_number(const char *word, uint64_t *out)
{
    char *end;
    if (!word || *word == '-')
        return false;
    *out = strncmp(word, "0b", 2) == 0 ? strtoull(word + 2, &end, 2) : strtoull(word, &end, 0);
    return end != word && *end == '\0';
}

bool gimle_parse_address(char **rest, GuestAddr *a, uint64_t *len)
{
    const char *word = gimle_next_word(rest);
    if (!gimle_parse_number(word, a)) {
        gimle_msg(MSG_PLAIN, "missing or malformed address\n");
        return false;
    }
    word = gimle_next_word(rest);
    *len = 1;
    if (!word || gimle_parse_number(word, len))
        return true;
    gimle_msg(MSG_PLAIN, "malformed integer, expecting hex 0x..... or dec ...... or binary 0b.....\n");
    return false;
}

/* ---- commands ----------------------------------------------------------------------- */

typedef void Command(Thread *t, char **rest, const MonitorHooks *hooks);

static void do_help(Thread *t, char **rest, const MonitorHooks *hooks)
{
    (void)rest;
    gimle_msg(MSG_PLAIN,
              "monitor commands of the core:\n"
              "  help                           this text\n"
              "  v.info all_errors|last_error   the errors so far, the last of them\n"
              "  v.info n_errs_found [text]     how many errors there were\n"
              "  v.info location <addr>         what is at an address\n"
              "  v.info open_fds                open descriptors (with --track-fds=yes or all)\n"
              "  v.info scheduler               the threads and their stacks\n"
              "  v.info stats                   numbers as of --stats=yes\n"
              "  v.clo <option>...              change options that can be changed\n"
              "  v.set merge-recursive-frames <number>\n"
              "  v.set vgdb-error <number>, gdb_output, log_output, mixed_output\n"
              "  v.wait [<ms>]                  wait\n"
              "  v.kill                         end the program\n\n");
    hooks->tool(t, "help");
}

static void info_location(Thread *t, char **rest)
{
    GuestAddr a;
    AddrDesc d;
    uint64_t len;
    if (!gimle_parse_address(rest, &a, &len))
        return;
    gimle_describe_addr(t, a, &d);
    ErrorPrinter *p = gimle_print_begin_apart();
    gimle_print_addr(p, a, &d);
    gimle_print_end_apart(p);
}

static void say_thread(void *ctx, Thread *t)
{
    (void)ctx;
    if (t->blocked_in_kernel || t->in_syscall)
        gimle_msg(MSG_PLAIN, "\nThread %u: status = VgTs_WaitSys syscall %lu (lwpid %d)\n", gimle_thread_id(t),
                  (unsigned long)t->sys_no, (int)t->tid);
    else
        gimle_msg(MSG_PLAIN, "\nThread %u: status = VgTs_Runnable (lwpid %d)\n", gimle_thread_id(t),
                  (int)t->tid);
    report_stack(gimle_stack_trace(t));
    enum { RSP = 4 };
    GuestAddr lo, hi, sp = t->state->guest.gpr[RSP];
    if (gimle_thread_stack(t, &lo, &hi))
        gimle_msg(MSG_PLAIN, "client stack range: [0x%lX 0x%lX] client SP: 0x%lX\n", (unsigned long)lo,
                  (unsigned long)hi - 1, (unsigned long)sp);
}

static void info_threads(Thread *asked)
{
    gimle_msg(MSG_PLAIN, "\nsched status:\n  running_tid=%u\n", gimle_thread_id(asked));
    gimle_thread_for_each_stopped(say_thread, NULL);
    gimle_msg(MSG_PLAIN, "\n");
}

static void info_descriptors(void)
{
    if (core_options->track_fds == TRACK_FDS_NO)
        gimle_msg(MSG_PLAIN, "%s must be started with --track-fds=[yes|all] to show open fds\n",
                  options_program_name());
    else
        fd_table_report("");
}

static void do_info(Thread *t, char **rest, const MonitorHooks *hooks)
{
    enum { ALL, COUNT, LAST, LOCATION, THREADS, STATS, DESCRIPTORS };
    static const char *const words[] = { "all_errors", "n_errs_found", "last_error", "location", "scheduler",
                                         "stats", "open_fds", NULL };
    char command[128];
    switch (gimle_keyword(gimle_next_word(rest), words, true)) {
    case ALL:
        report_errors_so_far(false);
        break;
    case LAST:
        report_errors_so_far(true);
        break;
    case COUNT:
        gimle_msg(MSG_PLAIN, "n_errs_found %lu n_errs_shown %lu (vgdb-error 999999999) %s\n",
                  (unsigned long)gimle_error_count(), (unsigned long)gimle_error_contexts(),
                  *rest ? *rest : "");
        break;
    case LOCATION:
        snprintf(command, sizeof command, "v.info location %s", *rest ? *rest : "");
        if (!hooks->tool(t, command))
            info_location(t, rest);
        break;
    case THREADS:
        info_threads(t);
        break;
    case STATS:
        if (hooks->print_stats)
            hooks->print_stats();
        break;
    case DESCRIPTORS:
        info_descriptors();
        break;
    default:
        break;
    }
}

static void set_merge(const char *word)
{
    uint64_t n, before = (uint64_t)core_options->merge_recursive_frames;
    if (!gimle_parse_number(word, &n) || n > 500) {
        gimle_msg(MSG_PLAIN, "missing or malformed integer value\n");
        return;
    }
    options_set_merge_recursive_frames((int64_t)n);
    gimle_msg(MSG_PLAIN, "merge-recursive-frames value changed from %lu to %lu\n", (unsigned long)before,
              (unsigned long)n);
}

static void do_set(Thread *t, char **rest, const MonitorHooks *hooks)
{
    enum { GDB, LOG, MIXED, MERGE, ERROR };
    static const char *const words[] = { "gdb_output", "log_output", "mixed_output",
                                         "merge-recursive-frames", "vgdb-error", NULL };
    static uint64_t stop_after = 999999999;
    uint64_t n;
    (void)t, (void)hooks;
    switch (gimle_keyword(gimle_next_word(rest), words, true)) {
    case GDB:
        report_set_answers(ANSWER_ALL);
        gimle_msg(MSG_PLAIN, "valgrind output will go to gdb\n");
        break;
    case LOG:
        gimle_msg(MSG_PLAIN, "valgrind output will go to log\n");
        report_set_answers(ANSWER_NONE);
        break;
    case MIXED:
        report_set_answers(ANSWER_PLAIN);
        gimle_msg(MSG_PLAIN, "valgrind output will go to log, interactive output will go to gdb\n");
        break;
    case MERGE:
        set_merge(gimle_next_word(rest));
        break;
    case ERROR: /* there is no debugger to stop for */
        if (!gimle_parse_number(gimle_next_word(rest), &n)) {
            gimle_msg(MSG_PLAIN, "missing or malformed integer value\n");
            break;
        }
        gimle_msg(MSG_PLAIN, "vgdb-error value changed from %lu to %lu\n", (unsigned long)stop_after,
                  (unsigned long)n);
        stop_after = n;
        break;
    default:
        break;
    }
}

static void do_option(Thread *t, char **rest, const MonitorHooks *hooks)
{
    (void)t;
    for (char *word; (word = gimle_next_word(rest));)
        hooks->change_option(word);
}

static void do_wait(Thread *t, char **rest, const MonitorHooks *hooks)
{
    uint64_t ms = 0;
    (void)t, (void)hooks;
    gimle_parse_number(gimle_next_word(rest), &ms);
    gimle_msg(MSG_PLAIN, "gdbserver: continuing in %lu ms ...\n", (unsigned long)ms);
    struct timespec wait = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };
    nanosleep(&wait, NULL);
    gimle_msg(MSG_PLAIN, "gdbserver: continuing after wait ...\n");
}

static void do_kill(Thread *t, char **rest, const MonitorHooks *hooks)
{
    (void)t, (void)rest, (void)hooks;
    gimle_umsg("monitor command request to kill this process\n");
    kill(getpid(), SIGKILL);
}

bool monitor_do(Thread *t, const char *command, const MonitorHooks *hooks)
{
    static const char *const words[] = { "help", "v.info", "v.set", "v.clo", "v.wait", "v.kill", NULL };
    static Command *const commands[] = { do_help, do_info, do_set, do_option, do_wait, do_kill };
    char *copy = strdup(command), *rest = NULL;
    bool known = true;
    if (!copy)
        return false;
    const char *first = strtok_r(copy, " \t\n", &rest);
    int i = gimle_keyword(first, words, !first || strncmp(first, "v.", 3) == 0);
    if (i >= 0)
        commands[i](t, &rest, hooks);
    else
        known = hooks->tool(t, command) || !first;
    free(copy);
    return known;
}
