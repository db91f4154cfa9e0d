// SPDX-License-Identifier: MIT
// Endless recursion ends on the alternate stack.
// LINE: Stack overflow in thread #1: can't grow stack to 0x
// DIFFERS: Valgrind has its stacks further apart
// STDOUT: overflow caught
// EXPECT?-ANYWHERE: Stack overflow in thread #1: can't grow stack to 0xADDR
// EXPECT*-ANYWHERE: Invalid write of size 8
// EXPECT*-ANYWHERE: Invalid write of size 4
// EXPECT*-ANYWHERE: Invalid write of size 1
// EXPECT*-ANYWHERE: Invalid read of size 8
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
static sigjmp_buf back;
static void handler(int n)
{
    siglongjmp(back, 1);
}
static int dive(int n)
{
    volatile char local[1000];
    local[n % 1000] = n;
    return dive(n + 1) + local[3];
}
int main(void)
{
    stack_t ss = { .ss_sp = malloc(65536), .ss_size = 65536 };
    struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
    sigaltstack(&ss, 0);
    sigaction(SIGSEGV, &sa, 0);
    if (sigsetjmp(back, 1) == 0)
        return dive(1);
    puts("overflow caught");
    return 0;
}
