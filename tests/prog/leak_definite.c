// SPDX-License-Identifier: MIT
// A block that nothing points to.
// OPTIONS: --leak-check=full
// LINE: definitely lost: 30 bytes in 1 blocks
// LINE: indirectly lost: 0 bytes in 0 blocks
// LINE: still reachable: 0 bytes in 0 blocks
// LINE: in use at exit: 30 bytes in 1 blocks
// LINE: total heap usage: 2 allocs, 1 frees, 40 bytes allocated
// LINE: ERROR SUMMARY: 1 errors from 1 contexts (suppressed: 0 from 0)
#include <stdlib.h>
static void lose(void)
{
    // EXPECT: 30 bytes in 1 blocks are definitely lost in loss record N of N
    char *volatile p = malloc(30);
    p = 0;
}
int main(void)
{
    lose();
    free(malloc(10));
    return 0;
}
