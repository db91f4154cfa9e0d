// SPDX-License-Identifier: MIT
// clone3: CLONE_CLEAR_SIGHAND with and without shared memory, set_tid and flags that the kernel refuses; clone() of a
// thread with a directory and descriptors of its own.
// DIFFERS: Valgrind knows no clone3()
// TOOL: none
// STDOUT: cleared in a fork: default, ignored stays
// STDOUT: cleared in a vfork: default, ignored stays
// STDOUT: handler here: kept
// STDOUT: refused: 22 22 22 22 22
// STDOUT: thread: its own directory, its own descriptors
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
struct args { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup; };
enum { SIZE = sizeof(struct args) };
#define CLEAR 0x100000000ULL
static void handler(int sig) { }
static int look(void)
{
    struct sigaction a, b;
    sigaction(SIGUSR1, 0, &a);
    sigaction(SIGUSR2, 0, &b);
    return (a.sa_handler == SIG_DFL) + 2 * (b.sa_handler == SIG_IGN);
}
static void cleared(const char *how, uint64_t flags)
{
    struct args a = { .flags = CLEAR | flags, .exit_signal = SIGCHLD };
    int status;
    long pid = syscall(SYS_clone3, &a, SIZE);
    if (pid == 0)
        _exit(look());
    waitpid(pid, &status, 0);
    printf("cleared in a %s: %s, %s\n", how, WEXITSTATUS(status) & 1 ? "default" : "kept",
        WEXITSTATUS(status) & 2 ? "ignored stays" : "ignored does not stay");
}
static int refused(struct args a)
{
    return syscall(SYS_clone3, &a, SIZE) == -1 ? errno : 0;
}
static volatile int done, fd;
static int thread(void *arg)
{
    syscall(SYS_chdir, "/");
    syscall(SYS_close, fd);
    done = 1;
    for (;;)
        syscall(SYS_exit, 0);
}
int main(void)
{
    signal(SIGUSR1, handler);
    signal(SIGUSR2, SIG_IGN);
    fflush(stdout);
    cleared("fork", 0);
    cleared("vfork", CLONE_VM | CLONE_VFORK);
    printf("handler here: %s\n", look() & 1 ? "lost" : "kept");
    int tids[1] = { 0 };
    printf("refused:");
    printf(" %d", refused((struct args){ .exit_signal = SIGCHLD, .set_tid_size = 1 }));
    printf(" %d", refused((struct args){ .exit_signal = SIGCHLD, .set_tid = (uintptr_t)tids, .set_tid_size = 1 }));
    printf(" %d", refused((struct args){ .exit_signal = SIGCHLD, .set_tid = (uintptr_t)tids, .set_tid_size = 33 }));
    printf(" %d", refused((struct args){ .flags = CLEAR | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD }));
    printf(" %d\n", refused((struct args){ .flags = CLONE_DETACHED, .exit_signal = SIGCHLD }));
    char *stack = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), before[4096], after[4096];
    getcwd(before, sizeof before);
    fd = dup(1);
    clone(thread, stack + 65536, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0);
    while (!done)
        usleep(1000);
    getcwd(after, sizeof after);
    printf("thread: %s directory, %s descriptors\n", strcmp(before, after) ? "a common" : "its own",
        fcntl(fd, F_GETFD) < 0 ? "common" : "its own");
    return 0;
}
