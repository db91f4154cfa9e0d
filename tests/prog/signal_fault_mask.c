// SPDX-License-Identifier: MIT
// The mask of a fault's handler holds from its first instruction on: a signal in it that came just
// before the fault waits for its end.
// LDFLAGS: -pthread
// TOOL: none
// STDOUT: early 0, seen 1, faults 3000
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { FAULTS = 3000 };
static volatile sig_atomic_t early, seen, faults;
static volatile int stop;
static pthread_t target;
static char *page;

static void on_signal(int sig, siginfo_t *info, void *context)
{
    ucontext_t *interrupted = context;
    (void)info;
    seen = 1;
    if (sigismember(&interrupted->uc_sigmask, sig))
        early++;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)info, (void)context;
    faults++;
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void *sender(void *arg)
{
    while (!stop)
        pthread_kill(target, SIGUSR1);
    return arg;
}

int main(void)
{
    struct sigaction usr = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
    struct sigaction segv = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    pthread_t t;
    target = pthread_self();
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaddset(&segv.sa_mask, SIGUSR1);
    sigaction(SIGUSR1, &usr, NULL);
    sigaction(SIGSEGV, &segv, NULL);
    pthread_create(&t, NULL, sender, NULL);
    while (!seen)
        sched_yield();
    for (int i = 0; i < FAULTS; i++) {
        mprotect(page, 4096, PROT_READ);
        page[i]++;
    }
    stop = 1;
    pthread_join(t, NULL);
    printf("early %d, seen %d, faults %d\n", (int)early, (int)seen, (int)faults);
    return 0;
}
