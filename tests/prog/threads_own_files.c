// SPDX-License-Identifier: MIT
// A thread made without CLONE_FS and CLONE_FILES has a working directory and descriptors of its own.
// DIFFERS: Valgrind knows no such clone()
// STDOUT: ok
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char stack[65536] __attribute__((aligned(16)));
static volatile int running = 1, failed = 1;

static int child(void *arg)
{
    failed = chdir("/") != 0 || close(*(int *)arg) != 0;
    syscall(SYS_exit, 0); /* of this thread */
    return 0;
}

int main(void)
{
    char before[4096] = "", after[4096] = "";
    int fd = open("/dev/null", O_RDONLY);
    int no_cwd = !getcwd(before, sizeof before);
    int flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_CHILD_CLEARTID;
    if (clone(child, stack + sizeof stack, flags, &fd, NULL, NULL, &running) < 0)
        perror("clone");
    else
        while (running)
            sched_yield();
    if (no_cwd || !getcwd(after, sizeof after) || failed || strcmp(before, after) != 0 ||
        fcntl(fd, F_GETFD) < 0)
        puts("wrong");
    else
        puts("ok");
    return 0;
}
