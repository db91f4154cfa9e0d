// SPDX-License-Identifier: MIT
// Processes that share their parent's memory and run on (CLONE_VM without CLONE_VFORK), with every
// flag that goes with it; vfork children in namespaces of their own, with pidfd and ids.
// DIFFERS: Valgrind knows no such clone()
// TOOL: none
// STDOUT: ok
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(x) do { if (!(x)) { printf("line %d: %s (errno %d)\n", __LINE__, #x, errno); exit(1); } } while (0)

static volatile int shared, go;
static int tid_word, child_word;

static int adds(void *arg)
{
    while (!go)
        sched_yield();
    for (int i = 0; i < 100000; i++)
        __atomic_add_fetch(&shared, 1, __ATOMIC_SEQ_CST);
    return (int)(long)arg;
}

static int execs(void *arg)
{
    (void)arg;
    execl("/bin/sh", "sh", "-c", "exit 21", (char *)0);
    return 1;
}

static int crashes(void *arg)
{
    (void)arg;
    *(volatile int *)8 = 1;
    return 0;
}

static int waits(void *arg)
{
    (void)arg;
    for (;;)
        pause();
}

static char *stack(void)
{
    return (char *)mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 65536;
}

int main(void)
{
    int status, pids[8];
    for (int i = 0; i < 8; i++)
        MUST((pids[i] = clone(adds, stack(), CLONE_VM | (i & 1 ? CLONE_FS | CLONE_FILES | CLONE_SIGHAND : 0)
                  | SIGCHLD, (void *)(long)i)) > 0);
    go = 1;
    for (int i = 0; i < 8; i++)
        MUST(waitpid(pids[i], &status, 0) == pids[i] && WIFEXITED(status) && WEXITSTATUS(status) == i);
    MUST(shared == 800000);

    int pid = clone(adds, stack(), CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID
            | CLONE_CHILD_CLEARTID | SIGCHLD, (void *)5, &tid_word, NULL, &child_word);
    MUST(pid > 0 && tid_word == pid);
    MUST(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
    for (int i = 0; child_word && i < 1000; i++)
        usleep(1000);
    MUST(child_word == 0);

    pid = clone(execs, stack(), CLONE_VM | SIGCHLD, NULL);
    MUST(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 21);
    pid = clone(crashes, stack(), CLONE_VM | SIGCHLD, NULL);
    MUST(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    pid = clone(waits, stack(), CLONE_VM | SIGCHLD, NULL);
    MUST(kill(pid, SIGTERM) == 0);
    MUST(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    pid = clone(adds, stack(), CLONE_VM, (void *)6); /* no signal at its end */
    MUST(waitpid(pid, &status, __WCLONE) == pid && WEXITSTATUS(status) == 6);
    for (int i = 0; i < 100; i++) {
        pid = clone(adds, stack(), CLONE_VM | SIGCHLD, (void *)7);
        MUST(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
    }

    /* a vfork that also asks for other things */
    int pidfd = -1, parent_id = 0;
    siginfo_t si = { 0 };
    pid = clone(adds, stack(), CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, (void *)8, &pidfd);
    MUST(pid > 0 && pidfd >= 0);
    MUST(waitid(P_PIDFD, pidfd, &si, WEXITED) == 0 && si.si_status == 8 && si.si_pid == pid);
    pid = clone(adds, stack(), CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD, (void *)9,
                &parent_id);
    MUST(pid > 0 && parent_id == pid);
    MUST(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 9);

    errno = 0;
    MUST(clone(adds, stack(), CLONE_THREAD | SIGCHLD, NULL) == -1 && errno == EINVAL);
    MUST(clone(adds, stack(), CLONE_SIGHAND | SIGCHLD, NULL) == -1 && errno == EINVAL);
    MUST(clone(adds, stack(), CLONE_FS | CLONE_NEWNS | SIGCHLD, NULL) == -1 && errno == EINVAL);
    puts("ok");
    return 0;
}
