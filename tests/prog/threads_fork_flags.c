// SPDX-License-Identifier: MIT
// Processes made by clone() with more flags than fork()'s while other threads are being created and ended: the
// child finds no lock taken, in the program's core either.
// DIFFERS: Valgrind knows no such clone()
// LDFLAGS: -pthread
// STDOUT: 60 children, each ended with 7
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
enum { CHILDREN = 60, SPAWNERS = 2, AT_ONCE = 4 };
static volatile int stop;
static void *work(void *arg)
{
    return arg;
}
static void *spawn(void *arg)
{
    while (!stop) {
        pthread_t t[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++)
            pthread_create(&t[i], 0, work, 0);
        for (int i = 0; i < AT_ONCE; i++)
            pthread_join(t[i], 0);
    }
    return 0;
}
// Only system calls here, and code that has not run before: it has to be translated.
static __attribute__((noinline)) void child(void)
{
    void *p = (void *)syscall(SYS_mmap, 0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    syscall(SYS_munmap, p, 1 << 20);
    syscall(SYS_exit_group, 7);
}
int main(void)
{
    pthread_t spawners[SPAWNERS];
    int good = 0;
    for (int i = 0; i < SPAWNERS; i++)
        pthread_create(&spawners[i], 0, spawn, 0);
    for (int i = 0; i < CHILDREN; i++) {
        static const unsigned long flags[] = { SIGCHLD, SIGCHLD | CLONE_FS, SIGUSR1, SIGCHLD | CLONE_FILES };
        int status = 0;
        signal(SIGUSR1, SIG_IGN);
        long pid = syscall(SYS_clone, flags[i % 4], 0, 0, 0, 0);
        if (pid == 0)
            child();
        good += waitpid(pid, &status, __WALL) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7;
    }
    stop = 1;
    for (int i = 0; i < SPAWNERS; i++)
        pthread_join(spawners[i], 0);
    printf("%d children, each ended with 7\n", good);
    return 0;
}
