/* SPDX-License-Identifier: MIT */
/* From the first line of a run to the last: banner, what ends the client, summary, exit status. */
#include "coregrind/report/report.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hashmap.h"
#include "base/ranked_lock.h"
#include "base/vec.h"
#include "coregrind/report/report_internal.h"

static ReportTool the_tool = { .name = "None", .short_name = "none", .description = "", .copyright = "" };
const ReportTool *report_tool = &the_tool;
static const char *const *client_argv;
static VEC(char *) thread_names; /* by tid; under LOCK_errors */

bool report_talkative(void) { return core_options->quiet <= core_options->verbose; }
bool report_shows_errors(void) { return report_talkative() && the_tool.errors; }

void report_init(const ReportTool *tool)
{
    the_tool = *tool;
    if (core_options->xml && !tool->errors)
        options_bad("--xml=yes", "%s does not support XML output.", tool->name);
    debuginfo_options.demangle = core_options->demangle;
    debuginfo_options.inline_info = core_options->read_inline_info != 0;
    debuginfo_options.variables = core_options->read_var_info;
    debuginfo_options.keep = core_options->keep_debuginfo;
    debuginfo_options.allow_mismatched = core_options->allow_mismatched_debuginfo;
    debuginfo_options.extra_path = core_options->extra_debuginfo_path;
    message_start_clock();
    sink_open_all();
}

/* ---- threads' names ------------------------------------------------------------------------- */

void report_set_thread_name(unsigned tid, const char *name)
{
    lock_take(LOCK_errors);
    while (thread_names.n <= tid)
        vec_push(&thread_names, NULL);
    free(thread_names.data[tid]);
    thread_names.data[tid] = name && *name ? strdup(name) : NULL;
    lock_release(LOCK_errors);
}

const char *report_thread_name(unsigned tid, char buf[32])
{
    buf[0] = 0;
    lock_take(LOCK_errors);
    if (tid < thread_names.n && thread_names.data[tid])
        snprintf(buf, 32, "%s", thread_names.data[tid]);
    lock_release(LOCK_errors);
    return buf;
}

/* ---- start ---------------------------------------------------------------------------------- */

/** The command as it could be typed, as far as white space goes. */
static void print_command(const char *const *argv)
{
    StrBuf b = { 0 };
    for (unsigned i = 0; argv[i]; i++) {
        strbuf_addc(&b, ' ');
        for (const char *s = argv[i]; *s; s++) {
            if (isspace((unsigned char)*s))
                strbuf_addc(&b, '\\');
            strbuf_addc(&b, *s);
        }
    }
    gimle_umsg("Command:%s\n", strbuf_text(&b));
    strbuf_free(&b);
}

static void print_text_banner(const char *const *argv)
{
    gimle_umsg("%s, %s\n", the_tool.name, the_tool.description);
    gimle_umsg("%s\n", the_tool.copyright);
    gimle_umsg(REPORT_USING "\n", options_version());
    print_command(argv);
    if (!sink_log_is_fd())
        gimle_umsg("Parent PID: %d\n", (int)getppid());
    gimle_umsg("\n");
}

static void print_verbose_start(void)
{
    unsigned n;
    const char *const *args = options_all(&n);
    gimle_msg(MSG_DEBUG, "%s options:\n", options_as_valgrind() ? "Valgrind" : "Gimle");
    for (unsigned i = 0; i < n; i++)
        gimle_msg(MSG_DEBUG, "   %s\n", args[i]);
    char line[512];
    FILE *f = fopen("/proc/version", "re");
    if (f && fgets(line, sizeof line, f)) {
        gimle_msg(MSG_DEBUG, "Contents of /proc/version:\n");
        gimle_msg(MSG_DEBUG, "  %s%s", line, strchr(line, '\n') ? "" : "\n");
    }
    if (f)
        fclose(f);
    suppress_say_files();
}

void report_banner(const char *const *argv)
{
    client_argv = argv;
    if (core_options->xml)
        xml_preamble(&the_tool, argv);
    else if (report_talkative())
        print_text_banner(argv);
    if (core_options->verbose)
        print_verbose_start();
}

void report_fork_child(void)
{
    if (sink_after_fork(core_options->child_silent_after_fork))
        report_banner(client_argv);
}

/* ---- what the client says ------------------------------------------------------------------ */

void report_client_message(Thread *t, const char *text, const StackTrace *trace)
{
    if (core_options->xml) {
        xml_client_message(t ? gimle_thread_id(t) : 1, text, trace);
        return;
    }
    if (trace)
        report_stack_after(text, trace);
    else
        gimle_msg(MSG_CLIENT, "%s", text);
}

/* ---- end --------------------------------------------------------------------------------------- */

void report_client_ended(void)
{
    message_flush();
    if (core_options->xml)
        xml_status("FINISHED");
    else if (report_talkative())
        gimle_umsg("\n");
}

static void xml_counts(void)
{
    StrBuf b = { 0 };
    size_t n;
    const GimleError **list = error_store_newest_first(&n);
    strbuf_adds(&b, "<errorcounts>\n");
    for (size_t i = 0; i < n; i++)
        strbuf_printf(&b, "  <pair>\n    <count>%u</count>\n    <unique>0x%x</unique>\n  </pair>\n",
                      list[i]->count, list[i]->unique);
    strbuf_adds(&b, "</errorcounts>\n\n");
    free(list);
    if (report_talkative()) {
        const Suppression *s = suppress_list(&n);
        strbuf_adds(&b, "<suppcounts>\n");
        for (size_t i = 0; i < n; i++) {
            if (!s[i].used)
                continue;
            strbuf_printf(&b, "  <pair>\n    <count>%llu</count>\n    <name>",
                          (unsigned long long)s[i].used);
            xml_escape(&b, s[i].name);
            strbuf_adds(&b, "</name>\n  </pair>\n");
        }
        strbuf_adds(&b, "</suppcounts>\n");
    }
    strbuf_adds(&b, "\n");
    sink_write(SINK_XML, b.s, b.len);
    strbuf_free(&b);
}

static void print_error_summary(void)
{
    uint64_t contexts, n = error_store_suppressed(&contexts);
    gimle_umsg("ERROR SUMMARY: %llu errors from %llu contexts (suppressed: %llu from %llu)\n",
               (unsigned long long)gimle_error_count(), (unsigned long long)gimle_error_contexts(),
               (unsigned long long)n, (unsigned long long)contexts);
}

static int by_use(const void *a, const void *b)
{
    const Suppression *x = *(const Suppression *const *)a, *y = *(const Suppression *const *)b;
    return x->used == y->used ? 0 : x->used > y->used ? -1 : 1;
}

/** Lines "used_suppression:"; true if there were any. */
static bool print_used_suppressions(void)
{
    size_t n, used = 0;
    Suppression *s = suppress_list(&n);
    const Suppression **list = calloc(n + 1, sizeof *list);
    CHECK(list != NULL, "out of memory");
    for (size_t i = 0; i < n; i++)
        if (s[i].used)
            list[used++] = &s[i];
    qsort(list, used, sizeof *list, by_use);
    if (used)
        gimle_msg(MSG_DEBUG, "\n");
    for (size_t i = 0; i < used; i++)
        gimle_msg(MSG_DEBUG, "used_suppression: %6llu %s %s:%u\n", (unsigned long long)list[i]->used,
                  list[i]->name, list[i]->file, list[i]->line);
    free(list);
    return used > 0;
}

static void print_error_list(void)
{
    size_t n;
    const GimleError **list = error_store_sorted(&n);
    for (size_t i = 0; i < n; i++) {
        gimle_umsg("\n");
        gimle_umsg("%u errors in context %zu of %zu:\n", list[i]->count, i + 1, n);
        printer_error(list[i], true);
    }
    free(list);
    bool used = print_used_suppressions();
    if (used)
        gimle_umsg("\n");
    if (n > 0 || used)
        print_error_summary();
}

void report_errors_so_far(bool last)
{
    size_t n;
    const GimleError **list = error_store_newest_first(&n);
    if (last && n)
        printer_error(list[0], true);
    else if (last)
        gimle_umsg("No errors yet\n");
    else
        print_error_summary();
    if (!last && core_options->show_error_list)
        print_error_list();
    free(list);
}

void report_summary(void)
{
    if (!the_tool.errors)
        return;
    if (core_options->xml) {
        xml_counts();
        return;
    }
    if (report_talkative() && !core_options->show_error_list)
        gimle_umsg("For lists of detected and suppressed errors, rerun with: -s\n");
    if (report_talkative() || core_options->show_error_list)
        print_error_summary();
    if (core_options->show_error_list)
        print_error_list();
}

void report_close(void)
{
    static const char end[] = "</valgrindoutput>\n\n";
    message_flush();
    if (sink_is_open(SINK_XML))
        sink_write(SINK_XML, end, sizeof end - 1);
    sink_close_all();
}

int report_exit_code(int status)
{
    if (core_options->error_exitcode != 0 && report_error_count() > 0)
        return (int)core_options->error_exitcode;
    return status;
}
