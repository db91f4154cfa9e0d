// SPDX-License-Identifier: MIT
// Signals as the kernel does them: every flag of sigaction, order and nesting of queued real-time
// signals, siginfo and context of faults, what handlers change, children that stop and go on.
// TOOL: none
// OPTIONS: --child-silent-after-fork=yes
// DIFFERS: Valgrind delivers queued signals in another order than the kernel
// STDOUT: ok
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* Stops and ends of children: the wait may be over before the signal comes. */
#define SOON(x)                                                                                    \
    do {                                                                                           \
        for (int i_ = 0; i_ < 5000 && !(x); i_++)                                                  \
            usleep(1000);                                                                          \
        MUST(x);                                                                                   \
    } while (0)
#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            printf("line %d: %s (errno %d)\n", __LINE__, #x, errno);                               \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static volatile char log_text[256];
static volatile int log_n, depth, deepest, more;
static siginfo_t seen;
static ucontext_t context;
static sigjmp_buf out;

static void catch (int sig, void (*f)(int, siginfo_t *, void *), int flags, int mask)
{
    struct sigaction a = {.sa_sigaction = f, .sa_flags = SA_SIGINFO | flags};
    sigemptyset(&a.sa_mask);
    if (mask)
        sigaddset(&a.sa_mask, mask);
    MUST(sigaction(sig, &a, NULL) == 0);
}

static void note(int sig, siginfo_t *si, void *uc)
{
    seen = *si;
    context = *(ucontext_t *)uc;
    log_text[log_n++ & 255] = (char)('a' + (sig >= SIGRTMIN ? sig - SIGRTMIN : 25));
    if (++depth > deepest)
        deepest = depth;
    if (sig == SIGUSR2 && more-- > 0)
        raise(SIGUSR2);
    depth--;
}

static void escape(int sig, siginfo_t *si, void *uc)
{
    note(sig, si, uc);
    siglongjmp(out, 1);
}

static void flags(void)
{
    struct sigaction now;
    catch (SIGUSR1, note, SA_RESETHAND, 0);
    raise(SIGUSR1);
    MUST(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_DFL && depth == 0 &&
         log_n == 1);
    catch (SIGUSR2, note, SA_NODEFER, 0);
    deepest = 0, more = 2;
    raise(SIGUSR2);
    MUST(deepest == 3);
    catch (SIGUSR2, note, 0, 0);
    deepest = 0, log_n = 0, more = 2; /* each comes when the one before has returned */
    raise(SIGUSR2);
    MUST(deepest == 1 && log_n == 3);

    signal(SIGCHLD, SIG_DFL);
    struct sigaction none = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
    sigaction(SIGCHLD, &none, NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    MUST(waitpid(pid, NULL, 0) == -1 && errno == ECHILD);

    catch (SIGCHLD, note, SA_NOCLDSTOP, 0);
    log_n = 0;
    int status;
    if ((pid = fork()) == 0)
        for (;;)
            pause();
    kill(pid, SIGSTOP);
    MUST(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && log_n == 0);
    kill(pid, SIGCONT);
    MUST(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status) && log_n == 0);
    kill(pid, SIGKILL);
    MUST(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
    SOON(log_n == 1 && seen.si_code == CLD_KILLED && seen.si_pid == pid &&
         seen.si_status == SIGKILL);
    catch (SIGCHLD, note, 0, 0);
    if ((pid = fork()) == 0)
        for (;;)
            pause();
    log_n = 0;
    kill(pid, SIGSTOP);
    MUST(waitpid(pid, &status, WUNTRACED) == pid);
    SOON(log_n == 1 && seen.si_code == CLD_STOPPED);
    kill(pid, SIGCONT);
    MUST(waitpid(pid, &status, WCONTINUED) == pid);
    SOON(seen.si_code == CLD_CONTINUED);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    signal(SIGCHLD, SIG_DFL);
}

static void queues(void)
{
    sigset_t all, old;
    for (int i = 0; i < 8; i++)
        catch (SIGRTMIN + i, note, 0, 0);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    for (int i = 7; i >= 0; i--)
        for (int k = 0; k < 3; k++)
            sigqueue(getpid(), SIGRTMIN + i, (union sigval){.sival_int = 10 * i + k});
    log_n = 0;
    sigprocmask(SIG_SETMASK, &old, NULL);
    /* the frames of all are built at once, that of the lowest first, so the highest runs first */
    MUST(log_n == 24);
    char order[25] = "";
    for (int i = 0; i < 24; i++)
        order[i] = log_text[i];
    MUST(strcmp(order, "hhhgggfffeeedddcccbbbaaa") == 0);
    MUST(seen.si_code == SI_QUEUE && seen.si_pid == getpid());
}

static void masks_and_altstack(void)
{
    static char stack[65536];
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack, .ss_flags = 1 << 31 /* SS_AUTODISARM */},
            now;
    MUST(sigaltstack(&ss, NULL) == 0);
    catch (SIGUSR1, note, SA_ONSTACK, SIGTERM);
    raise(SIGUSR1);
    MUST((char *)context.uc_stack.ss_sp == stack && context.uc_stack.ss_size == sizeof stack);
    MUST(sigaltstack(NULL, &now) == 0 && now.ss_sp == (void *)stack &&
         now.ss_flags == (int)(1u << 31));
    MUST(!sigismember(&context.uc_sigmask, SIGUSR1) && !sigismember(&context.uc_sigmask, SIGTERM));
    ss.ss_flags = SS_DISABLE;
    MUST(sigaltstack(&ss, NULL) == 0);
    for (int i = 0; i < 3; i++) {
        sigset_t m;
        catch (SIGUSR1, escape, 0, SIGTERM);
        if (sigsetjmp(out, 1) == 0)
            raise(SIGUSR1);
        sigprocmask(SIG_BLOCK, NULL, &m);
        MUST(!sigismember(&m, SIGUSR1) && !sigismember(&m, SIGTERM));
        depth = 0;
    }
}

static volatile char *bad;
static void fault(int sig, void (*f)(void), int code, uintptr_t addr)
{
    catch (sig, escape, SA_NODEFER, 0);
    if (sigsetjmp(out, 1) == 0) {
        f();
        MUST(!"no fault");
    }
    depth = 0;
    if (seen.si_signo != sig || seen.si_code != code || (addr && (uintptr_t)seen.si_addr != addr)) {
        printf("signal %d code %d addr %p, wanted %d %d %p\n", seen.si_signo, seen.si_code,
               seen.si_addr, sig, code, (void *)addr);
        exit(1);
    }
    signal(sig, SIG_DFL);
}

static void reads(void)
{
    (void)*bad;
}
static void writes(void)
{
    *bad = 1;
}
static void jumps(void)
{
    ((void (*)(void))(uintptr_t)bad)();
}
static void divides(void)
{
    volatile int z = 0;
    z = 7 / z;
} /* 1 / z would be a comparison */
static void illegal(void)
{
    __asm__ volatile("ud2");
}
static void traps(void)
{
    __asm__ volatile("int3");
}
static void general(void)
{
    *(volatile char *)0x8000000000000000ull = 1;
}
static void privileged(void)
{
    __asm__ volatile("hlt");
}

static void faults(void)
{
    char *p = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bad = p;
    fault(SIGSEGV, writes, SEGV_ACCERR, (uintptr_t)p);
    MUST(context.uc_mcontext.gregs[REG_TRAPNO] == 14 &&
         (context.uc_mcontext.gregs[REG_ERR] | 1) == 7 &&
         context.uc_mcontext.gregs[REG_CR2] == (greg_t)p);
    fault(SIGSEGV, jumps, SEGV_ACCERR, (uintptr_t)p);
    MUST(context.uc_mcontext.gregs[REG_RIP] == (greg_t)p);
    munmap(p, 8192);
    fault(SIGSEGV, writes, SEGV_MAPERR, (uintptr_t)p);
    MUST(context.uc_mcontext.gregs[REG_ERR] == 6);
    fault(SIGSEGV, reads, SEGV_MAPERR, (uintptr_t)p);
    MUST(context.uc_mcontext.gregs[REG_ERR] == 4);
    fault(SIGSEGV, jumps, SEGV_MAPERR, (uintptr_t)p);
    fault(SIGSEGV, general, SI_KERNEL, 0);
    fault(SIGSEGV, privileged, SI_KERNEL, 0);
    fault(SIGFPE, divides, FPE_INTDIV, 0);
    fault(SIGILL, illegal, ILL_ILLOPN, 0);
    fault(SIGTRAP, traps, SI_KERNEL, 0);
    char name[] = "/tmp/signal_flags_XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    MUST(ftruncate(fd, 1) == 0);
    p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    bad = p + 4096;
    fault(SIGBUS, reads, BUS_ADRERR, (uintptr_t)p + 4096);
}

static void repairs(int sig, siginfo_t *si, void *uc)
{
    (void)sig, (void)si;
    ucontext_t *u = uc;
    u->uc_mcontext.gregs[REG_RIP] += 2; /* ud2 */
    u->uc_mcontext.gregs[REG_RBX] = 0x1234;
    u->uc_mcontext.gregs[REG_EFL] |= 0x40;
    memset(&u->uc_mcontext.fpregs->_xmm[5], 0x5a, 16);
    sigaddset(&u->uc_sigmask, SIGHUP);
}

static void changed_context(void)
{
    uint64_t rbx, low;
    unsigned char zf;
    sigset_t m;
    catch (SIGILL, repairs, 0, 0);
    __asm__ volatile(
        "xor %%ebx, %%ebx\n\tpxor %%xmm5, %%xmm5\n\ttest %%rsp, %%rsp\n\tud2\n\tsetz %2\n\t"
        "mov %%rbx, %0\n\tmovq %%xmm5, %1"
        : "=r"(rbx), "=r"(low), "=r"(zf)
        :
        : "rbx", "xmm5", "cc");
    MUST(rbx == 0x1234 && low == 0x5a5a5a5a5a5a5a5aull && zf == 1);
    sigprocmask(SIG_BLOCK, NULL, &m);
    MUST(sigismember(&m, SIGHUP));
}

static volatile int ticks;
static void tick(int sig, siginfo_t *si, void *uc)
{
    (void)sig, (void)si, (void)uc;
    ticks++;
}

static void *blocks(void *arg)
{
    char c;
    int *p = arg, r;
    while ((r = (int)read(p[0], &c, 1)) < 0 && errno == EINTR)
        ;
    return (void *)(long)(r == 1 ? c : -1);
}

static void storms(void)
{
    struct itimerval t = {{0, 500}, {0, 500}}, off = {{0, 0}, {0, 0}};
    catch (SIGPROF, tick, SA_RESTART, 0);
    setitimer(ITIMER_PROF, &t, NULL);
    volatile double x = 1;
    while (ticks < 20)
        for (int i = 0; i < 1000; i++)
            x = x * 1.0000001 + 1e-9;
    setitimer(ITIMER_PROF, &off, NULL);

    pthread_t th[16];
    int p[2];
    MUST(pipe(p) == 0);
    catch (SIGUSR1, tick, 0, 0);
    for (int i = 0; i < 16; i++)
        pthread_create(&th[i], NULL, blocks, p);
    for (int k = 0; k < 20; k++)
        for (int i = 0; i < 16; i++)
            pthread_kill(th[i], SIGUSR1);
    MUST(write(p[1], "xxxxxxxxxxxxxxxx", 16) == 16);
    for (int i = 0; i < 16; i++) {
        void *r;
        pthread_join(th[i], &r);
        MUST((long)r == 'x');
    }
}

static void death_signal(void)
{
    int p[2], status;
    char c;
    MUST(pipe(p) == 0);
    pid_t middle = fork();
    if (middle == 0) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            close(p[0]);
            MUST(write(p[1], "r", 1) == 1);
            for (;;)
                pause();
        }
        MUST(read(p[0], &c, 1) == 1);
        _exit(0);
    }
    close(p[1]);
    waitpid(middle, &status, 0);
    MUST(read(p[0], &c, 1) == 0); /* the grandchild has died and closed its end */
}

int main(void)
{
    flags();
    queues();
    masks_and_altstack();
    faults();
    changed_context();
    storms();
    death_signal();
    puts("ok");
    return 0;
}
