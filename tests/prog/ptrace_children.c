// SPDX-License-Identifier: MIT
// A tracer whose children run under the tool as it does: it sees and changes their own registers, signals, system
// calls and code, as it would natively.
// DIFFERS: the tracer sees registers of Valgrind
// OPTIONS: --trace-children=yes --child-silent-after-fork=yes
// STDOUT: calls: each seen twice, alike in three ways: 1
// STDOUT: write 99 'from the child', result made 77: 77
// STDOUT: getppid made getpid: 1; call left out: 4711
// STDOUT: signal: SIGUSR1 from itself: 1, made SIGUSR2: 2; held back: 0
// STDOUT: blocking read interrupted by SIGSTOP, goes on: 5
// STDOUT: int3: 1, and one that was put into the code: 9
// STDOUT: steps: 1, xmm0 2.5 made 7.5: 7, st0 1.5
// STDOUT: fault: 1, survived: 1
// STDOUT: child by fork: 1, its exit event: 0x300, status 3
// STDOUT: thread: 1, child by vfork: 1
// STDOUT: filter asks the tracer: 321
// STDOUT: exec: 1, its program: 1, word on its stack: 1
// STDOUT: end: 0x2a00, 42
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
enum { // sys/ptrace.h and linux/ptrace.h do not go together
    PEEKTEXT = 1, PEEKUSER = 3, POKETEXT = 4, CONT = 7, STEP = 9, GETREGS = 12, SETREGS = 13, GETFPREGS = 14,
    SETFPREGS = 15
};
extern long ptrace(int request, ...);
static volatile struct { // what the child has found, in its memory
    long result, redirected, left_out, usr1, usr2, breaks, inner, number, faults, read, filtered;
} found;
static int pipes[2];
static sigjmp_buf fault_env;
static void on_usr1(int s) { (void)s; found.usr1++; }
static void on_usr2(int s) { (void)s; found.usr2++; }
static void on_trap(int s) { (void)s; found.breaks++; }
static void on_fault(int s) { found.faults++; siglongjmp(fault_env, s); }
static long step_here(double x)
{
    long n;
    __asm__ volatile("movsd %1, %%xmm0\n\tfld1\n\tfadds %2\n\tint3\n\tnop\n\tnop\n\tnop\n\tcvtsd2si %%xmm0, %0\n\t"
                     "fstp %%st(0)" : "=r"(n) : "m"(x), "m"((float){ 0.5f }) : "xmm0");
    return n;
}
__attribute__((noinline)) static int breaks_here(int n)
{
    __asm__ volatile("");
    return n + 1;
}
static void *thread_main(void *p) { return p; }
static void child(void)
{
    static const char text[] = "from the child";
    char c;
    signal(SIGUSR1, on_usr1);
    signal(SIGUSR2, on_usr2);
    signal(SIGTRAP, on_trap);
    signal(SIGSEGV, on_fault);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    found.result = syscall(SYS_write, 99, text, sizeof text);
    found.redirected = syscall(SYS_getppid) == getpid();
    found.left_out = syscall(SYS_getpgid, 0);
    raise(SIGUSR1);
    raise(SIGUSR1);
    write(1, "", 0); // from here on the tracer waits for other things than calls
    found.read = read(pipes[0], &c, 1) == 1 ? c : -1;
    found.number = step_here(2.5);
    found.inner = breaks_here(8);
    if (sigsetjmp(fault_env, 1) == 0)
        *(volatile int *)8 = 1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(3);
    waitpid(pid, NULL, 0);
    pthread_t t;
    pthread_create(&t, NULL, thread_main, NULL);
    pthread_join(t, NULL);
    if ((pid = vfork()) == 0)
        _exit(4);
    waitpid(pid, NULL, 0);
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getuid, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 321),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog p = { 4, f };
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p);
    found.filtered = syscall(SYS_getuid);
    execl("/proc/self/exe", "child", "again", NULL);
    _exit(9);
}
static pid_t pid;
static int status;
static struct user_regs_struct r;
// The next stop (or end) of the child; its registers.
static int go(int request, int sig)
{
    ptrace(request, pid, 0, (long)sig);
    while (waitpid(pid, &status, __WALL) != pid)
        ;
    if (WIFSTOPPED(status))
        ptrace(GETREGS, pid, 0, &r);
    return status >> 8;
}
// Other threads and processes stop, too; let @p one go on to its end, and see whether that is right.
static int follow(int one, int *event)
{
    int s, first = 0;
    unsigned long message = 0;
    while (waitpid(one, &s, __WALL) == one && WIFSTOPPED(s)) {
        if (!first++ && (WSTOPSIG(s) != SIGSTOP || s >> 16))
            return -1;
        if (s >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
            ptrace(PTRACE_GETEVENTMSG, one, 0, &message);
            if (event)
                *event = (int)message;
        }
        ptrace(CONT, one, 0, 0L);
    }
    return first ? s : -2;
}
static long peek(volatile long *p)
{
    return ptrace(PEEKTEXT, pid, p, 0);
}
int main(int argc, char **argv)
{
    enum { SYSGOOD = SIGTRAP | 0x80 };
    if (argc > 1)
        exit(argv[1][0] == 'a' ? 42 : 1);
    pipe(pipes);
    if ((pid = fork()) == 0)
        child();
    waitpid(pid, &status, 0);
    ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
           PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_TRACESECCOMP);
    // calls
    int entry = 1, alike = 0, stops = 0, from_itself = 0, usr1 = 0, done = 0;
    char text[16] = "", *tail = text;
    for (int sig = 0; !done; ) {
        int stop = go(PTRACE_SYSCALL, sig);
        sig = 0;
        if (stop == SIGUSR1) {
            siginfo_t info;
            ptrace(PTRACE_GETSIGINFO, pid, 0, &info);
            from_itself = info.si_pid == pid && info.si_code == SI_TKILL;
            sig = usr1++ == 0 ? SIGUSR2 : 0;
            continue;
        }
        struct ptrace_syscall_info info;
        memset(&info, 0, sizeof info);
        ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
        struct user_regs_struct again;
        struct iovec v = { &again, sizeof again };
        ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &v);
        errno = 0;
        unsigned long rip = ptrace(PEEKUSER, pid, offsetof(struct user, regs.rip), 0);
        stops++;
        alike += stop == SYSGOOD && info.op == (entry ? PTRACE_SYSCALL_INFO_ENTRY : PTRACE_SYSCALL_INFO_EXIT) &&
                 rip == r.rip && info.instruction_pointer == rip && again.rsp == r.rsp &&
                 (entry ? info.entry.nr == r.orig_rax && info.entry.args[1] == r.rsi && r.rax == -(unsigned long)ENOSYS
                        : (unsigned long)info.exit.rval == r.rax);
        if (r.orig_rax == SYS_write && r.rdi == 99) {
            if (entry) {
                for (int i = 0; i < 16; i += 8, tail += 8) {
                    long word = ptrace(PEEKTEXT, pid, r.rsi + i, 0);
                    memcpy(tail, &word, 8);
                }
            } else {
                r.rax = 77;
                ptrace(SETREGS, pid, 0, &r);
            }
        } else if (entry && r.orig_rax == SYS_getppid) {
            r.orig_rax = SYS_getpid;
            ptrace(SETREGS, pid, 0, &r);
        } else if (r.orig_rax == SYS_getpgid || (!entry && (long)r.orig_rax == -1)) {
            r.orig_rax = -1;
            r.rax = 4711;
            ptrace(SETREGS, pid, 0, &r);
        }
        done = !entry && r.orig_rax == SYS_write && r.rdi == 1;
        entry = !entry;
    }
    printf("calls: each seen twice, alike in three ways: %d\n", stops >= 10 && stops % 2 == 0 && alike == stops);
    printf("write 99 '%s', result made 77: %ld\n", text, peek(&found.result));
    printf("getppid made getpid: %ld; call left out: %ld\n", peek(&found.redirected), peek(&found.left_out));
    printf("signal: SIGUSR1 from itself: %d, made SIGUSR2: %ld; held back: %ld\n", from_itself,
           peek(&found.usr2) + (usr1 == 2), peek(&found.usr1));
    // a stop in a blocking call
    ptrace(CONT, pid, 0, 0L);
    kill(pid, SIGSTOP);
    waitpid(pid, &status, 0);
    int stopped = WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
    write(pipes[1], "\5", 1);
    // breakpoints and steps
    int trap = go(CONT, 0);
    printf("blocking read interrupted by SIGSTOP, goes on: %ld\n", stopped * peek(&found.read));
    unsigned long at = r.rip;
    int is_int3 = trap == SIGTRAP && (ptrace(PEEKTEXT, pid, at - 1, 0) & 0xff) == 0xcc;
    struct user_fpregs_struct fp;
    ptrace(GETFPREGS, pid, 0, &fp);
    double xmm0;
    long double st0;
    memcpy(&xmm0, fp.xmm_space, sizeof xmm0);
    memcpy(&st0, fp.st_space, 10);
    memcpy(fp.xmm_space, &(double){ 7.5 - 0.5 }, sizeof xmm0);
    ptrace(SETFPREGS, pid, 0, &fp);
    int good = 1;
    for (unsigned i = 1; i <= 3; i++)
        good &= go(STEP, 0) == SIGTRAP && r.rip == at + i;
    unsigned long word = ptrace(PEEKTEXT, pid, breaks_here, 0);
    ptrace(POKETEXT, pid, breaks_here, (word & ~0xffUL) | 0xcc);
    int put = go(CONT, 0) == SIGTRAP && r.rip == (unsigned long)breaks_here + 1;
    ptrace(POKETEXT, pid, breaks_here, word);
    r.rip--;
    ptrace(SETREGS, pid, 0, &r);
    // a fault
    int fault = go(CONT, 0) == SIGSEGV;
    siginfo_t info;
    ptrace(PTRACE_GETSIGINFO, pid, 0, &info);
    fault &= info.si_addr == (void *)8 && info.si_code == SEGV_MAPERR;
    printf("int3: %d, and one that was put into the code: %ld\n", is_int3, put * peek(&found.inner));
    printf("steps: %d, xmm0 %.1f made 7.5: %ld, st0 %.1Lf\n", good, xmm0, peek(&found.number), st0);
    // new processes and threads
    int stop = go(CONT, SIGSEGV), event = 0;
    printf("fault: %d, survived: %ld\n", fault, peek(&found.faults));
    unsigned long message = 0;
    ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
    int by_fork = stop == (SIGTRAP | PTRACE_EVENT_FORK << 8) && r.rax == -(unsigned long)ENOSYS;
    ptrace(CONT, pid, 0, 0L);
    int end = follow((int)message, &event);
    printf("child by fork: %d, its exit event: 0x%x, status %d\n", by_fork, event, WEXITSTATUS(end));
    int thread = 0, by_vfork = 0, filter = 0, sig = 0;
    waitpid(pid, &status, __WALL);
    for (stop = status >> 8; stop != (SIGTRAP | PTRACE_EVENT_SECCOMP << 8); ) {
        sig = 0;
        if (stop == (SIGTRAP | PTRACE_EVENT_CLONE << 8) || stop == (SIGTRAP | PTRACE_EVENT_VFORK << 8)) {
            ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
            ptrace(CONT, pid, 0, 0L);
            end = follow((int)message, NULL);
            if (stop >> 8 == PTRACE_EVENT_CLONE)
                thread = WIFEXITED(end) && WEXITSTATUS(end) == 0;
            else
                by_vfork = WIFEXITED(end) && WEXITSTATUS(end) == 4;
            waitpid(pid, &status, __WALL);
            stop = status >> 8;
            continue;
        }
        if (stop == SIGCHLD)
            sig = SIGCHLD;
        if (!WIFSTOPPED(status))
            return 1;
        stop = go(CONT, sig);
    }
    printf("thread: %d, child by vfork: %d\n", thread, by_vfork);
    ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
    ptrace(GETREGS, pid, 0, &r);
    filter = r.orig_rax == SYS_getuid ? (int)message : 0;
    printf("filter asks the tracer: %d\n", filter);
    // exec
    stop = go(CONT, 0);
    char link[64], exe[512] = "", own[512] = "";
    snprintf(link, sizeof link, "/proc/%d/exe", pid);
    readlink(link, exe, sizeof exe - 1);
    readlink("/proc/self/exe", own, sizeof own - 1);
    printf("exec: %d, its program: %d, word on its stack: %d\n", stop == (SIGTRAP | PTRACE_EVENT_EXEC << 8),
           strcmp(exe, own) == 0, ptrace(PEEKTEXT, pid, r.rsp, 0) == 2);
    stop = go(CONT, 0);
    ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
    stop = stop == (SIGTRAP | PTRACE_EVENT_EXIT << 8);
    ptrace(CONT, pid, 0, 0L);
    waitpid(pid, &status, 0);
    printf("end: 0x%lx, %d\n", stop * message, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 0;
}
