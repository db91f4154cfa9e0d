// SPDX-License-Identifier: MIT
// /proc/self looks as without us; the core's descriptors are not there.
// DIFFERS: Valgrind shows its own limits and descriptors
// TOOL: none
// ARGS: one two
// STDOUT: ok
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#define MUST(x) do { if (!(x)) { printf("line %d: %s (errno %d)\n", __LINE__, #x, errno); exit(1); } } while (0)

static size_t slurp(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    MUST(fd >= 0);
    size_t n = 0;
    for (ssize_t k; n < size - 1 && (k = read(fd, buf + n, size - 1 - n)) > 0;)
        n += (size_t)k;
    buf[n] = 0;
    close(fd);
    return n;
}

static char big[1 << 18];

int main(int argc, char **argv)
{
    char path[4096], exe[4096], here[64];
    MUST(argc == 3);
    MUST(realpath(argv[0], exe));
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    MUST(n > 0);
    path[n] = 0;
    MUST(strcmp(path, exe) == 0);
    sprintf(here, "/proc/%d/exe", getpid());
    MUST(readlink(here, path, sizeof path) == n);
    struct stat a, b;
    MUST(stat("/proc/self/exe", &a) == 0 && stat(exe, &b) == 0 && a.st_ino == b.st_ino);
    MUST(access("/proc/self/exe", X_OK) == 0);
    size_t len = slurp("/proc/self/cmdline", big, sizeof big);
    MUST(len == strlen(argv[0]) + 1 + 8 && strcmp(big, argv[0]) == 0);
    MUST(memcmp(big + strlen(argv[0]) + 1, "one\0two", 8) == 0);
    len = slurp("/proc/self/environ", big, sizeof big);
    MUST(!memmem(big, len, "GIMLE_CORE", 10));
    len = slurp("/proc/self/auxv", big, sizeof big);
    MUST(((uint64_t *)big)[0] != 0 && len % 16 == 0);
    for (uint64_t *v = (uint64_t *)big; v[0]; v += 2)
        if (v[0] == AT_ENTRY || v[0] == AT_PHDR || v[0] == AT_BASE || v[0] == AT_RANDOM)
            MUST(getauxval(v[0]) == v[1]);
    slurp("/proc/self/maps", big, sizeof big);
    MUST(strstr(big, exe) && strstr(big, "[stack]") && strstr(big, "libc.so") && !strstr(big, "gimle-core") &&
         !strstr(big, "memfd:gimle"));
    int on_stack, found = 0;
    for (char *line = big; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        unsigned long lo, hi;
        if (sscanf(line, "%lx-%lx", &lo, &hi) == 2 && (uintptr_t)&on_stack >= lo && (uintptr_t)&on_stack < hi)
            found = 1;
    }
    MUST(found);
    slurp("/proc/self/stat", big, sizeof big);
    MUST(atoi(big) == getpid());
    char *name = strrchr(exe, '/') + 1;
    slurp("/proc/self/comm", big, sizeof big);
    MUST(strncmp(big, name, 15 < strlen(name) ? 15 : strlen(name)) == 0);
    DIR *d = opendir("/proc/self/fd");
    int fds = 0;
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') {
            char one[300], to[4096];
            snprintf(one, sizeof one, "/proc/self/fd/%s", e->d_name);
            MUST(readlink(one, to, sizeof to) > 0);
            MUST(fcntl(atoi(e->d_name), F_GETFD) >= 0); /* what is shown can be used */
            fds++;
        }
    closedir(d);
    MUST(fds >= 4);
    for (int fd = 20; fd < 70000; fd++)
        MUST(close(fd) == -1 || fd < 300);
    puts("ok");
    return 0;
}
