// SPDX-License-Identifier: MIT
// A tracer's forked child that has executed nothing: its memory, signals and registers are its own.
// OPTIONS: --child-silent-after-fork=yes
// DIFFERS: the registers are Valgrind's
// STDOUT: stopped by SIGSTOP, word 4711, then 1234, stopped by SIGUSR1, ended with 7
// STDOUT: its stack is the program's: yes
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile long word = 1;
int main(void)
{
    int status, stop, next;
    struct user_regs_struct regs;
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        word = 4711;
        raise(SIGSTOP);
        raise(SIGUSR1);
        _exit(word == 1234 ? 7 : 8);
    }
    waitpid(pid, &status, 0);
    stop = WSTOPSIG(status);
    ptrace(PTRACE_GETREGS, pid, 0, &regs);
    unsigned long here = (unsigned long)&status, below = here - 65536;
    long before = ptrace(PTRACE_PEEKDATA, pid, &word, 0);
    ptrace(PTRACE_POKEDATA, pid, &word, 1234);
    long after = ptrace(PTRACE_PEEKDATA, pid, &word, 0);
    ptrace(PTRACE_CONT, pid, 0, 0);
    waitpid(pid, &status, 0);
    next = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
    ptrace(PTRACE_CONT, pid, 0, 0);
    waitpid(pid, &status, 0);
    printf("stopped by SIG%s, word %ld, then %ld, stopped by SIG%s, ended with %d\n", stop == SIGSTOP ? "STOP" : "?",
        before, after, next == SIGUSR1 ? "USR1" : "?", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    printf("its stack is the program's: %s\n", regs.rsp > below && regs.rsp < here + 65536 ? "yes" : "no");
    return 0;
}
