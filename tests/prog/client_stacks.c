// SPDX-License-Identifier: MIT
// Coroutines that switch directly between neighbouring stacks: the stacks are registered, so what lies
// between two stack pointers stays as it is.
// NOLINE: client switching stacks
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "../../include/gimle/client.h"
enum { N = 3, SIZE = 32768 };
static ucontext_t back, coroutine[N];
static int good;
static void run(int k)
{
    char mine[200];
    memset(mine, k, sizeof mine);
    for (int round = 0; round < 4; round++) {
        swapcontext(&coroutine[k], k == N - 1 ? &back : &coroutine[k + 1]);
        for (int i = 0; i < 200; i++)
            good += mine[i] == k;
    }
}
int main(void)
{
    char *s = mmap(0, N * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned id[N];
    for (int k = 0; k < N; k++) {
        id[k] = VALGRIND_STACK_REGISTER(s + k * SIZE, s + (k + 1) * SIZE);
        getcontext(&coroutine[k]);
        coroutine[k].uc_stack.ss_sp = s + k * SIZE;
        coroutine[k].uc_stack.ss_size = SIZE;
        coroutine[k].uc_link = &back;
        makecontext(&coroutine[k], (void (*)(void))run, 1, k);
    }
    for (int round = 0; round < 4; round++)
        swapcontext(&back, &coroutine[0]);
    printf("%d %d\n", good, id[1] - id[0]); // STDOUT: 1800 1
    VALGRIND_STACK_CHANGE(id[0], s, s + SIZE / 2);
    for (int k = 0; k < N; k++)
        VALGRIND_STACK_DEREGISTER(id[k]);
    return 0;
}
