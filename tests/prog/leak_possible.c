// SPDX-License-Identifier: MIT
// Only an interior pointer is left.
// OPTIONS: --leak-check=full
// LINE: possibly lost: 100 bytes in 1 blocks
#include <stdlib.h>
char *volatile inside;
int main(void)
{
    // EXPECT: 100 bytes in 1 blocks are possibly lost in loss record N of N
    inside = (char *)malloc(100) + 50;
    return 0;
}
