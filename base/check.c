/* SPDX-License-Identifier: MIT */
/* The end of the road for a bug of ours: say where and what, then let the core add its state. */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void (*check_on_failure)(void);

_Noreturn void check_failed(const char *file, int line, const char *func, const char *cond,
                            const char *fmt, ...)
{
    char buf[1024];
    int n = snprintf(buf, sizeof buf, "\ngimle: internal error at %s:%d (%s): %s", file, line,
                     func, cond);
    if (fmt[1] && n > 0 && (size_t)n < sizeof buf - 3) {
        va_list ap;
        va_start(ap, fmt);
        n += snprintf(buf + n, sizeof buf - (size_t)n, ":");
        n += vsnprintf(buf + n, sizeof buf - (size_t)n, fmt, ap);
        va_end(ap);
    }
    if ((size_t)n > sizeof buf - 2)
        n = sizeof buf - 2;
    buf[n++] = '\n';
    ssize_t ignored = write(2, buf, (size_t)n);
    (void)ignored;
    if (check_on_failure)
        check_on_failure();
    _exit(134);
}
