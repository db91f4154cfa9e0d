// SPDX-License-Identifier: MIT
// Processes: fork, vfork, wait calls, exec and its errors, limits, ids, clone flags.
// DIFFERS: Valgrind lets its own descriptors be seen
// TOOL: none
// STDOUT: child env V=1 args b c
// STDOUT: ok
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(x) do { if (!(x)) { printf("line %d: %s (errno %d)\n", __LINE__, #x, errno); exit(1); } } while (0)

static void waits(void)
{
    int st;
    struct rusage ru;
    siginfo_t si;
    pid_t pid = fork();
    if (pid == 0)
        _exit(getppid() == getpid() ? 1 : 42);
    MUST(waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == 42);
    pid = fork();
    if (pid == 0) {
        raise(SIGKILL);
        _exit(0);
    }
    MUST(wait4(pid, &st, 0, &ru) == pid && WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
    pid = fork();
    if (pid == 0)
        _exit(7);
    MUST(waitid(P_PID, pid, &si, WEXITED) == 0 && si.si_status == 7 && si.si_pid == pid);
    MUST(waitpid(-1, &st, WNOHANG) == -1 && errno == ECHILD);
    pid = vfork();
    if (pid == 0)
        _exit(3);
    MUST(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 3);
    int parent_word = 0;
    pid = syscall(SYS_clone, SIGCHLD | CLONE_PARENT_SETTID, 0, &parent_word, 0, 0);
    if (pid == 0)
        _exit(4);
    MUST(parent_word == pid && waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 4);
    struct { unsigned long flags, pidfd, child, parent, sig, stack, size, tls; } a = { .sig = SIGCHLD };
    pid = syscall(SYS_clone3, &a, sizeof a);
    if (pid == 0)
        _exit(5);
    MUST(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 5);
}

static void exec_errors(char *self)
{
    char *args[] = { "x", NULL }, *none[] = { NULL }, path[64] = "/tmp/sys_process_XXXXXX";
    MUST(execve("/no-such-file", args, none) == -1 && errno == ENOENT);
    MUST(execve("/tmp", args, none) == -1 && errno == EACCES);
    MUST(execve("/etc/passwd", args, none) == -1 && errno == EACCES);
    MUST(execve("/etc/passwd/x", args, none) == -1 && errno == ENOTDIR);
    MUST(execve(NULL, args, none) == -1 && errno == EFAULT);
    MUST(execve(self, (char **)8, none) == -1 && errno == EFAULT);
    int fd = mkstemp(path);
    MUST(write(fd, "#!/no-such-file/sh\n", 18) == 18 && fchmod(fd, 0755) == 0 && close(fd) == 0);
    MUST(execve(path, args, none) == -1 && errno == ENOENT);
    MUST(unlink(path) == 0);
    pid_t pid;
    MUST(posix_spawn(&pid, "/no-such-file", NULL, NULL, args, none) == ENOENT);
}

static void limits_and_ids(void)
{
    struct rlimit r, old;
    struct utsname u;
    struct tms t;
    char name[16] = "";
    MUST(getrlimit(RLIMIT_NOFILE, &old) == 0);
    r = old;
    r.rlim_cur = 50;
    MUST(setrlimit(RLIMIT_NOFILE, &r) == 0 && getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur == 50);
    MUST(dup2(0, 50) == -1 && errno == EBADF && fcntl(0, F_DUPFD, 50) == -1 && errno == EINVAL);
    MUST(setrlimit(RLIMIT_NOFILE, &old) == 0);
    MUST(prlimit(0, RLIMIT_CORE, NULL, &r) == 0);
    /* The session may have been begun outside of our pid namespace: 0 then. */
    MUST(getpid() == syscall(SYS_gettid) && getpgrp() == getpgid(0) && getsid(0) >= 0);
    MUST(uname(&u) == 0 && strcmp(u.sysname, "Linux") == 0 && times(&t) != -1);
    MUST(prctl(PR_SET_NAME, "newname") == 0 && prctl(PR_GET_NAME, name) == 0 && !strcmp(name, "newname"));
    MUST(prctl(PR_SET_MM, 1, 0, 0, 0) == -1);
    cpu_set_t set;
    MUST(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0);
    MUST(sched_yield() == 0 && getpriority(PRIO_PROCESS, 0) >= -20);
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        printf("child env V=%s args %s %s\n", getenv("V"), argv[1], argv[2]);
        return 9;
    }
    waits();
    exec_errors(argv[0]);
    limits_and_ids();
    int st;
    pid_t pid = fork();
    if (pid == 0) {
        char *args[] = { "me", "b", "c", NULL }, *env[] = { "V=1", NULL };
        execve("/proc/self/exe", args, env);
        _exit(1);
    }
    MUST(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 9);
    puts("ok");
    return 0;
}
