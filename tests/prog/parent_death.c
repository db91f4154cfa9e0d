// SPDX-License-Identifier: MIT
// PR_SET_PDEATHSIG: a process gets its signal when its parent ends, caught or by
// default; a child does not inherit it.
// OPTIONS: --child-silent-after-fork=yes
// STDOUT: caught SIGUSR2
// STDOUT: killed by it
// STDOUT: not inherited
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
static int said[2], ready[2];
static void handler(int sig)
{
    if (sig == SIGUSR2)
        write(said[1], "caught SIGUSR2\n", 15);
    _exit(0);
}
// A grandchild that waits for its parent's death; what it wrote until it ended is read from a pipe.
static void family(void (*handle)(int))
{
    char text[64] = "";
    int n = 0, r;
    pipe(said);
    pipe(ready);
    if (fork() == 0) {
        if (fork() == 0) {
            signal(SIGUSR2, handle);
            prctl(PR_SET_PDEATHSIG, SIGUSR2);
            write(ready[1], "x", 1);
            for (;;)
                pause();
        }
        char c;
        read(ready[0], &c, 1);
        _exit(0);
    }
    close(said[1]);
    while (n < 60 && (r = read(said[0], text + n, 60 - n)) > 0)
        n += r; // ends when the grandchild has ended
    wait(NULL);
    fputs(n ? text : "killed by it\n", stdout);
    close(said[0]);
}
int main(void)
{
    int sig = -1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    family(handler);
    family(SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    if (fork() == 0) {
        prctl(PR_GET_PDEATHSIG, &sig);
        puts(sig == 0 ? "not inherited" : "inherited");
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    return 0;
}
