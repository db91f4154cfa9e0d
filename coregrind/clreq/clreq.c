/* SPDX-License-Identifier: MIT */
/* See clreq.h; the list of what the core answers itself is requests.def. */
#include "coregrind/clreq/clreq.h"

#include <stdio.h>
#include <string.h>

#include "VEX/state.h"
#include "base/arena.h"
#include "coregrind/clreq/guest_printf.h"
#include "coregrind/clreq/monitor.h"
#include "coregrind/core/events.h"
#include "coregrind/core/options.h"
#include "coregrind/debuginfo/debuginfo.h"
#include "coregrind/os/safe_copy.h"
#include "coregrind/report/report.h"
#include "gimle/memory.h"

enum { RAX, RCX, RDX };
enum { REQUEST_WORDS = 6 };

enum {
#define REQ(name, number, handler) REQUEST_##name = number,
#include "coregrind/clreq/requests.def"
#undef REQ
};

static bool (*tool_handler)(Thread *t, const uint64_t args[6], uint64_t *result);
static bool (*tool_monitor)(Thread *t, const char *command);
static ClreqHooks hooks;

void clreq_set_tool(bool (*handler)(Thread *t, const uint64_t args[6], uint64_t *result),
                    bool (*monitor)(Thread *t, const char *command))
{
    tool_handler = handler;
    tool_monitor = monitor;
}

void clreq_set_hooks(const ClreqHooks *h) { hooks = *h; }

/** A handler gets the argument block and may change the result (which holds the default). */
typedef void Handler(Thread *t, const uint64_t *a, uint64_t *result);

static void answer_one(Thread *t, const uint64_t *a, uint64_t *result)
{
    (void)t, (void)a;
    *result = 1;
}

static void answer_zero(Thread *t, const uint64_t *a, uint64_t *result)
{
    (void)t, (void)a;
    *result = 0;
}

static void discard_translations(Thread *t, const uint64_t *a, uint64_t *result)
{
    (void)t;
    if (hooks.discard)
        hooks.discard(a[1], a[2]);
    *result = 0;
}

/** The function gets the thread's id first; the result comes when it returns. Until then RDX is an argument. */
static void client_call(Thread *t, const uint64_t *a, uint64_t *result)
{
    uint64_t args[4] = { gimle_thread_id(t), a[2], a[3], a[4] };
    if (hooks.client_call)
        hooks.client_call(t, a[1], args, 1 + (unsigned)(a[0] - REQUEST_CLIENT_CALL0));
    *result = gimle_thread_state(t)->guest.gpr[RDX];
}

static void count_errors(Thread *t, const uint64_t *a, uint64_t *result)
{
    (void)t, (void)a;
    *result = report_error_count();
}

static bool no_monitor(Thread *t, const char *command)
{
    (void)t, (void)command;
    return false;
}

static MonitorHooks monitor_hooks(void)
{
    return (MonitorHooks){ hooks.change_option, tool_monitor ? tool_monitor : no_monitor,
                           hooks.print_stats };
}

void clreq_answer(Thread *t, uint32_t number)
{
    const MonitorHooks m = monitor_hooks();
    monitor_answer(t, number, &m);
}

/** 0: it was known. */
static void monitor_command(Thread *t, const uint64_t *a, uint64_t *result)
{
    char text[4096];
    const MonitorHooks m = monitor_hooks();
    *result = 1;
    size_t n = safe_read_some(a[1], text, sizeof text);
    if (n > 0 && memchr(text, 0, n))
        *result = !monitor_do(t, text, &m);
}

static void print_message(Thread *t, const uint64_t *a, uint64_t *result)
{
    StrBuf text = { 0 };
    bool trace = a[0] == REQUEST_PRINTF_BACKTRACE || a[0] == REQUEST_PRINTF_BACKTRACE_VALIST_BY_REF;
    guest_printf(&text, a[1], a[2]);
    report_client_message(t, strbuf_text(&text), trace ? gimle_stack_trace(t) : NULL);
    *result = text.len;
    strbuf_free(&text);
}

static void stack_register(Thread *t, const uint64_t *a, uint64_t *result)
{
    (void)t;
    *result = hooks.stack_register ? hooks.stack_register(a[1], a[2]) : 0;
}

static void stack_deregister(Thread *t, const uint64_t *a, uint64_t *result)
{
    (void)t;
    if (hooks.stack_deregister)
        hooks.stack_deregister(a[1]);
    *result = 0;
}

static void stack_change(Thread *t, const uint64_t *a, uint64_t *result)
{
    (void)t;
    if (hooks.stack_change)
        hooks.stack_change(a[1], a[2], a[3]);
    *result = 0;
}

/** "file:line" or nothing into the client's buffer of 64 bytes. */
static void map_ip_to_line(Thread *t, const uint64_t *a, uint64_t *result)
{
    enum { BUFFER = 64, MAX_NAME = 50, MAX_INLINED = 64 };
    char buf[BUFFER] = "";
    Arena arena = { 0 };
    FrameInfo f[MAX_INLINED];
    debuginfo_describe_pc(a[1], f, MAX_INLINED, &arena);
    if (f[0].file && f[0].line)
        snprintf(buf, sizeof buf, "%.*s:%u", MAX_NAME, f[0].file, f[0].line);
    arena_free(&arena);
    if (safe_write(a[2], buf, sizeof buf))
        EVENT(sys_post_write, t, a[2], sizeof buf);
    *result = 0;
}

static void change_err_disablement(Thread *t, const uint64_t *a, uint64_t *result)
{
    report_change_disabled(t, (int64_t)a[1] > 0 ? 1 : -1);
    *result = 0;
}

/** An option as on the command line. */
static void change_option(Thread *t, const uint64_t *a, uint64_t *result)
{
    char text[4096];
    (void)t;
    *result = 0;
    size_t n = safe_read_some(a[1], text, sizeof text);
    if (n > 0 && memchr(text, 0, n) && text[0] && hooks.change_option)
        hooks.change_option(text);
}

static const struct {
    uint64_t number;
    Handler *handler;
} table[] = {
#define REQ(name, number, handler) { number, handler },
#include "coregrind/clreq/requests.def"
#undef REQ
};

static bool handle_core(Thread *t, const uint64_t *a, uint64_t *result)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].number == a[0]) {
            table[i].handler(t, a, result);
            return true;
        }
    }
    return false;
}

void clreq_handle(Thread *t)
{
    VexState *s = gimle_thread_state(t);
    uint64_t a[REQUEST_WORDS], result = s->guest.gpr[RDX];
    if (gimle_read_guest(a, s->guest.gpr[RAX], sizeof a) != sizeof a) {
        if (core_options->verbose)
            gimle_umsg("Warning: client request with unreadable arguments at 0x%lx\n",
                       (unsigned long)s->guest.gpr[RAX]);
    } else if (!handle_core(t, a, &result) && !(tool_handler && tool_handler(t, a, &result))
               && core_options->verbose) {
        gimle_umsg("Warning: client request 0x%lx is not known to this tool\n", (unsigned long)a[0]);
    }
    s->guest.gpr[RDX] = result;
    EVENT(reg_write, t, RDX);
}
