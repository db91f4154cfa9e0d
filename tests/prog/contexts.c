// SPDX-License-Identifier: MIT
// makecontext and swapcontext: stacks on the heap.
// DIFFERS: Valgrind has its stacks further apart
// STDOUT: 0 10 1 11 2 12 done
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
static ucontext_t home, one;
static void body(int base)
{
    for (int i = 0; i < 3; i++) {
        printf("%d ", base + i);
        swapcontext(&one, &home);
    }
}
int main(void)
{
    getcontext(&one);
    one.uc_stack.ss_sp = calloc(1, 65536);
    one.uc_stack.ss_size = 65536;
    one.uc_link = &home;
    makecontext(&one, (void (*)(void))body, 1, 10);
    for (int i = 0; i < 3; i++) {
        printf("%d ", i);
        swapcontext(&home, &one);
    }
    puts("done");
    return 0;
}
