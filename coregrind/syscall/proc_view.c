/* SPDX-License-Identifier: MIT */
/*
 * See proc_view.h.  Files whose real content tells of the core (maps, cmdline, environ, auxv, exe)
 * are made anew, in memory, when they are opened; everything else in /proc is the host's.
 */
#include "proc_view.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/core/host_fd.h"
#include "coregrind/os/raw_syscall.h"
#include "coregrind/signal/signal.h"
#include "coregrind/signal/tracee.h"
#include "other_process.h"
#include "seccomp.h"
#include "tracer.h"

enum { PROC_MAGIC = 0x9fa0, AUXV_END = 0, STAT_SIGNALS = 0x7fffffff /* stat shows the first 31 */ };

static struct {
    char exe[PATH_MAX];
    GuestAddr start_sp;
    struct { GuestAddr lo, hi; } args, env, auxv; /* in the client's initial stack */
} view;

/* Strings of a vector at @p at up to its null: where they are; returns the vector's end. */
static GuestAddr string_area(GuestAddr at, GuestAddr *lo, GuestAddr *hi)
{
    uint64_t s;
    *lo = *hi = 0;
    while (gimle_read_guest(&s, at, sizeof s) == sizeof s) {
        at += sizeof s;
        if (s == 0)
            break;
        long n = gimle_guest_strlen(s, 1 << 20);
        if (*lo == 0)
            *lo = s;
        *hi = s + (n > 0 ? (size_t)n : 0) + 1;
    }
    return at;
}

void proc_view_init(const SyscallClient *c)
{
    snprintf(view.exe, sizeof view.exe, "%s", c->exe);
    view.start_sp = c->start_sp;
    GuestAddr at = string_area(c->start_sp + 8, &view.args.lo, &view.args.hi);
    at = string_area(at, &view.env.lo, &view.env.hi);
    view.auxv.lo = at;
    uint64_t entry[2];
    do {
        if (gimle_read_guest(entry, at, sizeof entry) != sizeof entry)
            break;
        at += sizeof entry;
    } while (entry[0] != AUXV_END);
    view.auxv.hi = at;
    snprintf(trace_area.exe, sizeof trace_area.exe, "%s", c->exe);
    trace_area.args = view.args.lo;
    trace_area.args_end = view.args.hi;
    trace_area.env = view.env.lo;
    trace_area.env_end = view.env.hi;
    trace_area.auxv = view.auxv.lo;
    trace_area.auxv_end = view.auxv.hi;
}

const char *proc_view_exe(void) { return view.exe; }

void proc_view_auxv(GuestAddr *lo, GuestAddr *hi)
{
    *lo = view.auxv.lo;
    *hi = view.auxv.hi;
}

static bool is_made(const char *entry);

/* "maps" and the like, relative to a descriptor of /proc/self: the whole path. */
static bool fetch_relative(int dfd, GuestAddr a, char *path, size_t size)
{
    char name[12], link[64];
    struct statfs fs;
    long n = gimle_guest_strlen(a, sizeof name);
    if (n <= 0 || n >= (long)sizeof name)
        return false;
    name[gimle_read_guest(name, a, (size_t)n)] = 0;
    if (!is_made(name) || fstatfs(dfd, &fs) != 0 || fs.f_type != PROC_MAGIC)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", dfd);
    ssize_t len = readlink(link, path, size - sizeof name - 1);
    if (len <= 0)
        return false;
    snprintf(path + len, size - (size_t)len, "/%s", name);
    return true;
}

bool proc_view_fetch(int dfd, GuestAddr a, char *path, size_t size)
{
    char head[6];
    if (gimle_read_guest(head, a, 1) != 1)
        return false;
    if (head[0] != '/')
        return dfd >= 0 && fetch_relative(dfd, a, path, size);
    if (gimle_read_guest(head, a, sizeof head) != sizeof head || memcmp(head, "/proc/", 6) != 0)
        return false;
    long n = gimle_guest_strlen(a, size - 1);
    if (n < 0 || (size_t)n >= size - 1)
        return false;
    path[gimle_read_guest(path, a, (size_t)n)] = 0;
    return true;
}

/* @p p behind slashes, and behind task/<tid>/ if that follows. */
static const char *skip_task(const char *p)
{
    p += strspn(p, "/");
    if (strncmp(p, "task/", 5) == 0 && isdigit((unsigned char)p[5])) {
        p += 5 + strspn(p + 5, "0123456789");
        p += strspn(p, "/");
    }
    return p;
}

/* After "/proc/<pid>/" and the like of a process under Gimle that is not ours; or NULL. */
static const char *others_entry(const char *path, pid_t *pid, TraceArea *area)
{
    char *end;
    if (strncmp(path, "/proc/", 6) != 0 || !isdigit((unsigned char)path[6]))
        return NULL;
    *pid = (pid_t)strtol(path + 6, &end, 10);
    if (*end != '/' || *pid == getpid() || !other_process_area(*pid, area) || !area->exe[0])
        return NULL;
    area->exe[sizeof area->exe - 1] = 0;
    return skip_task(end);
}

/* After "/proc/self/", "/proc/<our pid>/", "/proc/thread-self/" (and task/<tid>/); or NULL. */
static const char *own_entry(const char *path)
{
    if (strncmp(path, "/proc/", 6) != 0)
        return NULL;
    const char *p = path + 6;
    if (isdigit((unsigned char)*p)) {
        char *end;
        long id = strtol(p, &end, 10);
        if (id != getpid() && !thread_by_tid((pid_t)id))
            return NULL;
        p = end;
    } else if (strncmp(p, "self", 4) == 0) {
        p += 4;
    } else if (strncmp(p, "thread-self", 11) == 0) {
        p += 11;
    } else {
        return NULL;
    }
    return *p == '/' ? skip_task(p) : NULL;
}

bool proc_view_is_exe(const char *path)
{
    const char *entry = own_entry(path);
    return entry && view.exe[0] && strcmp(entry, "exe") == 0;
}

static void add_area(StrBuf *out, GuestAddr lo, GuestAddr hi)
{
    char part[4096];
    while (lo < hi) {
        size_t n = gimle_read_guest(part, lo, hi - lo < sizeof part ? hi - lo : sizeof part);
        if (n == 0)
            return;
        strbuf_add(out, part, n);
        lo += n;
    }
}

static void add_maps(StrBuf *out, const char *path)
{
    (void)path;
    aspace_add_maps(out);
}

static void add_cmdline(StrBuf *out, const char *path)
{
    (void)path;
    add_area(out, view.args.lo, view.args.hi);
}

static void add_environ(StrBuf *out, const char *path)
{
    (void)path;
    add_area(out, view.env.lo, view.env.hi);
}

static void add_auxv(StrBuf *out, const char *path)
{
    (void)path;
    add_area(out, view.auxv.lo, view.auxv.hi);
}

static uint64_t client_bytes(void)
{
    GuestMapping m;
    uint64_t sum = 0;
    for (GuestAddr at = 0; gimle_mapping_next(at, &m); at = m.end)
        sum += m.end - m.start;
    return sum;
}

/* Signals that the client ignores or catches. */
static void dispositions(uint64_t *ignored, uint64_t *caught)
{
    *ignored = *caught = 0;
    for (int sig = 1; sig <= 64; sig++) {
        KernelSigaction act;
        if (signal_sigaction(sig, NULL, &act) != 0 || act.handler == (uintptr_t)SIG_DFL)
            continue;
        *(act.handler == (uintptr_t)SIG_IGN ? ignored : caught) |= 1ULL << (sig - 1);
    }
}

/* Where the program itself is: text and data, as far as whole pages tell. */
static void program_ranges(GuestMapping *text, GuestMapping *data)
{
    GuestMapping m;
    memset(text, 0, sizeof *text);
    memset(data, 0, sizeof *data);
    for (GuestAddr at = 0; gimle_mapping_next(at, &m); at = m.end) {
        if (!m.path || strcmp(m.path, view.exe) != 0)
            continue;
        if ((m.prot & PROT_EXEC) && !text->end)
            *text = m;
        if ((m.prot & PROT_WRITE) && !data->end)
            *data = m;
    }
}

/* stat names sizes, addresses and signals; they are the client's here. */
static void add_stat(StrBuf *out, const char *path)
{
    enum { VSIZE = 23, START_CODE = 26, END_CODE, START_STACK, IGNORED = 33, CAUGHT, START_DATA = 45,
           END_DATA, START_BRK, ARG_START, ARG_END, ENV_START, ENV_END, LAST };
    char text[2048];
    uint64_t values[LAST] = { 0 };
    bool ours[LAST] = { 0 };
    GuestMapping code, data;
    int in = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = in < 0 ? -1 : read(in, text, sizeof text - 1);
    close(in);
    if (n <= 0)
        return;
    text[n] = 0;
    char *p = strrchr(text, ')');
    if (!p)
        return;
    program_ranges(&code, &data);
    const struct { int field; uint64_t value; } made[] = {
        { VSIZE, client_bytes() },       { START_CODE, code.start },   { END_CODE, code.end },
        { START_STACK, view.start_sp },  { START_DATA, data.start },   { END_DATA, data.end },
        { START_BRK, aspace_brk_base() },{ ARG_START, view.args.lo },  { ARG_END, view.args.hi },
        { ENV_START, view.env.lo },      { ENV_END, view.env.hi },
    };
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        values[made[i].field] = made[i].value;
        ours[made[i].field] = made[i].value != 0;
    }
    dispositions(&values[IGNORED], &values[CAUGHT]);
    values[IGNORED] &= STAT_SIGNALS;
    values[CAUGHT] &= STAT_SIGNALS;
    ours[IGNORED] = ours[CAUGHT] = true;
    strbuf_add(out, text, (size_t)(p + 1 - text));
    unsigned field = 3;
    char *save, *word = strtok_r(p + 1, " \n", &save);
    for (; word; word = strtok_r(NULL, " \n", &save), field++) {
        if (field < LAST && ours[field])
            strbuf_printf(out, " %llu", (unsigned long long)values[field]);
        else
            strbuf_printf(out, " %s", word);
    }
    strbuf_addc(out, '\n');
}

/* Sizes in KiB as the kernel counts them: of private writable memory but stacks, and of code. */
typedef struct ClientSizes {
    uint64_t all, data, text, libraries;
} ClientSizes;

static ClientSizes client_sizes(void)
{
    enum { KIB = 1024 };
    GuestMapping m, code, data;
    ClientSizes s = { .all = client_bytes() / KIB };
    program_ranges(&code, &data);
    for (GuestAddr at = 0; gimle_mapping_next(at, &m); at = m.end) {
        uint64_t kb = (m.end - m.start) / KIB;
        if ((m.prot & PROT_WRITE) && !m.is_shared && !m.is_stack)
            s.data += kb;
        if ((m.prot & PROT_EXEC) && !(m.prot & PROT_WRITE))
            *(m.start == code.start ? &s.text : &s.libraries) += kb;
    }
    return s;
}

/* status: sizes without the shadow and the core, signals as the client set them. */
static void add_status(StrBuf *out, const char *path)
{
    char line[512];
    uint64_t ignored, caught;
    FILE *in = fopen(path, "re");
    if (!in)
        return;
    ClientSizes s = client_sizes();
    unsigned filters = seccomp_count(thread_self());
    dispositions(&ignored, &caught);
    const struct { const char *key; const char *format; uint64_t value; } made[] = {
        { "VmPeak:", "%8llu kB", s.all },  { "VmSize:", "%8llu kB", s.all },
        { "VmData:", "%8llu kB", s.data }, { "VmExe:", "%8llu kB", s.text },
        { "VmLib:", "%8llu kB", s.libraries },
        { "SigIgn:", "%016llx", ignored }, { "SigCgt:", "%016llx", caught },
        { "Seccomp:", "%llu", SECCOMP_MODE_FILTER }, { "Seccomp_filters:", "%llu", filters },
    };
    size_t rows = sizeof made / sizeof made[0] - (filters ? 0 : 2);
    while (fgets(line, sizeof line, in)) {
        size_t i = 0, n = rows;
        while (i < n && strncmp(line, made[i].key, strlen(made[i].key)) != 0)
            i++;
        if (i == n) {
            strbuf_adds(out, line);
        } else {
            char value[32];
            snprintf(value, sizeof value, made[i].format, (unsigned long long)made[i].value);
            strbuf_printf(out, "%s\t%s\n", made[i].key, value);
        }
    }
    fclose(in);
}

/*
 * smaps: what the kernel says of the client's mappings.  It may have cut or joined some of them; the
 * heads have the client's protection, since the host's is never executable.
 */
static void add_smaps(StrBuf *out, const char *path)
{
    char line[4600];
    bool mine = false;
    FILE *in = fopen(path, "re");
    while (in && fgets(line, sizeof line, in)) {
        unsigned long long start, end;
        GuestMapping m;
        if (sscanf(line, "%llx-%llx ", &start, &end) == 2) {
            if (start >= GIMLE_CLIENT_END) /* the kernel would walk through all of the shadow memory */
                break;
            mine = gimle_mapping_at(start, &m);
            char *prot = strchr(line, ' ');
            if (mine && prot) {
                prot[1] = m.prot & PROT_READ ? 'r' : '-';
                prot[2] = m.prot & PROT_WRITE ? 'w' : '-';
                prot[3] = m.prot & PROT_EXEC ? 'x' : '-';
                const char *name = m.is_brk                                                 ? "[heap]"
                                   : view.start_sp >= m.start && view.start_sp < m.end ? "[stack]"
                                                                                       : NULL;
                if (name)
                    sprintf(line + strcspn(line, "\n"), "%26s\n", name);
            }
        }
        if (mine)
            strbuf_adds(out, line);
    }
    if (in)
        fclose(in);
}

static void add_statm(StrBuf *out, const char *path)
{
    unsigned long long total, rest[6];
    FILE *in = fopen(path, "re");
    if (in && fscanf(in, "%llu %llu %llu %llu %llu %llu %llu", &total, &rest[0], &rest[1], &rest[2],
                     &rest[3], &rest[4], &rest[5]) == 7) {
        total = client_bytes() / 4096;
        strbuf_printf(out, "%llu %llu %llu %llu %llu %llu %llu\n", total, rest[0], rest[1], rest[2],
                rest[3], rest[4] < total ? rest[4] : total, rest[5]);
    }
    if (in)
        fclose(in);
}

static const struct {
    const char *name;
    void (*add)(StrBuf *out, const char *path);
} made_files[] = {
    { "maps", add_maps },       { "smaps", add_smaps },   { "cmdline", add_cmdline },
    { "environ", add_environ }, { "auxv", add_auxv },     { "stat", add_stat },
    { "status", add_status },   { "statm", add_statm },
};
enum { N_MADE = sizeof made_files / sizeof made_files[0] };

static bool is_made(const char *entry)
{
    for (size_t i = 0; i < N_MADE; i++)
        if (strcmp(entry, made_files[i].name) == 0)
            return true;
    return strcmp(entry, "exe") == 0;
}

/* The client opens @p fd, a file in memory, anew, so that it gets its lowest free descriptor. */
static int64_t open_again(int fd, int flags)
{
    char link[64];
    int high = host_fd_move(fd);
    if (high < 0)
        high = fd;
    snprintf(link, sizeof link, "/proc/self/fd/%d", high);
    int64_t r = raw_syscall4(SYS_openat, (uint64_t)AT_FDCWD, (uintptr_t)link,
                             (uint64_t)(flags & (O_CLOEXEC | O_NONBLOCK | O_ACCMODE)), 0);
    host_fd_close(high);
    return r;
}

static int64_t open_made(const char *name, const char *text, size_t len, int flags)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0) {
            int64_t r = -errno;
            close(fd);
            return r;
        }
        text += n;
        len -= (size_t)n;
    }
    return open_again(fd, flags);
}

/* A file of another process under Gimle. */
static bool open_others(const char *path, int flags, int64_t *result)
{
    TraceArea area;
    pid_t pid;
    const char *entry = others_entry(path, &pid, &area);
    int fd;
    if (!entry)
        return false;
    if ((flags & O_ACCMODE) != O_RDONLY) {
        if (strcmp(entry, "mem") == 0)
            tracer_writes_memory(pid);
        return false;
    }
    if (!is_made(entry) || (fd = memfd_create(entry, MFD_CLOEXEC)) < 0)
        return false;
    if (!other_process_describe(pid, &area, entry, fd)) {
        close(fd);
        return false;
    }
    *result = open_again(fd, flags);
    return true;
}

bool proc_view_others_exe(const char *path, char *exe, size_t size)
{
    TraceArea area;
    pid_t pid;
    const char *entry = others_entry(path, &pid, &area);
    if (!entry || strcmp(entry, "exe") != 0)
        return false;
    snprintf(exe, size, "%s", area.exe);
    return true;
}

bool proc_view_open(const char *path, int flags, int64_t *result)
{
    const char *entry = own_entry(path);
    if (!entry)
        return open_others(path, flags, result);
    if (!view.exe[0])
        return false;
    if (strcmp(entry, "exe") == 0) {
        *result = raw_syscall4(SYS_openat, (uint64_t)AT_FDCWD, (uintptr_t)view.exe,
                               (uint64_t)flags, 0);
        return true;
    }
    if ((flags & O_ACCMODE) != O_RDONLY) /* what it may be opened for, the kernel knows */
        return false;
    for (size_t i = 0; i < N_MADE; i++)
        if (strcmp(entry, made_files[i].name) == 0) {
            StrBuf text = { 0 };
            made_files[i].add(&text, path);
            *result = open_made(made_files[i].name, strbuf_text(&text), text.len, flags);
            strbuf_free(&text);
            return true;
        }
    return false;
}

bool proc_view_is_fd_dir(int fd)
{
    char link[64], path[128];
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0 || fs.f_type != PROC_MAGIC)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    const char *entry = own_entry(path);
    return entry && (strcmp(entry, "fd") == 0 || strcmp(entry, "fdinfo") == 0);
}
