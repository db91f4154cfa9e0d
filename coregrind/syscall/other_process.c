/* SPDX-License-Identifier: MIT */
/*
 * Looks into other processes: a core of the same file has its TraceArea at the same place of its image
 * as we have ours.  Nothing here is trusted: whatever is read is only copied.
 */
#include "other_process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "coregrind/aspace/layout.h"
#include "coregrind/launcher/launcher.h"

extern const char __executable_start[]; /* by the linker */

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool other_process_read(pid_t pid, void *to, uint64_t from, size_t len)
{
    struct iovec l = { to, len }, r = { (void *)(uintptr_t)from, len };
    return process_vm_readv(pid, &l, 1, &r, 1, 0) == (ssize_t)len;
}

bool other_process_write(pid_t pid, uint64_t to, const void *from, size_t len)
{
    struct iovec l = { (void *)(uintptr_t)from, len }, r = { (void *)(uintptr_t)to, len };
    return process_vm_writev(pid, &l, 1, &r, 1, 0) == (ssize_t)len;
}

static FILE *open_proc(pid_t pid, const char *entry)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, entry);
    return fopen(path, "re");
}

/** Where the core's image begins in @p pid. */
static uint64_t core_base(pid_t pid)
{
    struct stat st;
    char *line = NULL;
    size_t size = 0;
    uint64_t base = 0;
    FILE *f = stat("/proc/self/exe", &st) == 0 ? open_proc(pid, "maps") : NULL;
    while (f && !base && getline(&line, &size, f) > 0) {
        unsigned long long start, offset, inode;
        unsigned dev_major, dev_minor;
        if (sscanf(line, "%llx-%*x %*s %llx %x:%x %llu", &start, &offset, &dev_major, &dev_minor,
                   &inode) == 5 &&
            offset == 0 && inode == st.st_ino && start > GIMLE_CLIENT_END)
            base = start;
    }
    free(line);
    if (f)
        fclose(f);
    return base;
}

uint64_t other_process_area(pid_t pid, TraceArea *out)
{
    char exe[64];
    snprintf(exe, sizeof exe, "/proc/%d/exe", (int)pid);
    if (!same_file("/proc/self/exe", exe))
        return 0;
    uint64_t base = core_base(pid);
    uint64_t at = base + (uint64_t)((const char *)&trace_area - __executable_start);
    return base && other_process_read(pid, out, at, sizeof *out) && out->magic == TRACEE_MAGIC ? at : 0;
}

/** Has the program of @p pid been told that it is traced? */
static bool is_told(pid_t pid)
{
    static const char name[] = LAUNCHER_TRACED_VAR "=";
    char *var = NULL;
    size_t size = 0;
    bool found = false;
    FILE *f = open_proc(pid, "environ");
    while (f && !found && getdelim(&var, &size, 0, f) > 0)
        found = strncmp(var, name, sizeof name - 1) == 0;
    free(var);
    if (f)
        fclose(f);
    return found;
}

OtherKind other_process_kind(pid_t pid)
{
    char exe[64];
    const char *launcher = getenv(LAUNCHER_PATH_VAR);
    TraceArea area;
    snprintf(exe, sizeof exe, "/proc/%d/exe", (int)pid);
    if (launcher && same_file(launcher, exe))
        return is_told(pid) ? OTHER_STARTS : OTHER_NATIVE;
    if (!same_file("/proc/self/exe", exe))
        return OTHER_NATIVE;
    if (other_process_area(pid, &area) && area.on)
        return OTHER_RUNS;
    return is_told(pid) ? OTHER_STARTS : OTHER_NATIVE;
}

/* ---- /proc/PID ----------------------------------------------------------------------------------- */

static void copy_memory(pid_t pid, uint64_t at, uint64_t end, int fd)
{
    char part[4096];
    while (at < end) {
        size_t n = end - at < sizeof part ? end - at : sizeof part;
        if (!other_process_read(pid, part, at, n) || write(fd, part, n) != (ssize_t)n)
            return;
        at += n;
    }
}

/** The client's part of its mappings; what may be executed only the process itself knows. */
static void copy_maps(pid_t pid, const TraceArea *area, int fd)
{
    char *line = NULL;
    size_t size = 0;
    FILE *f = open_proc(pid, "maps");
    while (f && getline(&line, &size, f) > 0) {
        unsigned long long start = strtoull(line, NULL, 16);
        char *end = strchr(line, '-');
        bool stack = end && area->auxv >= start && area->auxv < strtoull(end + 1, NULL, 16);
        if (start >= GIMLE_CLIENT_END)
            break;
        line[strcspn(line, "\n")] = 0;
        dprintf(fd, stack ? "%-72s [stack]\n" : "%s\n", line);
    }
    free(line);
    if (f)
        fclose(f);
}

bool other_process_describe(pid_t pid, const TraceArea *area, const char *entry, int fd)
{
    if (strcmp(entry, "maps") == 0)
        copy_maps(pid, area, fd);
    else if (strcmp(entry, "auxv") == 0)
        copy_memory(pid, area->auxv, area->auxv_end, fd);
    else if (strcmp(entry, "cmdline") == 0)
        copy_memory(pid, area->args, area->args_end, fd);
    else if (strcmp(entry, "environ") == 0)
        copy_memory(pid, area->env, area->env_end, fd);
    else
        return false;
    return true;
}
