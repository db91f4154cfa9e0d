// SPDX-License-Identifier: MIT
// A tracer under the tool: its child runs another program, natively, and the tracer sees and changes that program's
// own registers, memory, signals and system calls, step by step.
// DIFFERS: what the tracer reads of /proc differs
// OPTIONS: --child-silent-after-fork=yes
// STDOUT: stopped at the program's start: yes
// STDOUT: 200 steps, each seen alike in three ways: yes
// STDOUT: write seen with its text: written by the child
// STDOUT: signal held back: yes
// STDOUT: exit status changed from 1 to 42
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
static int in_maps(pid_t pid, unsigned long address, const char *what)
{
    char path[64], line[512];
    int found = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) {
        unsigned long lo, hi;
        if (sscanf(line, "%lx-%lx", &lo, &hi) == 2 && address >= lo && address < hi)
            found = strstr(line, what) != NULL;
    }
    if (f)
        fclose(f);
    return found;
}
static int steps(pid_t pid, int n)
{
    int status, good = 0;
    struct user_regs_struct r, again;
    struct iovec v = { &again, sizeof again };
    for (int i = 0; i < n; i++) {
        if (ptrace(PTRACE_SINGLESTEP, pid, 0, 0) != 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
            return -1;
        memset(&again, 0, sizeof again);
        ptrace(PTRACE_GETREGS, pid, 0, &r);
        ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &v);
        unsigned long rip = ptrace(PTRACE_PEEKUSER, pid, (void *)offsetof(struct user, regs.rip), 0);
        good += r.rip == rip && again.rip == rip && again.rsp == r.rsp && v.iov_len == sizeof again;
    }
    return good;
}
int main(int argc, char **argv)
{
    int status, held = 0;
    if (argc > 1) {
        raise(SIGUSR1); /* deadly, if it came */
        write(1, "never\n", 0);
        static const char text[] = "written by the child";
        syscall(SYS_write, 99, text, sizeof text);
        _exit(1);
    }
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execl("/proc/self/exe", "child", "again", NULL);
        _exit(9);
    }
    waitpid(pid, &status, 0);
    struct user_regs_struct r;
    ptrace(PTRACE_GETREGS, pid, 0, &r);
    printf("stopped at the program's start: %s\n", WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP &&
        in_maps(pid, r.rip, "/ld-linux") && in_maps(pid, r.rsp, "[stack]") ? "yes" : "no");
    printf("200 steps, each seen alike in three ways: %s\n", steps(pid, 200) == 200 ? "yes" : "no");
    ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
    for (int entry = 1, sig = 0;; ) {
        ptrace(PTRACE_SYSCALL, pid, 0, sig);
        sig = 0;
        if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
            break;
        if (WSTOPSIG(status) == SIGUSR1) {
            held = 1;
            continue;
        } else if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            sig = WSTOPSIG(status);
            continue;
        }
        ptrace(PTRACE_GETREGS, pid, 0, &r);
        if (entry && r.orig_rax == SYS_write && r.rdi == 99) {
            char text[24];
            for (int i = 0; i < 24; i += 8) {
                long word = ptrace(PTRACE_PEEKDATA, pid, (void *)(r.rsi + i), 0);
                memcpy(text + i, &word, 8);
            }
            printf("write seen with its text: %s\n", text);
        } else if (entry && r.orig_rax == SYS_exit_group) {
            r.rdi = 42;
            ptrace(PTRACE_SETREGS, pid, 0, &r);
        }
        entry = !entry;
    }
    printf("signal held back: %s\n", held ? "yes" : "no");
    printf("exit status changed from 1 to %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 0;
}
