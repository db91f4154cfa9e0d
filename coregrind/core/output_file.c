/* SPDX-License-Identifier: MIT */
/*
 * Output files: %-sequences in their names, and opening them so that a link planted by somebody
 * else is not followed and the client never sees the descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/core/options.h"
#include "gimle/tool.h"

static _Atomic unsigned sequence;
static char base[PATH_MAX]; /**< directory that relative names start from, "" unknown */

void output_file_set_base(void)
{
    if (!getcwd(base, sizeof base))
        base[0] = '\0';
}

static _Noreturn void bad_name(const char *option, const char *pattern, const char *why)
{
    StrBuf b = { 0 };
    strbuf_printf(&b, "%s=%s", option, pattern);
    options_bad(b.s, "%s", why);
}

/** Expand "%q{VAR}" at @p s (after the q); returns what follows. */
static const char *expand_env(const char *option, const char *pattern, const char *s, StrBuf *out)
{
    if (*s != '{')
        bad_name(option, pattern, "Expected '{' after '%q'");
    const char *end = strchr(s, '}');
    if (!end)
        bad_name(option, pattern, "Missing '}' in %q specifier");
    char *name = strndup(s + 1, (size_t)(end - s) - 1);
    const char *value = name ? getenv(name) : NULL;
    if (!value) {
        StrBuf why = { 0 };
        strbuf_printf(&why, "Environment variable '%s' is not set", name ? name : "");
        bad_name(option, pattern, why.s);
    }
    strbuf_adds(out, value);
    free(name);
    return end + 1;
}

char *gimle_expand_file_name(const char *option, const char *pattern)
{
    StrBuf out = { 0 };
    if (!*pattern)
        bad_name(option, pattern, "No filename given");
    if (*pattern != '/' && base[0]) /* the program may go elsewhere */
        strbuf_printf(&out, "%s%s", base, base[1] ? "/" : "");
    for (const char *s = pattern; *s;) {
        if (*s != '%') {
            strbuf_addc(&out, *s++);
            continue;
        }
        s++;
        switch (*s++) {
        case '%':
            strbuf_addc(&out, '%');
            break;
        case 'p':
            strbuf_printf(&out, "%d", (int)getpid());
            break;
        case 'n':
            strbuf_printf(&out, "%u", atomic_fetch_add(&sequence, 1) + 1);
            break;
        case 'q':
            s = expand_env(option, pattern, s, &out);
            break;
        default:
            bad_name(option, pattern, "Expected 'p', 'n', 'q' or '%' after '%'");
        }
    }
    return out.s ? out.s : strdup("");
}

int gimle_open_output(const char *path)
{
    enum { FLAGS = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY };
    int fd = open(path, FLAGS | O_NOFOLLOW, 0666);
    if (fd < 0 && errno == ELOOP) {
        struct stat st;
        if (lstat(path, &st) != 0 || (st.st_uid != geteuid() && st.st_uid != 0)) {
            errno = ELOOP;
            return -1;
        }
        fd = open(path, FLAGS, 0666);
    }
    if (fd < 0)
        return -1;
    int up = host_fd_move(fd);
    return up >= 0 ? up : fd;
}
