// SPDX-License-Identifier: MIT
// Limits of zero, as in the sandbox of sshd: descriptors that are open stay so, files that exist cannot grow,
// memory can be had; and the core lives on.
// OPTIONS: --child-silent-after-fork=yes
// STDOUT: 0 0 0; no new one 1, same 1, no growth 1, no process 1, 42
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
static void sandboxed(int out)
{
    struct rlimit none = { 0, 0 };
    char text[128];
    FILE *f = tmpfile();
    signal(SIGXFSZ, SIG_IGN);
    setgid(65534);
    setuid(65534);
    int nofile = setrlimit(RLIMIT_NOFILE, &none), fsize = setrlimit(RLIMIT_FSIZE, &none);
    int nproc = setrlimit(RLIMIT_NPROC, &none);
    char *p = malloc(100000);
    memset(p, 42, 100000);
    int fd = open("/dev/null", O_RDONLY), full = write(fileno(f), p, 1) < 0 && errno == EFBIG;
    int same = lseek(fileno(f), 0, SEEK_CUR) == 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    int n = snprintf(text, sizeof text, "%d %d %d; no new one %d, same %d, no growth %d, no process %d, %d\n",
                     nofile, fsize, nproc, fd < 0, same, full, pid < 0, p[99999]);
    write(out, text, n);
}
int main(void)
{
    char text[128] = "";
    int pipes[2];
    pipe(pipes);
    if (fork() == 0) {
        sandboxed(pipes[1]);
        _exit(0);
    }
    close(pipes[1]);
    wait(NULL);
    read(pipes[0], text, sizeof text - 1);
    printf("%s", text);
    return 0;
}
