// SPDX-License-Identifier: MIT
// OPTIONS: --leak-check=full --num-callers=4
// Allocations from one place, with the stack pointer the same and only some caller further out
// different: each has its own trace.
// LINE: definitely lost: 60 bytes in 3 blocks
// LINE: indirectly lost: 0 bytes in 0 blocks
#include <stdlib.h>
#include <string.h>
char *volatile sink;
__attribute__((noinline)) static void inner(int n)
{
    sink = malloc((size_t)n); // [here]
    memset(sink, 0, (size_t)n);
    sink = NULL;
}
__attribute__((noinline)) static void middle(int n)
{
    inner(n);
    __asm__ volatile("" ::: "memory");
}
__attribute__((noinline)) static void scrub(void)
{
    volatile char room[4000];
    memset((char *)room, 0, sizeof room);
}
int main(void)
{
    for (int round = 0; round < 1; round++) {
        middle(10); // EXPECT: 10 bytes in 1 blocks are definitely lost in loss record N of N
        middle(20); // EXPECT: 20 bytes in 1 blocks are definitely lost in loss record N of N
        middle(30); // EXPECT: 30 bytes in 1 blocks are definitely lost in loss record N of N
    }
    scrub();
    return 0;
}
