// SPDX-License-Identifier: MIT
// Pointers on the stack of main, which has not returned at exit(), keep blocks reachable.
// OPTIONS: --leak-check=full --show-leak-kinds=all
// LINE: definitely lost: 0 bytes in 0 blocks
#include <stdlib.h>
int main(void)
{
    // EXPECT: 64 bytes in 1 blocks are still reachable in loss record N of N
    char *volatile p = malloc(64);
    p[0] = 1;
    exit(0);
}
