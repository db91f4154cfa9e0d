// SPDX-License-Identifier: MIT
// --leak-resolution=low puts together what was allocated by different ways: the first of them is shown.
// OPTIONS: --leak-check=full --leak-resolution=low
#include <stdlib.h>
static void *volatile last;
static void get(void) { last = malloc(10); }
static void by_one(void) { get(); }
static void by_two(void) { get(); }
int main(void)
{
    // EXPECT: 30 bytes in 3 blocks are definitely lost in loss record N of N
    by_one();
    by_two();
    by_two();
    last = NULL;
    return 0;
}
