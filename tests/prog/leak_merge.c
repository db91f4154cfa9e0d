// SPDX-License-Identifier: MIT
// Leaks with the same stack are one record; different callers make two.
// OPTIONS: --leak-check=full
// LINE: ERROR SUMMARY: 2 errors from 2 contexts
#include <stdlib.h>
char *volatile p;
static void lose(void)
{
    p = malloc(16);
    p = 0;
}
int main(void)
{
    for (int i = 0; i < 3; i++)
        lose(); // EXPECT: 48 bytes in 3 blocks are definitely lost in loss record N of N
    lose(); // EXPECT: 16 bytes in 1 blocks are definitely lost in loss record N of N
    return 0;
}
