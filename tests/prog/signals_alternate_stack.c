// SPDX-License-Identifier: MIT
// A handler on an alternate stack; the stack pointer is there and nothing is reported.
// STDOUT: on alternate stack
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static char *base;
static volatile int good;
static void handler(int n)
{
    char local[100];
    memset(local, n, sizeof local);
    good = local > base && local < base + 65536;
}
int main(void)
{
    base = malloc(65536);
    stack_t ss = { .ss_sp = base, .ss_size = 65536 };
    struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
    sigaltstack(&ss, 0);
    sigaction(SIGUSR1, &sa, 0);
    raise(SIGUSR1);
    puts(good ? "on alternate stack" : "elsewhere");
    ss.ss_flags = SS_DISABLE;
    sigaltstack(&ss, 0);
    free(base);
    return 0;
}
