#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What a program sees of itself: /proc/self and its other names, the auxiliary vector, names, limits and descriptors,
# natively and under Gimle.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cwd ();
use File::Path ();
use Run;

my $build = Cwd::abs_path($ENV{builddir} || '.');
my $gimle = $ENV{GIMLE_CHECKER} || "$build/gimle";
my $work = "$build/tests/process-view-work";
File::Path::remove_tree($work);
File::Path::make_path($work);

Run::spew("$work/look.c", <<'C');
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const entries[] = { "cmdline", "comm", "environ", "exe", "cwd", "root", "stat", "statm", "status",
    "maps", "smaps", "limits", "auxv", "fd", "task", "fdinfo", "ns", "oom_score", "cgroup", "mem", "attr", "net", "none" };
static char text[1 << 20];
static int data_object = 5;
int main(int argc, char **argv, char **envp);

static int load(const char *path)
{
    int fd = open(path, O_RDONLY), n = 0, r;
    if (fd < 0)
        return -errno;
    while (n < (int)sizeof text - 1 && (r = read(fd, text + n, sizeof text - 1 - n)) > 0)
        n += r;
    text[n] = 0;
    close(fd);
    return n;
}

/* Each entry: what it is, and how it opens. */
static void show_entries(const char *base, const char *name)
{
    for (unsigned i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        char path[128], link[4096];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", base, entries[i]);
        if (lstat(path, &st) != 0) {
            printf("%s/%s: %s\n", name, entries[i], strerror(errno));
            continue;
        }
        printf("%s/%s: mode %o, ", name, entries[i], st.st_mode);
        int n = readlink(path, link, sizeof link - 1);
        if (n >= 0) {
            link[n] = 0;
            printf("to %s, %s\n", strcmp(entries[i], "net") ? link : "-", stat(path, &st) == 0 ? "there" : "gone");
        } else {
            int fd = open(path, O_RDONLY);
            printf("%s, ", fd >= 0 ? "opens" : strerror(errno));
            close(fd);
            fd = open(path, O_WRONLY);
            printf("%s\n", fd >= 0 ? "writable" : strerror(errno));
            close(fd);
        }
    }
}

static void show_strings(const char *path)
{
    int n = load(path);
    for (int i = 0; i < n; i++)
        text[i] = text[i] ? text[i] : '|';
    printf("%s: %s\n", strrchr(path, '/'), text);
}

/* Lines of status but those that change by themselves. */
static void show_status(const char *path)
{
    static const char *const keys[] = { "Name:", "Umask:", "TracerPid:", "Uid:", "Gid:", "Groups:", "NStgid", "Kthread:",
        "VmLck:", "VmPin:", "VmStk:", "VmSwap:", "Threads:", "SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:", "Cap", "NoNewPrivs:",
        "Seccomp:" };
    load(path);
    for (char *save, *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
        for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++)
            if (strncmp(l, keys[i], strlen(keys[i])) == 0 && strcmp(keys[i], "VmStk:") != 0 && strncmp(l, "NStgid", 6) != 0)
                printf("status %s\n", l);
}

/* Fields of stat that are known, and whether the addresses are what they should be. */
static void show_stat(const char *path, pid_t tid, char **argv)
{
    long long f[60] = { 0 };
    load(path);
    printf("stat pid is right %d, ", atoi(text) == tid);
    char *p = strchr(text, '(');
    printf("name %.*s\n", (int)(strrchr(text, ')') + 1 - p), p);
    p = strrchr(text, ')') + 4;
    for (int i = 4; i < 53; i++)
        f[i] = strtoull(p, &p, 10);
    printf("parent %d group %d session %d threads %lld ignored %llx caught %llx blocked %llx exit signal %lld\n", f[4] == getppid(),
        f[5] == getpgrp(), f[6] == getsid(0), f[20], f[33], f[34], f[32], f[38]);
    printf("size below 2 GiB %d, code %d, data %d, stack %d, arguments %d\n", f[23] < 2LL << 30,
        f[26] <= (long long)main && (long long)main < f[27], f[45] <= (long long)&data_object, (char *)f[28] <= argv[0],
        f[48] == (long long)argv[0]);
}

struct Seen { int program, code, data, heap, stack, libc, ld, vdso, high, lines; };

static void show_maps(const char *path)
{
    struct Seen s = { 0 };
    char self[4096];
    void *heap = sbrk(4096);
    self[readlink("/proc/self/exe", self, sizeof self - 1)] = 0;
    int n = load(path);
    for (char *save, *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        unsigned long lo, hi, offset;
        char prot[5], name[4096] = "";
        if (sscanf(l, "%lx-%lx %4s %lx %*s %*s %4095s", &lo, &hi, prot, &offset, name) < 4)
            continue;
        s.lines++;
        s.program |= strcmp(name, self) == 0;
        s.code |= (long)main >= lo && (long)main < hi && strcmp(name, self) == 0 && strcmp(prot, "r-xp") == 0;
        s.data |= (long)&data_object >= lo && (long)&data_object < hi && strcmp(prot, "rw-p") == 0;
        s.heap |= (long)sbrk(0) - 1 >= lo && (long)sbrk(0) - 1 < hi && strcmp(name, "[heap]") == 0;
        s.stack |= (long)&s >= lo && (long)&s < hi && strcmp(name, "[stack]") == 0 && prot[1] == 'w';
        s.libc |= (long)(void *)&puts >= lo && (long)(void *)&puts < hi && strstr(name, "libc.so") != NULL;
        s.ld |= strstr(name, "/ld-linux") != NULL;
        s.vdso |= getauxval(AT_SYSINFO_EHDR) >= lo && getauxval(AT_SYSINFO_EHDR) < hi && strcmp(name, "[vdso]") == 0;
        s.high |= strstr(name, "gimle") != NULL;
    }
    printf("%s: program %d code %d data %d heap %d stack %d libc %d ld %d vdso %d others %d, some lines %d\n", strrchr(path, '/'),
        s.program, s.code, s.data, s.heap, s.stack, s.libc, s.ld, s.vdso, s.high, s.lines > 10);
    (void)heap, (void)n;
}

static void show_auxv(char **envp)
{
    while (*envp++)
        ;
    static const int numbers[] = { AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_FLAGS, AT_UID, AT_EUID, AT_GID, AT_EGID, AT_CLKTCK,
        AT_SECURE };
    unsigned long n = 0;
    for (ElfW(auxv_t) *a = (void *)envp; a->a_type != AT_NULL; a++)
        n++;
    printf("auxv");
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        printf(" %d=%lu", numbers[i], getauxval(numbers[i]));
    printf("\nplatform %s, run as %s, entry in the program %d, random %d\n", (char *)getauxval(AT_PLATFORM),
        strrchr((char *)getauxval(AT_EXECFN), '/'), getauxval(AT_PHDR) < getauxval(AT_ENTRY), getauxval(AT_RANDOM) != 0);
    int bytes = load("/proc/self/auxv");
    printf("auxv file is the vector %d\n", bytes == (int)(n + 1) * 16 && memcmp(text, envp, bytes) == 0);
}

static void show_limits(void)
{
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit r;
        getrlimit(i, &r);
        printf("limit %d: %ld %ld\n", i, (long)r.rlim_cur, (long)r.rlim_max);
    }
    load("/proc/self/limits");
    for (char *save, *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
        printf("%s\n", l);
}

static void show_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    for (struct dirent *e; (e = readdir(d));) {
        char link[4096] = "";
        int n = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);
        int fd = atoi(e->d_name);
        if (e->d_name[0] != '.')
            printf("fd %d %s flags %x\n", fd, fd == dirfd(d) || fd < 3 ? "-" : link, fcntl(fd, F_GETFD));
    }
    closedir(d);
    int fd = open("/dev/null", O_RDONLY);
    printf("next descriptor %d, highest duplicate %s\n", fd, fcntl(fd, F_DUPFD, 200) == 200 ? "200" : strerror(errno));
}

static void *thread(void *arg)
{
    char path[64], name[32] = "";
    prctl(PR_SET_NAME, "second one");
    pthread_getname_np(pthread_self(), name, sizeof name);
    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", syscall(SYS_gettid));
    show_stat(path, (pid_t)syscall(SYS_gettid), arg);
    strcpy(strrchr(path, '/'), "/status");
    show_status(path);
    strcpy(strrchr(path, '/'), "");
    show_entries(path, "task");
    show_entries("/proc/thread-self", "thread");
    printf("called %s\n", name);
    return NULL;
}

int main(int argc, char **argv, char **envp)
{
    char pid[32];
    pthread_t t;
    snprintf(pid, sizeof pid, "/proc/%d", getpid());
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, (void (*)(int))main);
    show_entries("/proc/self", "self");
    show_entries(pid, "pid");
    show_strings("/proc/self/cmdline");
    show_strings("/proc/self/environ");
    show_strings("/proc/self/comm");
    printf("%s %s\n", program_invocation_name, program_invocation_short_name);
    show_status("/proc/self/status");
    show_stat("/proc/self/stat", getpid(), argv);
    show_maps("/proc/self/maps");
    show_maps(strcat(pid, "/maps"));
    show_auxv(envp);
    show_limits();
    show_descriptors();
    pthread_create(&t, NULL, thread, argv);
    pthread_join(t, NULL);
    DIR *d = opendir("/proc/self/task");
    int n = 0;
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    printf("tasks %s\n", n >= 1 ? "some" : "none");
    return 0;
}
C
system('gcc', '-g', '-w', '-O1', '-fno-plt', '-pthread', '-o', "$work/look", "$work/look.c") == 0 or die 'no compiler';

my @ways = (
    ['as it is', "exec EXEC_HERE $work/look one 'two three' ''"],
    ['by a relative path', "exec EXEC_HERE ./look"],
    ['by PATH, with other limits and descriptors', "ulimit -n 300; ulimit -c 0; PATH=$work:\$PATH; exec EXEC_HERE look x 5</dev/null 7<&5"],
    ['closed input', "exec EXEC_HERE $work/look 0<&-"],
);
my @tests;
for my $way (@ways) {
    my ($name, $command) = @$way;
    for my $tool ('none', 'memcheck') {
        push @tests, ["$name, $tool", sub {
            my %said;
            for my $how ('native', $tool) {
                my $by = $how eq 'native' ? '' : "$gimle -q --tool=$tool" . ($tool eq 'memcheck' ? ' --undef-value-errors=no' : '');
                my $r = Run::run(cmd => $command =~ s/EXEC_HERE/$by/r, dir => $work, base => "$work/" . ("$name-$how-$tool" =~ s/\W+/-/gr),
                    env => { HOME => $work, GIMLE_OPTS => undef, VALGRIND_OPTS => undef });
                $said{$how} = [split /\n/, $r->{out}];
                return (0, "$how ends with " . Run::how_it_ended($r), $r->{err}) if $r->{status} || $r->{signal} || $r->{err} ne '';
            }
            my ($native, $ours) = ($said{native}, $said{$tool});
            my @bad = map { ($native->[$_] // '') eq ($ours->[$_] // '') ? ()
                : ('natively: ' . ($native->[$_] // '-'), 'here:     ' . ($ours->[$_] // '-')) }
                0 .. (@$native > @$ours ? @$native : @$ours) - 1;
            return (!@bad, @bad ? @bad[0 .. ($#bad > 11 ? 11 : $#bad)] : scalar(@$native) . ' lines');
        }];
    }
}
exit(Run::tap_parallel(@tests) ? 1 : 0);
