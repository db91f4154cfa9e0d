/* SPDX-License-Identifier: MIT */
/*
 * The asking side of monitor_protocol.h, with vgdb's options.  It signals nothing but processes whose
 * executable is a core of Gimle and which catch the signal: others would be killed by it.
 */
#include "coregrind/launcher/monitor_client.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "coregrind/launcher/monitor_protocol.h"

enum { MAX_FOUND = 256, ASK_AGAIN_MS = 100, DEFAULT_TIME_OUT = 60 };

typedef struct Options {
    pid_t pid;       /**< 0: the only one there is */
    long wait;       /**< seconds to wait for one */
    long time_out;   /**< seconds to wait for an answer to begin */
    bool list;
    const char *name;
} Options;

/* ---- processes ------------------------------------------------------------------------- */

static bool is_core(pid_t pid)
{
    static const char core[] = "gimle-core-";
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    const char *base = strrchr(path, '/');
    return base && strncmp(base + 1, core, sizeof core - 1) == 0;
}

/** Is thread @p tid alive, and does it catch the signal (@p now: it does not block it)? */
static bool would_catch(pid_t pid, pid_t tid, bool now)
{
    char path[64], line[256], state = 'Z';
    unsigned long long caught = 0, blocked = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)pid, (int)tid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        sscanf(line, "State: %c", &state);
        sscanf(line, "SigCgt: %llx", &caught);
        sscanf(line, "SigBlk: %llx", &blocked);
    }
    if (f)
        fclose(f);
    return state != 'Z' && state != 'X' && (caught & ~(now ? blocked : 0)) >> (MONITOR_SIGNAL - 1) & 1;
}

/**
 * The thread to be signalled, 0 if there is none (@p now): one and no other, since epoll_wait ends with EINTR
 * in a thread that was woken for a signal which another thread then took.
 */
static pid_t listening_thread(pid_t pid, bool now)
{
    char path[64];
    pid_t found = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    struct dirent *e;
    while (tasks && !found && (e = readdir(tasks))) {
        pid_t tid = isdigit((unsigned char)e->d_name[0]) ? (pid_t)atoi(e->d_name) : 0;
        if (tid > 0 && would_catch(pid, tid, now))
            found = tid;
    }
    if (tasks)
        closedir(tasks);
    return found;
}

static size_t find_processes(pid_t found[MAX_FOUND])
{
    size_t n = 0;
    DIR *proc = opendir("/proc");
    struct dirent *e;
    while (proc && n < MAX_FOUND && (e = readdir(proc))) {
        pid_t pid = isdigit((unsigned char)e->d_name[0]) ? (pid_t)atoi(e->d_name) : 0;
        if (pid > 0 && is_core(pid) && listening_thread(pid, false))
            found[n++] = pid;
    }
    if (proc)
        closedir(proc);
    return n;
}

static void print_process(FILE *out, pid_t pid)
{
    char path[64], line[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(line, 1, sizeof line, f) : 0;
    if (f)
        fclose(f);
    for (size_t i = 0; i < n; i++)
        line[i] = line[i] == '\0' || line[i] == '\n' ? ' ' : line[i];
    fprintf(out, "use --pid=%d for %.*s\n", (int)pid, (int)n, line);
}

/** The process meant; 0 after a complaint. */
static pid_t choose_process(const Options *o)
{
    static pid_t found[MAX_FOUND];
    for (long waited = 0;; waited++) {
        size_t n = 0;
        if (o->pid && is_core(o->pid) && listening_thread(o->pid, false))
            return o->pid;
        if (!o->pid && (n = find_processes(found)) == 1)
            return found[0];
        if (n > 1) {
            fprintf(stderr, "no --pid= arg given and multiple gimle pids found:\n");
            for (size_t i = 0; i < n; i++)
                print_process(stderr, found[i]);
            return 0;
        }
        if (waited >= o->wait)
            break;
        sleep(1);
    }
    if (o->pid)
        fprintf(stderr, "%s: no process %d under Gimle that we may ask\n", o->name, (int)o->pid);
    else
        fprintf(stderr, "%s: no process under Gimle found\n", o->name);
    return 0;
}

/* ---- one command ------------------------------------------------------------------------ */

/** A socket that listens under the name of @p number; -1 if it cannot be had. */
static int listen_as(uint32_t number)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int n = snprintf(a.sun_path + 1, sizeof a.sun_path - 1, MONITOR_SOCKET_FORMAT, (unsigned)number);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&a, len) == 0 && listen(fd, 1) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/** False if we may not; where no thread listens at this moment, nothing happens. */
static bool send_signal(pid_t pid, uint32_t number)
{
    pid_t tid = listening_thread(pid, true);
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = MONITOR_SIGNAL;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = (void *)((uintptr_t)MONITOR_MAGIC << 32 | number);
    return !tid || syscall(SYS_rt_tgsigqueueinfo, pid, tid, MONITOR_SIGNAL, &info) == 0 || errno == ESRCH;
}

/** Signal @p pid until it connects to @p listener; the connection, or -1 after a complaint. */
static int connection_from(pid_t pid, int listener, uint32_t number, const Options *o)
{
    for (long ms = 0; ms <= o->time_out * 1000; ms += ASK_AGAIN_MS) {
        struct pollfd ready = { .fd = listener, .events = POLLIN };
        if (!is_core(pid) || !send_signal(pid, number)) {
            fprintf(stderr, "%s: process %d has ended, or we may not ask it\n", o->name, (int)pid);
            return -1;
        }
        if (poll(&ready, 1, ASK_AGAIN_MS) <= 0)
            continue;
        struct ucred peer = { 0 };
        socklen_t len = sizeof peer;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid == pid)
            return fd;
        if (fd >= 0)
            close(fd);
    }
    fprintf(stderr, "%s: process %d does not answer\n", o->name, (int)pid);
    return -1;
}

static bool copy_answer(int fd)
{
    char buf[4096];
    ssize_t n;
    while ((n = read(fd, buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR)) {
        for (ssize_t done = 0, w; done < n; done += w)
            if ((w = write(STDOUT_FILENO, buf + done, (size_t)(n - done))) < 0)
                return false;
    }
    return n == 0 || errno == ECONNRESET; /* v.kill */
}

static bool give_command(pid_t pid, const char *command, const Options *o)
{
    uint32_t number = 0;
    while (!number)
        if (getrandom(&number, sizeof number, 0) != sizeof number)
            return false;
    int listener = listen_as(number);
    if (listener < 0) {
        fprintf(stderr, "%s: cannot listen on a socket: %s\n", o->name, strerror(errno));
        return false;
    }
    fprintf(stderr, "sending command %s to pid %d\n", command, (int)pid);
    int fd = connection_from(pid, listener, number, o);
    close(listener);
    if (fd < 0)
        return false;
    size_t n = strlen(command);
    bool good = send(fd, command, n, MSG_NOSIGNAL) == (ssize_t)n && shutdown(fd, SHUT_WR) == 0 &&
                copy_answer(fd);
    close(fd);
    return good;
}

/* ---- arguments -------------------------------------------------------------------------- */

static int usage(FILE *out, const char *name, int status)
{
    fprintf(out,
            "usage: %s [--pid=NUMBER] [OPTION...] [-c] COMMAND...\n"
            "Gives a monitor command to a process that runs under Gimle, and prints its answer.\n"
            "  --pid=NUMBER           the process; without it there must be only one\n"
            "  --wait=SECONDS         wait so long for it to be there [0]\n"
            "  --cmd-time-out=SECONDS wait so long for the answer to begin [%d]\n"
            "  -l                     list the processes that can be asked\n"
            "  -c                     before each of several commands\n"
            "Commands: `%s help' asks the process for them.\n",
            name, DEFAULT_TIME_OUT, name);
    return status;
}

static bool parse_number(const char *arg, const char *option, long *out)
{
    size_t n = strlen(option);
    char *end;
    if (strncmp(arg, option, n) != 0)
        return false;
    long v = strtol(arg + n, &end, 10);
    if (end == arg + n || *end || v < 0 || v > INT_MAX)
        return false;
    *out = v;
    return true;
}

/** Options of vgdb's that mean nothing here. */
static bool is_accepted(const char *arg)
{
    long ignored;
    return strcmp(arg, "-T") == 0 || strcmp(arg, "-d") == 0 || strncmp(arg, "--vgdb-prefix=", 14) == 0 ||
           parse_number(arg, "--max-invoke-ms=", &ignored);
}

/** Takes one option; false if it is none. */
static bool take_option(const char *arg, Options *o)
{
    long pid;
    if (parse_number(arg, "--pid=", &pid))
        o->pid = (pid_t)pid;
    else if (strcmp(arg, "-l") == 0)
        o->list = true;
    else if (!parse_number(arg, "--wait=", &o->wait) && !parse_number(arg, "--cmd-time-out=", &o->time_out))
        return is_accepted(arg);
    return true;
}

/** Words up to the next "-c" or the end, in @p command; the rest of them. */
static char **next_command(char **args, char command[MONITOR_MAX_COMMAND])
{
    size_t n = 0;
    if (*args && strcmp(*args, "-c") == 0)
        args++;
    for (command[0] = '\0'; *args && strcmp(*args, "-c") != 0; args++) {
        int more = snprintf(command + n, MONITOR_MAX_COMMAND - n, "%s%s", n ? " " : "", *args);
        n += (size_t)more;
        if (n >= MONITOR_MAX_COMMAND)
            return NULL;
    }
    return args;
}

int monitor_client_run(char **args, const char *name)
{
    Options o = { .time_out = DEFAULT_TIME_OUT, .name = name };
    char command[MONITOR_MAX_COMMAND];
    for (; *args && **args == '-' && strcmp(*args, "-c") != 0; args++) {
        if (strcmp(*args, "-h") == 0 || strcmp(*args, "--help") == 0)
            return usage(stdout, name, 0);
        if (!take_option(*args, &o)) {
            fprintf(stderr, "%s: unknown or malformed option %s\n", name, *args);
            return usage(stderr, name, 1);
        }
    }
    if (o.list) {
        pid_t found[MAX_FOUND];
        size_t n = find_processes(found);
        for (size_t i = 0; i < n; i++)
            print_process(stdout, found[i]);
        return 0;
    }
    if (!*args) {
        fprintf(stderr, "%s: no command (gdb cannot be attached: Gimle has no debugger server)\n", name);
        return usage(stderr, name, 1);
    }
    pid_t pid = choose_process(&o);
    while (pid && *args) {
        args = next_command(args, command);
        if (!args) {
            fprintf(stderr, "%s: the command is too long\n", name);
            return 1;
        }
        if (!give_command(pid, command, &o))
            return 1;
    }
    return pid ? 0 : 1;
}
