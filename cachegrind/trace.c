/* SPDX-License-Identifier: MIT */
/* A buffer, written when it is full.  The call of the kernel uses general registers only. */
#include "trace.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RECORD_WORDS = 3, RECORDS = 8192 };

bool trace_on;
static int fd = -1;
static uint64_t buffer[RECORDS * RECORD_WORDS];
static size_t used;

static GIMLE_LIGHT void flush(void)
{
    const char *p = (const char *)buffer, *end = (const char *)(buffer + used);
    while (p < end) {
        long n;
        __asm__ volatile("syscall"
                         : "=a"(n)
                         : "0"(SYS_write), "D"(fd), "S"(p), "d"(end - p)
                         : "rcx", "r11", "memory");
        if (n <= 0 && n != -EINTR)
            break;
        p += n > 0 ? n : 0;
    }
    used = 0;
}

GIMLE_LIGHT void trace_event(char kind, uint64_t a, uint64_t value)
{
    if (!trace_on)
        return;
    if (used == RECORDS * RECORD_WORDS)
        flush();
    buffer[used++] = (uint64_t)kind;
    buffer[used++] = a;
    buffer[used++] = value;
}

void trace_open(void)
{
    if (!cg_options.access_trace)
        return;
    fd = gimle_open_output(cg_options.access_trace);
    if (fd < 0)
        gimle_user_error("--access-trace: cannot write '%s': %s", cg_options.access_trace, strerror(errno));
    trace_on = true;
}

void trace_close(void)
{
    if (trace_on) {
        flush();
        close(fd);
        trace_on = false;
    }
}

void trace_forget(void)
{
    used = 0;
    trace_on = false;
}
