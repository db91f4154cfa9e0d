// SPDX-License-Identifier: MIT
// setjmp and longjmp over many frames, repeatedly; the stack below is not trusted afterwards.
// STDOUT: 1000
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <setjmp.h>
#include <stdio.h>
static jmp_buf back;
static int dive(int n)
{
    volatile char local[64];
    local[n % 64] = n;
    if (n == 50)
        longjmp(back, 1);
    return dive(n + 1) + local[0];
}
int main(void)
{
    volatile int n = 0;
    for (volatile int i = 0; i < 1000; i++)
        if (setjmp(back) == 0)
            dive(0);
        else
            n++;
    printf("%d\n", n);
    return 0;
}
