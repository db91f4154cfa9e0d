// SPDX-License-Identifier: MIT
// What a function that has returned left in the red zone of its caller keeps nothing alive.
#include <stdlib.h>
#include <string.h>
#include "../../include/gimle/memcheck.h"
static void lose(void)
{
    char *volatile p = malloc(40); // EXPECT: 40 bytes in 1 blocks are definitely lost in loss record N of N
    (void)p;
}
int main(void)
{
    char buf[200];
    lose();
    VALGRIND_DO_LEAK_CHECK;
    memset(buf, 0, sizeof buf);
    return 0;
}
