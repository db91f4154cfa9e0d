// SPDX-License-Identifier: MIT
// --errors-for-leak-kinds says which leaks are errors.
// OPTIONS: --leak-check=full --errors-for-leak-kinds=none --error-exitcode=9
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <stdlib.h>
char *volatile p;
int main(void)
{
    // EXPECT: 30 bytes in 1 blocks are definitely lost in loss record N of N
    p = malloc(30);
    p = 0;
    return 0;
}
