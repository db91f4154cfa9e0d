/* SPDX-License-Identifier: MIT */
/*
 * Lines of the log with their prefixes.  A thread's unfinished line waits in a buffer of its own,
 * so that threads never mix within a line; whole reports are written in one piece.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "coregrind/report/report_internal.h"

static struct timespec start_time;
static _Thread_local StrBuf partial;
static _Thread_local MsgKind partial_kind;
static _Thread_local int asker = -1; /* the socket of who gave this thread a monitor command */
static AnswerKind answers = ANSWER_ALL;

void message_start_clock(void) { clock_gettime(CLOCK_MONOTONIC, &start_time); }

const char *message_elapsed(char buf[32])
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long ms = (now.tv_sec - start_time.tv_sec) * 1000LL
                   + (now.tv_nsec - start_time.tv_nsec) / 1000000;
    unsigned long long t = ms < 0 ? 0 : (unsigned long long)ms, s = t / 1000;
    snprintf(buf, 32, "%02u:%02u:%02u:%02u.%03u", (unsigned)(s / 86400) % 100,
             (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60), (unsigned)(s % 60),
             (unsigned)(t % 1000));
    return buf;
}

static void add_prefix(MsgKind kind, StrBuf *out)
{
    if (kind == MSG_PLAIN)
        return;
    static const char *const mark[] = { [MSG_USER] = "==", [MSG_DEBUG] = "--", [MSG_CLIENT] = "**" };
    strbuf_adds(out, mark[kind]);
    if (core_options->time_stamp) {
        char buf[32];
        strbuf_printf(out, "%s ", message_elapsed(buf));
    }
    strbuf_printf(out, "%d%s ", (int)getpid(), mark[kind]);
}

void report_answer_to(int fd)
{
    message_flush();
    asker = fd;
}

void report_set_answers(AnswerKind kind) { answers = kind; }

/** True: the lines are for who asked, and were sent; one who does not listen any more misses them. */
static bool send_to_asker(MsgKind kind, const char *text, size_t n)
{
    if (asker < 0 || answers == ANSWER_NONE || (answers == ANSWER_PLAIN && kind != MSG_PLAIN))
        return false;
    for (ssize_t r; n > 0; text += r, n -= (size_t)r) {
        r = send(asker, text, n, MSG_NOSIGNAL);
        if (r < 0 && errno != EINTR)
            break;
        r = r < 0 ? 0 : r;
    }
    return true;
}

void message_lines(MsgKind kind, const char *text, size_t n)
{
    StrBuf out = { 0 };
    if (!sink_is_open(SINK_LOG) && asker < 0)
        return;
    for (const char *s = text, *end = text + n; s < end;) {
        const char *nl = memchr(s, '\n', (size_t)(end - s));
        const char *stop = nl ? nl + 1 : end;
        add_prefix(kind, &out);
        strbuf_add(&out, s, (size_t)(stop - s));
        if (!nl)
            strbuf_addc(&out, '\n');
        s = stop;
    }
    if (!send_to_asker(kind, strbuf_text(&out), out.len))
        sink_write(SINK_LOG, strbuf_text(&out), out.len);
    strbuf_free(&out);
}

void message_flush(void)
{
    if (partial.len > 0)
        message_lines(partial_kind, partial.s, partial.len);
    strbuf_free(&partial);
}

void gimle_vmsg(MsgKind kind, const char *fmt, va_list ap)
{
    if (partial.len > 0 && partial_kind != kind)
        message_flush();
    partial_kind = kind;
    strbuf_vprintf(&partial, fmt, ap);
    const char *last = partial.len > 0 ? memrchr(partial.s, '\n', partial.len) : NULL;
    if (!last)
        return;
    size_t whole = (size_t)(last + 1 - partial.s);
    message_lines(kind, partial.s, whole);
    StrBuf rest = { 0 };
    if (partial.len > whole)
        strbuf_add(&rest, partial.s + whole, partial.len - whole);
    strbuf_free(&partial);
    partial = rest;
}

void gimle_msg(MsgKind kind, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    gimle_vmsg(kind, fmt, ap);
    va_end(ap);
}

void gimle_umsg(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    gimle_vmsg(MSG_USER, fmt, ap);
    va_end(ap);
}
