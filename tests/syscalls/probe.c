/* SPDX-License-Identifier: MIT */
/*
 * Makes each system call of cases.def in several ways, each in a process of its own, and prints
 * what came of it.  Natively and under Gimle the output must be the same; under a checker the
 * reports tell what it knows about the call's arguments (syscalls.t compares both).
 *
 *   probe [--root] [--modes=GXNFI | --modes=UMPN] [NAME...]
 *
 * Modes: G the call as it stands; X all pointers to unmapped memory; N all null; F all descriptors
 * closed; I each integer in turn -1; P each pointer in turn unmapped.  For checkers: U registers
 * undefined; M memory undefined; X, N as above; D as G, showing which bytes are defined afterwards.
 *
 * Flags of a case: x the result itself is compared, d what is written too, r needs root (in
 * namespaces of its own), c the call returns twice, g mode G only, i no mode I, v the outcome of
 * G varies (only that the call can be made is shown), t the table has it, but nothing is to be run.
 */
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gimle/memcheck.h"
#include "makers.h"

enum { CLOSED_FD = 777, FILL = 0xa5, PATIENCE_US = 300000 };

char g_in[256] = "contents of g_in, which is long enough for all cases", g_out[256], g_out2[64];
char *const g_argv[] = { "true", "x", NULL }, *const g_envp[] = { "A=b", NULL };

extern const Case cases[];
extern const unsigned n_cases;

/* What a child tells its parent. */
static struct Shared {
    bool done;
    long result;
    uint64_t hash;
    char defined[512];
} *shared;

typedef struct Way {
    char mode;
    int which; /* of modes I and P: the argument */
} Way;

static void *room(unsigned size)
{
    /* At the end of a page, so that the kernel cannot write further than it says. */
    size_t pages = (size + 4095ul) & ~4095ul;
    char *p = mmap(NULL, pages + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p + pages, 4096);
    return p + pages - ((size + 7) & ~7u);
}

static bool is_pointer(const Arg *a) { return a->kind >= ARG_STRING; }

static void make_arg(const Case *c, int i, Way w, long *out)
{
    const Arg *a = &c->arg[i];
    bool mine = w.which == i;
    if (is_pointer(a) && (w.mode == 'X' || (w.mode == 'P' && mine))) {
        *out = (long)NOWHERE;
        return;
    }
    if (is_pointer(a) && w.mode == 'N') {
        *out = 0;
        return;
    }
    switch (a->kind) {
    case ARG_NONE:
        break;
    case ARG_VALUE:
        *out = w.mode == 'I' && mine ? -1 : a->value;
        break;
    case ARG_MADE:
        *out = w.mode == 'I' && mine ? -1 : a->make();
        break;
    case ARG_FD:
        *out = w.mode == 'F' ? CLOSED_FD : a->make();
        break;
    case ARG_STRING:
    case ARG_IN:
    case ARG_INOUT:
        *out = (long)memcpy(room(a->size), a->data, a->size);
        if (w.mode == 'M')
            (void)VALGRIND_MAKE_MEM_UNDEFINED(*out, a->size);
        break;
    case ARG_OUT:
        *out = (long)memset(room(a->size), FILL, a->size);
        (void)VALGRIND_MAKE_MEM_UNDEFINED(*out, a->size);
        break;
    }
}

static long do_call(int number, const long *a, bool twice)
{
    register long r10 __asm__("r10") = a[3];
    register long r8 __asm__("r8") = a[4];
    register long r9 __asm__("r9") = a[5];
    long r;
    /* A child that comes back here, maybe on the same stack, leaves at once. */
    __asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\ttest %1, %1\n\tjz 1f\n\t"
                     "xor %%edi, %%edi\n\tmov $60, %%eax\n\tsyscall\n1:"
                     : "=a"(r)
                     : "r"((long)twice), "a"((long)number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10),
                       "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return r;
}

static uint64_t hash(uint64_t h, const void *p, size_t n)
{
    for (const unsigned char *c = p; n--; c++)
        h = (h ^ *c) * 1099511628211ULL;
    return h;
}

/* The ranges of [p, p+n) that are defined, as text. */
static void show_defined(char *out, size_t size, const void *p, unsigned n)
{
    unsigned char bits[4096];
    size_t len = strlen(out);
    if (n > sizeof bits || VALGRIND_GET_VBITS(p, bits, n) != 1)
        return;
    len += (size_t)snprintf(out + len, size - len, " [");
    for (unsigned i = 0; i < n && len < size - 32;) {
        unsigned from = i;
        while (i < n && !bits[i])
            i++;
        if (i > from)
            len += (size_t)snprintf(out + len, size - len, from ? " %u-%u" : "%u-%u", from, i);
        while (i < n && bits[i])
            i++;
    }
    snprintf(out + len, size - len, "]");
}

static void run(const Case *c, Way w)
{
    long arg[MAX_ARGS] = { 0 }, used[MAX_ARGS];
    for (int i = 0; i < MAX_ARGS; i++)
        make_arg(c, i, w, &arg[i]);
    memset(g_out, FILL, sizeof g_out);
    memset(g_out2, FILL, sizeof g_out2);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(g_out, sizeof g_out);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(g_out2, sizeof g_out2);
    if (w.mode == 'M')
        (void)VALGRIND_MAKE_MEM_UNDEFINED(g_in, sizeof g_in);
    memcpy(used, arg, sizeof used);
    if (w.mode == 'U')
        (void)VALGRIND_MAKE_MEM_UNDEFINED(used, sizeof used);
    VALGRIND_PRINTF("CASE %s %c\n", c->name, w.mode);
    ualarm(PATIENCE_US, 0);
    shared->result = do_call(c->number, used, strchr(c->flags, 'c') != NULL);
    alarm(0);
    shared->done = true;
    VALGRIND_PRINTF("DONE\n");
    for (int i = 0; i < MAX_ARGS; i++) {
        const Arg *a = &c->arg[i];
        if (a->kind != ARG_OUT && a->kind != ARG_INOUT)
            continue;
        if (w.mode == 'D')
            show_defined(shared->defined, sizeof shared->defined, (void *)arg[i], a->size);
        if (w.mode == 'G' && strchr(c->flags, 'd')) {
            (void)VALGRIND_MAKE_MEM_DEFINED(arg[i], a->size);
            shared->hash = hash(shared->hash, (void *)arg[i], a->size);
        }
    }
    if (w.mode == 'D') {
        show_defined(shared->defined, sizeof shared->defined, g_out, 128);
        show_defined(shared->defined, sizeof shared->defined, g_out2, sizeof g_out2);
    } else if (strchr(c->flags, 'd')) {
        (void)VALGRIND_MAKE_MEM_DEFINED(g_out, sizeof g_out);
        shared->hash = hash(shared->hash, g_out, sizeof g_out);
    }
    makers_clean();
    _exit(0);
}

static void print(const Case *c, Way w, int status)
{
    char how[16] = "";
    if (w.which >= 0)
        snprintf(how, sizeof how, "%d", w.which);
    printf("%s %c%s: ", c->name, w.mode, how);
    if (shared->done && shared->result < 0 && shared->result > -4096) {
        printf("%s", strerrorname_np((int)-shared->result) ?: "?");
    } else if (shared->done) {
        if (strchr(c->flags, 'x') && w.mode == 'G')
            printf("%ld", shared->result);
        else
            printf("ok");
        if (shared->hash)
            printf(" %016llx", (unsigned long long)shared->hash);
        printf("%s", shared->defined);
    } else if (WIFSIGNALED(status)) {
        printf("signal %d", WTERMSIG(status));
    } else {
        printf("exit %d", WEXITSTATUS(status));
    }
    printf("\n");
    fflush(stdout);
}

static void one(const Case *c, Way w)
{
    int status;
    memset(shared, 0, sizeof *shared);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (strchr(c->flags, 'r') &&
            (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) != 0 ||
             mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))
            _exit(99);
        run(c, w);
    }
    waitpid(pid, &status, 0);
    if (strchr(c->flags, 'v') && w.mode == 'G' && shared->done)
        shared->result = 0;
    print(c, w, status);
}

static void all_ways(const Case *c, const char *modes)
{
    bool only_good = strchr(c->flags, 'g');
    for (; *modes; modes++) {
        if (only_good && *modes != 'G' && *modes != 'D')
            continue;
        if (*modes != 'I' && *modes != 'P') {
            one(c, (Way){ *modes, -1 });
            continue;
        }
        if (*modes == 'I' && strchr(c->flags, 'i'))
            continue;
        for (int i = 0; i < MAX_ARGS; i++)
            if (*modes == 'P' ? is_pointer(&c->arg[i])
                              : c->arg[i].kind == ARG_VALUE || c->arg[i].kind == ARG_MADE)
                one(c, (Way){ *modes, i });
    }
}

static void prepare_directory(void)
{
    mkdir("dir", 0755);
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    for (int i = 0; i < 512; i++)
        dprintf(fd, "%07d\n", i);
    close(fd);
    unlink("link");
    if (symlink("file", "link") != 0)
        perror("symlink");
    close(open("dir/entry", O_RDWR | O_CREAT, 0644));
    struct rlimit no_core = { 0, 0 };
    setrlimit(RLIMIT_CORE, &no_core);
}

int main(int argc, char **argv)
{
    const char *modes = "GXNFIP";
    bool root = false;
    int names = 1;
    for (; names < argc && argv[names][0] == '-'; names++) {
        if (strncmp(argv[names], "--modes=", 8) == 0)
            modes = argv[names] + 8;
        else if (strcmp(argv[names], "--root") == 0)
            root = true;
    }
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < n_cases; i++) {
        const Case *c = &cases[i];
        bool wanted = names >= argc;
        for (int k = names; k < argc; k++)
            wanted |= strcmp(argv[k], c->name) == 0;
        if (!wanted || root != (strchr(c->flags, 'r') != NULL) || strchr(c->flags, 't'))
            continue;
        prepare_directory();
        all_ways(c, modes);
    }
    return 0;
}
