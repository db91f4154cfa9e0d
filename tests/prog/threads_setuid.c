// SPDX-License-Identifier: MIT
// setresuid() and setgroups() take effect in all threads, whatever they are at; so it is done by a signal.
// DIFFERS: Valgrind cannot remove its pipes
// LDFLAGS: -pthread
// STDOUT: all threads have the new user
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
enum { THREADS = 6 };
static int go[2], back[2];
static volatile int stop;
static unsigned seen[THREADS];
static void *blocked(void *arg)
{
    char c;
    while (read(go[0], &c, 1) < 0)
        ;
    seen[(long)arg] = syscall(SYS_getuid);
    return NULL;
}
static void *busy(void *arg)
{
    volatile long n = 0;
    write(back[1], "x", 1);
    while (!stop)
        n++;
    seen[(long)arg] = syscall(SYS_getuid);
    return NULL;
}
int main(void)
{
    pthread_t t[THREADS];
    char c;
    unsigned want = getuid() == 0 ? 65534 : getuid(), good = 0;
    pipe(go);
    pipe(back);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, i % 2 ? busy : blocked, (void *)i);
    for (int i = 0; i < THREADS / 2; i++)
        read(back[0], &c, 1);
    if (getuid() == 0 && setgroups(0, NULL) != 0)
        perror("setgroups");
    if (setresuid(want, want, want) != 0)
        perror("setresuid");
    stop = 1;
    write(go[1], "abcdef", THREADS);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        good += seen[i] == want;
    }
    puts(good == THREADS ? "all threads have the new user" : "some threads have the old user");
    return 0;
}
