// SPDX-License-Identifier: MIT
// Definite leaks count as errors when they are looked for.
// OPTIONS: --error-exitcode=42 --leak-check=full
// EXIT: 42
#include <stdlib.h>
char *volatile p;
int main(void)
{
    p = malloc(1); // EXPECT: 1 bytes in 1 blocks are definitely lost in loss record N of N
    p = 0;
    return 7;
}
