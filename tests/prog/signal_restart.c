// SPDX-License-Identifier: MIT
// A blocking read is restarted with SA_RESTART and gives EINTR without.
// STDOUT: restarted 1
// STDOUT: interrupted 1
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>
static int fds[2], write_now;
static void handler(int n)
{
    if (write_now)
        write(fds[1], "x", 1);
}
int main(void)
{
    struct itimerval once = { { 0, 0 }, { 0, 30000 } };
    struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
    char c;
    pipe(fds);
    write_now = 1;
    sigaction(SIGALRM, &sa, 0);
    setitimer(ITIMER_REAL, &once, 0);
    printf("restarted %d\n", (int)read(fds[0], &c, 1));
    write_now = 0;
    sa.sa_flags = 0;
    sigaction(SIGALRM, &sa, 0);
    once.it_interval.tv_usec = 30000; // again, if the first came before the call
    setitimer(ITIMER_REAL, &once, 0);
    ssize_t n = read(fds[0], &c, 1);
    printf("interrupted %d\n", n < 0 && errno == EINTR);
    return 0;
}
