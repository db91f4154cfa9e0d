/* SPDX-License-Identifier: MIT */
/*
 * The outputs: log, XML, JSON, each to a descriptor, a file or a socket.  The descriptors are moved
 * away from the client's; what the client does to its descriptor 2 does not touch the log.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ranked_lock.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/report/report_internal.h"
#include "gimle/tool.h"

enum { DEFAULT_PORT = 1500 };

typedef struct Sink {
    int fd;               /**< -1: closed */
    bool is_file, is_socket;
    bool failed;          /**< a write did, and the user was told */
    const char *option;   /**< "--log-file" if is_file */
    const char *pattern;  /**< its value */
    char *path;           /**< expanded */
} Sink;

static Sink sinks[SINK_COUNT] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };

/** False, and what was open stays so, if the file cannot be made; the name is @p path, the sink's from then on. */
static bool reopen_file(Sink *s, const char *option, const char *pattern, char *path)
{
    int fd = gimle_open_output(path);
    if (fd < 0)
        return false;
    if (s->fd >= 0)
        host_fd_close(s->fd);
    free(s->path);
    *s = (Sink){ .fd = fd, .is_file = true, .option = option, .pattern = pattern, .path = path };
    return true;
}

static void open_file(Sink *s, const char *option, const char *pattern, const char *what)
{
    char *path = gimle_expand_file_name(option, pattern);
    if (!reopen_file(s, option, pattern, path))
        gimle_user_error("Cannot create %s file '%s': %s", what, path, strerror(errno));
}

/** "1.2.3.4:1500" or "1.2.3.4" into @p a. */
static bool parse_address(const char *spec, struct sockaddr_in *a)
{
    char host[64];
    size_t n = strcspn(spec, ":");
    long port = DEFAULT_PORT;
    if (n >= sizeof host)
        return false;
    memcpy(host, spec, n);
    host[n] = 0;
    if (spec[n]) {
        char *end;
        if (!isdigit((unsigned char)spec[n + 1]))
            return false;
        port = strtol(spec + n + 1, &end, 10);
        if (*end || port < 1 || port > 65535)
            return false;
    }
    *a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    return inet_pton(AF_INET, host, &a->sin_addr) == 1;
}

static void open_socket(Sink *s, const char *option, const char *spec, const char *what)
{
    struct sockaddr_in a;
    if (!parse_address(spec, &a))
        gimle_user_error("Invalid %s spec of '%s'", option, spec);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0) {
        int up = host_fd_move(fd);
        *s = (Sink){ .fd = up >= 0 ? up : fd, .is_socket = true };
        return;
    }
    StrBuf msg = { 0 };
    strbuf_printf(&msg, "gimle: Failed to connect to %s server '%s': %s; writing to stderr instead.\n",
                  what, spec, strerror(errno));
    ssize_t ignored = write(2, msg.s, msg.len);
    (void)ignored;
    strbuf_free(&msg);
    if (fd >= 0)
        close(fd);
    *s = (Sink){ .fd = host_fd_dup(2) };
}

/** -1 is no output at all. */
static void open_fd(Sink *s, int64_t fd, const char *what)
{
    int up = fd < 0 ? -1 : host_fd_dup((int)fd);
    if (up < 0 && fd >= 0 && fd != 2) {
        static const char msg[] = " descriptor cannot be used; writing to stderr instead.\n";
        StrBuf b = { 0 };
        strbuf_printf(&b, "gimle: %s%s", what, msg);
        ssize_t ignored = write(2, b.s, b.len);
        (void)ignored;
        strbuf_free(&b);
        up = host_fd_dup(2);
    }
    *s = (Sink){ .fd = up };
}

void sink_open_all(void)
{
    const CoreOptions *o = core_options;
    if (o->log_file)
        open_file(&sinks[SINK_LOG], "--log-file", o->log_file, "log");
    else if (o->log_socket)
        open_socket(&sinks[SINK_LOG], "--log-socket", o->log_socket, "log");
    else
        open_fd(&sinks[SINK_LOG], o->log_fd, "log");
    if (o->xml) {
        if (o->xml_file)
            open_file(&sinks[SINK_XML], "--xml-file", o->xml_file, "XML");
        else if (o->xml_socket)
            open_socket(&sinks[SINK_XML], "--xml-socket", o->xml_socket, "XML");
        else
            open_fd(&sinks[SINK_XML], o->xml_fd, "XML");
    }
    if (o->json) {
        if (!o->json_file)
            options_bad("--json=yes", "--json=yes needs --json-file");
        open_file(&sinks[SINK_JSON], "--json-file", o->json_file, "JSON");
    }
}

bool sink_is_open(SinkId id) { return sinks[id].fd >= 0; }
bool sink_log_is_fd(void) { return !sinks[SINK_LOG].is_file && !sinks[SINK_LOG].is_socket; }

/** Into a file that the client's RLIMIT_FSIZE keeps from growing: only its soft limit is real. */
static ssize_t write_past_limit(int fd, const char *text, size_t n)
{
    struct rlimit client, none;
    ssize_t r = -1;
    errno = EFBIG;
    if (getrlimit(RLIMIT_FSIZE, &client) == 0 && client.rlim_max > client.rlim_cur) {
        none = client;
        none.rlim_cur = none.rlim_max;
        setrlimit(RLIMIT_FSIZE, &none);
        r = write(fd, text, n);
        int e = r < 0 ? errno : 0;
        setrlimit(RLIMIT_FSIZE, &client);
        errno = e;
    }
    return r;
}

/** A closed pipe or a limit must not kill the client: such signals are blocked, and taken back. */
static ssize_t write_quietly(const Sink *s, const char *text, size_t n)
{
    if (s->is_socket)
        return send(s->fd, text, n, MSG_NOSIGNAL);
    sigset_t quiet, old, pending, raised;
    sigemptyset(&quiet);
    sigaddset(&quiet, SIGPIPE);
    sigaddset(&quiet, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &quiet, &old);
    ssize_t r = write(s->fd, text, n);
    int e = errno;
    int sig = e == EPIPE ? SIGPIPE : SIGXFSZ;
    if (r < 0 && (e == EPIPE || e == EFBIG) && sigpending(&pending) == 0 &&
        sigismember(&pending, sig) && !sigismember(&old, sig)) {
        struct timespec zero = { 0, 0 };
        sigemptyset(&raised);
        sigaddset(&raised, sig);
        sigtimedwait(&raised, NULL, &zero);
    }
    if (r < 0 && e == EFBIG && s->is_file) {
        r = write_past_limit(s->fd, text, n);
        e = errno;
    }
    for (sig = 1; sig < NSIG; sig++)
        if (sigismember(&old, sig) == 1)
            sigdelset(&quiet, sig);
    pthread_sigmask(SIG_UNBLOCK, &quiet, NULL); /* SIG_SETMASK would unblock 32 and 33 */
    errno = e;
    return r;
}

/** A full disk and the like: one line where the user may see it. */
static void tell_failure(Sink *s)
{
    if (!s->is_file || s->failed)
        return;
    s->failed = true;
    Sink err = { .fd = 2 };
    StrBuf msg = { 0 };
    strbuf_printf(&msg, "%s: cannot write '%s' (%s): %s\n", options_program_name(), s->path,
                  s->option, strerror(errno));
    ssize_t ignored = write_quietly(&err, msg.s, msg.len);
    (void)ignored;
    strbuf_free(&msg);
}

void sink_write(SinkId id, const char *text, size_t n)
{
    lock_take(LOCK_report);
    Sink *s = &sinks[id];
    while (n > 0 && s->fd >= 0) {
        ssize_t r = write_quietly(s, text, n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0 && errno == EAGAIN) {
            usleep(1000); /* the client made the terminal non-blocking */
            continue;
        }
        if (r <= 0) {
            tell_failure(s);
            if (s->is_socket || errno == EPIPE) {
                host_fd_close(s->fd);
                s->fd = -1;
            }
            break;
        }
        text += r;
        n -= (size_t)r;
    }
    lock_release(LOCK_report);
}

const char *report_log_path(void) { return sinks[SINK_LOG].path; }

bool sink_color(void)
{
    static int answer = -1;
    if (answer < 0) {
        const char *term = getenv("TERM");
        bool terminal = sink_log_is_fd() && sinks[SINK_LOG].fd >= 0 && isatty(sinks[SINK_LOG].fd);
        bool able = term && strcmp(term, "dumb") != 0 && !getenv("NO_COLOR");
        answer = terminal && (core_options->color == 1 || (core_options->color == 2 && able));
    }
    return answer;
}

bool sink_after_fork(bool silent)
{
    bool new_log = false;
    for (int i = 0; i < SINK_COUNT; i++) {
        Sink *s = &sinks[i];
        if (s->fd < 0)
            continue;
        if (silent) {
            host_fd_close(s->fd);
            s->fd = -1;
        } else if (s->is_file && strstr(s->pattern, "%p")) {
            /* Where it has no right to make one, a child goes on in its parent's. */
            char *path = gimle_expand_file_name(s->option, s->pattern);
            if (!reopen_file(s, s->option, s->pattern, path))
                free(path);
            else if (i == SINK_LOG)
                new_log = true;
        }
    }
    return new_log;
}

void sink_close_all(void)
{
    for (int i = 0; i < SINK_COUNT; i++) {
        if (sinks[i].fd >= 0)
            host_fd_close(sinks[i].fd);
        sinks[i].fd = -1;
    }
}
