// SPDX-License-Identifier: MIT
// seccomp: each answer of a filter, chains of filters, threads, fork and exec; and filters that forbid
// nearly everything, which must bind the program only.
// OPTIONS: --child-silent-after-fork=yes
// STDOUT: errno: 42
// STDOUT: errno of the newer filter: 43, of the older: 42
// STDOUT: trap: syscall 39, errno 7, arch 1, here 1, RAX 1; result 1234
// STDOUT: log: ok
// STDOUT: trace: 38, notification: 38
// STDOUT: kill process: signal 31
// STDOUT: kill thread: signal 31, of two: others go on
// STDOUT: trap without handler: signal 31
// STDOUT: strict: signal 9, exit 5
// STDOUT: only write and exit_group: 4950
// STDOUT: argument: 0 then 9
// STDOUT: mode 0, then 2; status 2; strict now: -22
// STDOUT: threads: 42 before, 42 after; one with its own: 1
// STDOUT: invalid: 22 22 22 22 22 22 14
// STDOUT: inherited by fork and exec: 1
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define LENGTH(a) (sizeof(a) / sizeof(a)[0])
#define LOAD_NR BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define RETURN(v) BPF_STMT(BPF_RET | BPF_K, v)
#define ON(number, v) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), RETURN(v)

static long install(struct sock_filter *f, size_t n, unsigned flags)
{
    struct sock_fprog p = { (unsigned short)n, f };
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p) ? (errno ? errno : 1) : 0;
}

// From now on call @p nr is answered with @p answer.
static long answer(int nr, unsigned what)
{
    struct sock_filter f[] = { LOAD_NR, ON(nr, what), RETURN(SECCOMP_RET_ALLOW) };
    return install(f, LENGTH(f), 0);
}

// Run @p f in a child, whose output is ours; how it ended.
static int child(void (*f)(void))
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        f();
        fflush(stdout);
        syscall(SYS_exit_group, 0);
    }
    waitpid(pid, &status, 0);
    return status;
}

static int err_of(long r) { return r < 0 ? errno : 0; }

static void errnos(void)
{
    answer(SYS_getpid, SECCOMP_RET_ERRNO | 42);
    printf("errno: %d\n", err_of(syscall(SYS_getpid)));
    answer(SYS_getppid, SECCOMP_RET_ERRNO | 42);
    answer(SYS_getppid, SECCOMP_RET_ERRNO | 43);
    answer(SYS_getpid, SECCOMP_RET_LOG);
    printf("errno of the newer filter: %d, ", err_of(syscall(SYS_getppid)));
    printf("of the older: %d\n", err_of(syscall(SYS_getpid)));
}

extern char after_call[];
static siginfo_t trapped;
static long trapped_rax;
static void on_trap(int sig, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    (void)sig;
    trapped = *info;
    trapped_rax = u->uc_mcontext.gregs[REG_RAX];
    u->uc_mcontext.gregs[REG_RAX] = 1234;
}
static void trap(void)
{
    struct sigaction act = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
    long result;
    sigaction(SIGSYS, &act, NULL);
    answer(SYS_getpid, SECCOMP_RET_TRAP | 7);
    __asm__ volatile("syscall\nafter_call:" : "=a"(result) : "0"(SYS_getpid) : "rcx", "r11", "memory");
    printf("trap: syscall %d, errno %d, arch %d, here %d, RAX %d; result %ld\n", trapped.si_syscall,
           trapped.si_errno, trapped.si_arch == AUDIT_ARCH_X86_64 && trapped.si_code == 1,
           (char *)trapped.si_call_addr == after_call, trapped_rax == SYS_getpid, result);
}

static void rest(void)
{
    answer(SYS_getpid, SECCOMP_RET_LOG);
    printf("log: %s\n", syscall(SYS_getpid) == getpid() ? "ok" : "wrong");
    answer(SYS_getuid, SECCOMP_RET_TRACE);
    answer(SYS_getgid, SECCOMP_RET_USER_NOTIF);
    int traced = err_of(syscall(SYS_getuid));
    printf("trace: %d, notification: %d\n", traced, err_of(syscall(SYS_getgid)));
}

static void kill_process(void) { answer(SYS_getpid, SECCOMP_RET_KILL_PROCESS); syscall(SYS_getpid); }
static void kill_thread(void) { answer(SYS_getpid, SECCOMP_RET_KILL_THREAD); syscall(SYS_getpid); }
static void trap_unhandled(void)
{
    sigset_t all;
    signal(SIGSYS, SIG_IGN);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    answer(SYS_getpid, SECCOMP_RET_TRAP);
    syscall(SYS_getpid);
}

static void *killed(void *arg) { kill_thread(); printf("still there\n"); return arg; }
static void kill_one(void)
{
    pthread_t t;
    pthread_create(&t, NULL, killed, NULL);
    pthread_join(t, NULL); // the kernel clears its id
    printf("others go on\n");
}

static void strict(void) { prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT); syscall(SYS_getpid); }
static void strict_exit(void)
{
    syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
    write(1, "", 0);
    syscall(SYS_exit, 5);
}

static int by_value(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static void nearly_nothing(void)
{
    static int v[100]; // few, so that qsort() needs no system call
    long sum = 0;
    char text[64];
    struct sock_filter f[] = { LOAD_NR, ON(SYS_write, SECCOMP_RET_ALLOW),
                               ON(SYS_exit_group, SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_KILL_PROCESS) };
    install(f, LENGTH(f), 0);
    for (int i = 0; i < 100; i++)
        v[i] = (i * 79) % 100;
    qsort(v, 100, sizeof v[0], by_value);
    for (int i = 0; i < 100; i++)
        sum += v[i];
    int n = snprintf(text, sizeof text, "only write and exit_group: %ld\n", sum);
    write(1, text, (size_t)n);
    syscall(SYS_exit_group, 0);
}

static void argument(void)
{
    struct sock_filter f[] = {
        LOAD_NR, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_dup, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LDX | BPF_MEM, 3), BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 2, 0, 1), RETURN(SECCOMP_RET_ERRNO | EBADF),
        RETURN(SECCOMP_RET_ALLOW),
    };
    install(f, LENGTH(f), 0);
    int good = err_of(syscall(SYS_dup, 1));
    printf("argument: %d then %d\n", good, err_of(syscall(SYS_dup, 2)));
}

static void modes(void)
{
    char line[128];
    int status = -1, before = prctl(PR_GET_SECCOMP);
    answer(SYS_getpid, SECCOMP_RET_ERRNO | 42);
    FILE *in = fopen("/proc/self/status", "r");
    while (in && fgets(line, sizeof line, in))
        sscanf(line, "Seccomp: %d", &status);
    long r = prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    printf("mode %d, then %d; status %d; strict now: %d\n", before, prctl(PR_GET_SECCOMP), status, -err_of(r));
}

static pthread_barrier_t barrier;
static int in_thread[2];
static void *asks(void *arg)
{
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    in_thread[0] = err_of(syscall(SYS_getpid));
    return arg;
}
static void *has_own(void *arg)
{
    answer(SYS_getuid, SECCOMP_RET_ERRNO | 1);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return arg;
}
static void threads(void)
{
    pthread_t t;
    struct sock_filter f[] = { LOAD_NR, ON(SYS_getpid, SECCOMP_RET_ERRNO | 42), RETURN(SECCOMP_RET_ALLOW) };
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&t, NULL, asks, NULL);
    pthread_barrier_wait(&barrier);
    install(f, LENGTH(f), SECCOMP_FILTER_FLAG_TSYNC);
    pthread_barrier_wait(&barrier);
    pthread_join(t, NULL);
    int before = in_thread[0];
    pthread_create(&t, NULL, asks, NULL);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    pthread_join(t, NULL);
    pthread_create(&t, NULL, has_own, NULL);
    pthread_barrier_wait(&barrier);
    struct sock_fprog p = { LENGTH(f), f };
    long other = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &p);
    pthread_barrier_wait(&barrier);
    pthread_join(t, NULL);
    printf("threads: %d before, %d after; one with its own: %d\n", before, in_thread[0], other > 0);
}

static void invalid(void)
{
    struct sock_filter no_end[] = { LOAD_NR }, far[] = { BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), RETURN(0) };
    struct sock_filter unaligned[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), RETURN(0) };
    struct sock_filter unset[] = { BPF_STMT(BPF_LD | BPF_MEM, 1), RETURN(0) };
    struct sock_filter zero[] = { BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RETURN(0) };
    struct sock_filter half[] = { BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), RETURN(0) };
    printf("invalid: %ld", install(no_end, 1, 0));
    printf(" %ld", install(far, 2, 0));
    printf(" %ld", install(unaligned, 2, 0));
    printf(" %ld", install(unset, 2, 0));
    printf(" %ld", install(zero, 2, 0));
    printf(" %ld", install(half, 2, 0));
    printf(" %d\n", err_of(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, NULL)));
}

static char *self;
static void inherited(void)
{
    answer(SYS_getppid, SECCOMP_RET_ERRNO | 42);
    if (fork() == 0) {
        execl("/nonexistent", self, (char *)NULL);
        execl(self, self, "exec'd", (char *)NULL);
        _exit(1);
    }
    wait(NULL);
}

static int signal_of(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status); }

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1) {
        printf("inherited by fork and exec: %d\n", err_of(syscall(SYS_getppid)) == 42);
        return 0;
    }
    child(errnos);
    child(trap);
    child(rest);
    printf("kill process: signal %d\n", signal_of(child(kill_process)));
    printf("kill thread: signal %d, of two: ", signal_of(child(kill_thread)));
    child(kill_one);
    printf("trap without handler: signal %d\n", signal_of(child(trap_unhandled)));
    printf("strict: signal %d", signal_of(child(strict)));
    printf(", exit %d\n", -signal_of(child(strict_exit)));
    child(nearly_nothing);
    child(argument);
    child(modes);
    child(threads);
    child(invalid);
    child(inherited);
    return 0;
}
