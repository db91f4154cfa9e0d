// SPDX-License-Identifier: MIT
// A lost ring: one definitely lost block stands for it.
// OPTIONS: --leak-check=full
// LINE: definitely lost: 8 bytes in 1 blocks
// LINE: indirectly lost: 8 bytes in 1 blocks
#include <stdlib.h>
static void **volatile a, **volatile b;
int main(void)
{
    // EXPECT: 16 (8 direct, 8 indirect) bytes in 1 blocks are definitely lost in loss record N of N
    a = malloc(8), b = malloc(8);
    *a = b;
    *b = a;
    a = b = 0;
    return 0;
}
