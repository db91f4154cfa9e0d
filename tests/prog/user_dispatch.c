// SPDX-License-Identifier: MIT
// prctl(PR_SET_SYSCALL_USER_DISPATCH): calls from outside a range become SIGSYS, as Wine has it, unless a byte in memory
// allows them; a child is free of it.  Of a call's number the low 32 bits count.
// DIFFERS: Valgrind knows no such prctl()
// TOOL: none
// OPTIONS: --child-silent-after-fork=yes
// STDOUT: wrong arguments: 22 22 22
// STDOUT: SIGSYS code 2 number 4711 at the next instruction: yes
// STDOUT: allowed: yes
// STDOUT: child: free
// STDOUT: bad selector: killed by 31
// STDOUT: number with a high half: yes
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
enum { DISPATCH = 59 };
static volatile char selector;
static volatile int code, number;
static void *volatile from;
static void handler(int sig, siginfo_t *info, void *context)
{
    selector = 0;
    code = info->si_code;
    number = info->si_syscall;
    from = info->si_call_addr;
}
static int refused(long op, long start, long len)
{
    return prctl(DISPATCH, op, start, len, 0) == -1 ? errno : 0;
}
static long call(long no)
{
    long r;
    __asm__ volatile("syscall\n\t.globl after_call\nafter_call:" : "=a"(r) : "a"(no) : "rcx", "r11", "memory");
    return r;
}
extern char after_call[];
int main(void)
{
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    int status;
    sigaction(SIGSYS, &sa, 0);
    printf("wrong arguments: %d %d %d\n", refused(0, 1, 0), refused(7, 0, 0), refused(1, 16, 0));
    prctl(DISPATCH, 1, 0, 0, &selector);
    selector = 1;
    call(4711);
    printf("SIGSYS code %d number %d at the next instruction: %s\n", code, number,
        from == after_call ? "yes" : "no");
    printf("allowed: %s\n", call(SYS_getpid) == getpid() ? "yes" : "no");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        selector = 1;
        _exit(call(SYS_gettid) == getpid() ? 3 : 4);
    }
    waitpid(pid, &status, 0);
    printf("child: %s\n", WIFEXITED(status) && WEXITSTATUS(status) == 3 ? "free" : "not free");
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        prctl(DISPATCH, 1, 0, 0, &selector);
        selector = 9;
        call(SYS_getpid);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    printf("bad selector: killed by %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    prctl(DISPATCH, 0, 0, 0, 0);
    printf("number with a high half: %s\n", call(0x1234567800000000 | SYS_getpid) == getpid() ? "yes" : "no");
    return 0;
}
