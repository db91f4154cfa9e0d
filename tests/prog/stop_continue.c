// SPDX-License-Identifier: MIT
// Stopping and continuing a process with threads: its parent sees both, blocked calls go on afterwards as if nothing had
// been, a handler of SIGCONT runs, SIGTSTP may be caught, ignored or stop; a stopped process keeps other signals.
// DIFFERS: Valgrind hangs
// OPTIONS: --child-silent-after-fork=yes
// LDFLAGS: -pthread
// STDOUT: stopped by SIGSTOP: yes, continued: yes
// STDOUT: calls after it: read 1, nanosleep 0, poll -1 EINTR
// STDOUT: handlers: SIGCONT 1, SIGTSTP 1
// STDOUT: stopped by SIGTSTP: yes, SIGUSR1 while stopped: 0 then 1
// STDOUT: status 0
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static struct Shared { volatile int conts, tstps, usrs, ready, results; int read, sleep, poll, poll_errno; pid_t poller; } *s;
static int data[2], done[2];
static void handler(int sig)
{
    __sync_fetch_and_add(sig == SIGCONT ? &s->conts : sig == SIGTSTP ? &s->tstps : &s->usrs, 1);
}
static void *reader(void *arg)
{
    char c;
    __sync_fetch_and_add(&s->ready, 1);
    s->read = read(data[0], &c, 1);
    __sync_fetch_and_add(&s->results, 1);
    return 0;
}
static void *sleeper(void *arg)
{
    struct timespec t = { 0, 300000000 };
    __sync_fetch_and_add(&s->ready, 1);
    s->sleep = nanosleep(&t, 0);
    __sync_fetch_and_add(&s->results, 1);
    return 0;
}
static void child(void)
{
    struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
    pthread_t t[2];
    sigset_t cont;
    sigemptyset(&cont);
    sigaddset(&cont, SIGCONT);
    sigaddset(&cont, SIGUSR1);
    sigaddset(&cont, SIGTSTP);
    sigaction(SIGCONT, &sa, 0);
    sigaction(SIGTSTP, &sa, 0);
    sigaction(SIGUSR1, &sa, 0);
    pthread_sigmask(SIG_BLOCK, &cont, 0); // the first thread takes them
    pthread_create(&t[0], 0, reader, 0);
    pthread_create(&t[1], 0, sleeper, 0);
    pthread_sigmask(SIG_UNBLOCK, &cont, 0);
    s->poller = getpid();
    s->ready++;
    s->poll = poll(0, 0, 60000); // never restarted after a handler
    s->poll_errno = errno;
    pthread_join(t[0], 0);
    pthread_join(t[1], 0);
    __sync_fetch_and_add(&s->results, 1);
    while (s->tstps == 0)
        usleep(1000);
    signal(SIGTSTP, SIG_DFL);
    s->ready = 100;
    char c;
    read(done[0], &c, 1);
    _exit(0);
}
static int asleep(pid_t pid) // is its first thread in a system call that waits?
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (f) {
        fread(text, 1, sizeof text - 1, f);
        fclose(f);
    }
    char *end = strrchr(text, ')');
    return end && end[2] == 'S';
}
int main(void)
{
    int status;
    s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pipe(data);
    pipe(done);
    pid_t pid = fork();
    if (pid == 0)
        child();
    while (s->ready < 3)
        usleep(1000);
    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    printf("stopped by SIGSTOP: %s", WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP ? "yes" : "no");
    while (s->conts == 0) { // a SIGCONT that comes before poll() began does not end it
        kill(pid, SIGCONT);
        usleep(1000);
    }
    waitpid(pid, &status, WCONTINUED);
    printf(", continued: %s\n", WIFCONTINUED(status) ? "yes" : "no");
    write(data[1], "x", 1);
    for (int i = 0; s->poll_errno == 0; i++) {
        usleep(20000);
        if (asleep(pid) && s->poll_errno == 0)
            kill(pid, SIGCONT);
    }
    while (s->results < 3)
        usleep(1000);
    printf("calls after it: read %d, nanosleep %d, poll %d %s\n", s->read, s->sleep, s->poll,
        s->poll_errno == EINTR ? "EINTR" : strerror(s->poll_errno));
    kill(pid, SIGTSTP);
    while (s->ready != 100)
        usleep(1000);
    printf("handlers: SIGCONT %d, SIGTSTP %d\n", s->conts > 0, s->tstps);
    kill(pid, SIGTSTP);
    waitpid(pid, &status, WUNTRACED);
    printf("stopped by SIGTSTP: %s", WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP ? "yes" : "no");
    kill(pid, SIGUSR1);
    usleep(20000);
    printf(", SIGUSR1 while stopped: %d", s->usrs);
    kill(pid, SIGCONT);
    while (s->usrs == 0)
        usleep(1000);
    printf(" then %d\n", s->usrs);
    write(done[1], "x", 1);
    while (waitpid(pid, &status, 0) == pid && !WIFEXITED(status))
        ;
    printf("status %d\n", WEXITSTATUS(status));
    return 0;
}
