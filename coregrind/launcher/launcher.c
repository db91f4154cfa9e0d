/* SPDX-License-Identifier: MIT */
/*
 * The `gimle' command: finds the core for the client's processor, hides from it what the
 * environment means for the client (launcher.h), and becomes the core.  It is linked statically,
 * so that no LD_PRELOAD runs in it, and does nothing that costs time: a few system calls.
 * It never interprets options beyond skipping them, and leaves every complaint about the program
 * to the core, save that set-user-ID programs are refused here.
 */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coregrind/launcher/launcher.h"
#include "coregrind/launcher/monitor_client.h"

enum {
    MAX_SCRIPT_DEPTH = 4,          /* as many interpreters of interpreters as the kernel allows */
    EXTRA_VARS = 4,                /* the GIMLE_CORE_* variables */
    MIN_STACK = 1024 * 1024,       /* soft limit below which the core's stack is raised */
    LEAST_STACK = 256 * 1024,      /* what the hard limit must allow */
    GOOD_STACK = 8 * 1024 * 1024   /* what it is raised, or an unlimited one lowered, to */
};

extern char **environ;

static const char *const hidden_names[] = LAUNCHER_HIDDEN;

static _Noreturn void fail(const char *format, const char *a, const char *b)
{
    fputs("gimle: ", stderr);
    fprintf(stderr, format, a, b);
    fputc('\n', stderr);
    exit(1);
}

static void *allocate(size_t bytes)
{
    void *p = malloc(bytes);
    if (!p)
        fail("out of memory", "", "");
    return p;
}

static char *join(const char *a, const char *b, const char *c)
{
    size_t n = strlen(a) + strlen(b) + strlen(c) + 1;
    char *s = allocate(n);
    snprintf(s, n, "%s%s%s", a, b, c);
    return s;
}

/* --- the client's processor --------------------------------------------------------------------*/

/** Name of the processor in the core's file name, or null if we have heard of no such core. */
static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_X86_64: return "amd64";
    case EM_AARCH64: return "arm64";
    case EM_RISCV: return "riscv64";
    default: return NULL;
    }
}

/** The first argument that is no option, or null. */
static const char *client_argument(char **argv)
{
    for (int i = 1; argv[i]; i++) {
        if (strcmp(argv[i], "--") == 0)
            return argv[i + 1];
        if (argv[i][0] != '-')
            return argv[i];
    }
    return NULL;
}

/** Looks @p name up as execvp does; false if there is no such file. */
static bool find_program(const char *name, char *path, size_t size)
{
    if (strchr(name, '/'))
        return (size_t)snprintf(path, size, "%s", name) < size;
    const char *dirs = getenv("PATH");
    if (!dirs)
        dirs = "/bin:/usr/bin";
    for (;;) {
        size_t n = strcspn(dirs, ":");
        const char *slash = n ? "/" : "./";
        struct stat st;
        if ((size_t)snprintf(path, size, "%.*s%s%s", (int)n, dirs, slash, name) < size &&
            access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
            return true;
        if (!dirs[n])
            return false;
        dirs += n + 1;
    }
}

/** Replaces @p path by the interpreter that its "#!" line, @p text, names; false if it has none. */
static bool script_interpreter(char *text, char *path, size_t size)
{
    if (text[0] != '#' || text[1] != '!')
        return false;
    text += 2;
    text += strspn(text, " \t");
    text[strcspn(text, " \t\n")] = 0;
    return text[0] && (size_t)snprintf(path, size, "%s", text) < size;
}

/** e_machine of the program at @p path (of its interpreter for a script); EM_NONE if unknown. */
static unsigned program_machine(char *path, size_t size)
{
    for (int depth = 0; depth <= MAX_SCRIPT_DEPTH; depth++) {
        union {
            char text[PATH_MAX];
            Elf64_Ehdr elf;
        } head;
        struct stat st;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return EM_NONE;
        ssize_t n = read(fd, head.text, sizeof head.text - 1);
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_ISUID | S_ISGID)) &&
            (st.st_mode & S_IXUSR))
            fail("%s: set-user-ID and set-group-ID programs cannot be run under Gimle", path, "");
        close(fd);
        if (n < 0)
            return EM_NONE;
        head.text[n] = 0;
        if ((size_t)n >= sizeof(Elf32_Ehdr) && memcmp(head.text, ELFMAG, SELFMAG) == 0)
            return head.elf.e_machine;
        if (!script_interpreter(head.text, path, size))
            return EM_NONE;
    }
    return EM_NONE;
}

static const char *client_machine(char **argv)
{
    char path[PATH_MAX];
    const char *name = client_argument(argv);
    if (!name || !find_program(name, path, sizeof path))
        return NULL;
    return machine_name(program_machine(path, sizeof path));
}

/* --- the core's file ---------------------------------------------------------------------------*/

/** Path of this very program. */
static const char *own_path(void)
{
    static char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n > 0) {
        path[n] = 0;
        return path;
    }
    const char *from_kernel = (const char *)getauxval(AT_EXECFN);
    return from_kernel ? from_kernel : "gimle";
}

/** The core for @p machine in @p dir, or null if there is none. */
static char *core_in(const char *dir, const char *machine)
{
    char *path = join(dir, "/gimle-core-", machine);
    if (access(path, X_OK) == 0)
        return path;
    free(path);
    return NULL;
}

/** Finds the core for @p machine; sets @p lib to its directory. */
static char *find_core(const char *self, const char *machine, const char **lib)
{
    char *dir = join(self, "", "");
    char *slash = strrchr(dir, '/');
    if (slash)
        *slash = 0;
    else
        strcpy(dir, ".");
    /* in the build folder; in an installed tree that was moved; where it was installed to */
    const char *places[] = { dir, join(dir, "/../libexec", "/gimle"), GIMLE_LIBEXECDIR };
    const char *override = getenv(LAUNCHER_LIB_OVERRIDE);
    if (override && override[0]) {
        *lib = override;
        return core_in(override, machine);
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char *core = core_in(places[i], machine);
        if (core) {
            *lib = places[i];
            return core;
        }
    }
    *lib = GIMLE_LIBEXECDIR;
    return NULL;
}

/* --- the core's environment and limits ---------------------------------------------------------*/

static bool is_hidden(const char *var)
{
    for (size_t i = 0; i < sizeof hidden_names / sizeof hidden_names[0]; i++) {
        size_t n = strlen(hidden_names[i]);
        if (strncmp(var, hidden_names[i], n) == 0 &&
            (hidden_names[i][n - 1] == '_' || var[n] == '='))
            return true;
    }
    return false;
}

/** Returns the caller's environment as the core gets it, with room for @p room more variables. */
static char **hide_client_vars(size_t *count, size_t room)
{
    size_t n = 0;
    while (environ[n])
        n++;
    char **vars = allocate((n + room + 1) * sizeof *vars);
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        if (strncmp(environ[i], LAUNCHER_CORE_PREFIX, strlen(LAUNCHER_CORE_PREFIX)) == 0)
            continue;
        vars[out++] = is_hidden(environ[i]) ? join(LAUNCHER_ENV_PREFIX, environ[i], "")
                                            : environ[i];
    }
    *count = out;
    return vars;
}

/** Gives the core a stack limit it can live with; returns the variable that tells, or null. */
static char *adjust_stack_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0)
        return NULL;
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur >= MIN_STACK)
        return NULL;
    if (limit.rlim_max < LEAST_STACK) { /* by write(2): stdio would need more stack than there is */
        static const char message[] = "gimle: the hard limit of the stack (ulimit -Hs) is below the "
                                      "256 KiB that Gimle needs\n";
        ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
        (void)ignored;
        _exit(1);
    }
    char number[32] = "unlimited";
    if (limit.rlim_cur != RLIM_INFINITY)
        snprintf(number, sizeof number, "%llu", (unsigned long long)limit.rlim_cur);
    limit.rlim_cur = GOOD_STACK;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < limit.rlim_cur)
        limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_STACK, &limit) != 0)
        return NULL;
    return join(LAUNCHER_STACK_VAR, "=", number);
}

/** Undoes a personality that would map the core's libraries into the shadow. */
static char *adjust_personality(void)
{
    int now = personality(0xffffffff);
    if (now < 0 || !(now & (ADDR_COMPAT_LAYOUT | ADDR_LIMIT_3GB | ADDR_LIMIT_32BIT)))
        return NULL;
    if (personality(now & ~(ADDR_COMPAT_LAYOUT | ADDR_LIMIT_3GB | ADDR_LIMIT_32BIT)) < 0)
        return NULL;
    char number[32];
    snprintf(number, sizeof number, "%x", (unsigned)now);
    return join(LAUNCHER_PERSONALITY_VAR, "=", number);
}

/** "gimle report ...": the script beside us, unless a program of that name is meant. */
static void run_report(int argc, char **argv, const char *self)
{
    const char *slash = strrchr(self, '/');
    if (argc < 2 || strcmp(argv[1], "report") != 0 || !slash || access("report", X_OK) == 0)
        return;
    char *dir = join(self, "", "");
    dir[slash - self] = '\0';
    char *script = join(dir, "/gimle-report", "");
    if (access(script, X_OK) != 0)
        return;
    argv[1] = script;
    execv(script, argv + 1);
    fail("cannot run %s: %s", script, strerror(errno));
}

/** "gimle monitor ..." (unless a program of that name is meant), or whatever we do as `vgdb'. */
static void run_monitor(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    if (strcmp(slash ? slash + 1 : argv[0], "vgdb") == 0)
        exit(monitor_client_run(argv + 1, "vgdb"));
    if (argc >= 2 && strcmp(argv[1], "monitor") == 0 && access("monitor", X_OK) != 0)
        exit(monitor_client_run(argv + 2, "gimle monitor"));
}

int main(int argc, char **argv)
{
    char *stack = adjust_stack_limit(); /* first: it holds for the growth of our own stack, too */
    const char *self = own_path();
    run_report(argc, argv, self);
    if (argc > 0)
        run_monitor(argc, argv);
    const char *machine = client_machine(argv);
    const char *lib;
    char *core = machine ? find_core(self, machine, &lib) : NULL;
    if (!core) /* the core of this machine says what is wrong with the program */
        core = find_core(self, "amd64", &lib);
    if (!core)
        fail("cannot find %s/%s; is Gimle installed completely?", lib, "gimle-core-amd64");

    size_t n;
    char **vars = hide_client_vars(&n, EXTRA_VARS);
    vars[n++] = join(LAUNCHER_PATH_VAR, "=", self);
    vars[n++] = join(LAUNCHER_LIB_VAR, "=", lib);
    if (stack)
        vars[n++] = stack;
    char *layout = adjust_personality();
    if (layout)
        vars[n++] = layout;
    vars[n] = NULL;

    execve(core, argv, vars);
    fail("cannot run %s: %s", core, strerror(errno));
}
