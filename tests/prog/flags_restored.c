// SPDX-License-Identifier: MIT
// Condition codes that POPF restores just before RET are those of the code that is resumed: so Go's
// runtime continues what a signal has interrupted.
// TOOL: none
// STDOUT: 1 0 0 1
#include <stdio.h>
static int resumed(int a, int b)
{
    unsigned char below;
    __asm__ volatile("sub $128, %%rsp\n\t"
                     "lea 1f(%%rip), %%rax\n\t"
                     "push %%rax\n\t"
                     "cmp %2, %1\n\t"
                     "pushfq\n\t"
                     "jmp 2f\n"
                     "1:\n\t"
                     "setb %0\n\t"
                     "lea 128(%%rsp), %%rsp\n\t"
                     "jmp 3f\n"
                     "2:\n\t"
                     "xor %%eax, %%eax\n\t"
                     "sub $1, %%eax\n\t"
                     "pushfq\n\t" /* other codes in between, and kept */
                     "pop %%rax\n\t"
                     "popfq\n\t"
                     "ret\n"
                     "3:\n\t"
                     : "=&r"(below) : "r"(a), "r"(b) : "rax", "cc", "memory");
    return below;
}
int main(void)
{
    int n = 0;
    for (int i = 0; i < 20000; i++) /* hot enough for each kind of code */
        n += resumed(i, 10000);
    printf("%d %d %d %d\n", resumed(1, 2), resumed(2, 1), resumed(2, 2), n == 10000);
    return 0;
}
