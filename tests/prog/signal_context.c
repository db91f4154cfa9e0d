// SPDX-License-Identifier: MIT
// A handler changes registers in the context; the program goes on with them.
// OPTIONS: --sigill-diagnostics=no
// STDOUT: skipped, rax 77
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>
static void handler(int n, siginfo_t *info, void *context)
{
    ucontext_t *c = context;
    c->uc_mcontext.gregs[REG_RIP] += 2;
    c->uc_mcontext.gregs[REG_RAX] = 77;
}
int main(void)
{
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    long rax = 1;
    sigaction(SIGILL, &sa, 0);
    __asm__ volatile("ud2" : "+a"(rax));
    printf("skipped, rax %ld\n", rax);
    return 0;
}
