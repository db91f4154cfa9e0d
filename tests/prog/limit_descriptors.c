// SPDX-License-Identifier: MIT
// RLIMIT_NOFILE is shown as it is; raising it allows more descriptors at once, lowering it fewer.
// TOOL: none
// STDOUT: 200 400 ok
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_many(void)
{
    int n = 0, fds[1000];
    while (n < 1000 && (fds[n] = open("/dev/null", O_RDONLY)) >= 0)
        n++;
    for (int i = 0; i < n; i++)
        close(fds[i]);
    return n;
}

int main(void)
{
    struct rlimit r = { 200, 400 }, now;
    setrlimit(RLIMIT_NOFILE, &r);
    int few = open_many();
    /* a program that starts with these limits sees them, and may raise its own */
    if (fork() == 0) {
        execl("/bin/sh", "sh", "-c", "test `ulimit -Sn` = 200 && test `ulimit -Hn` = 400", (char *)0);
        _exit(9);
    }
    int status;
    wait(&status);
    getrlimit(RLIMIT_NOFILE, &now);
    printf("%d ", (int)now.rlim_cur);
    r.rlim_cur = 400;
    setrlimit(RLIMIT_NOFILE, &r);
    int many = open_many();
    printf("400 %s\n", status == 0 && few > 180 && few <= 200 && many > 300 && many <= 400 ? "ok" : "bad");
    if (status || few > 200 || many <= 300)
        printf("%x %d %d\n", status, few, many);
    return 0;
}
