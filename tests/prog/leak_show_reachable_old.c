// SPDX-License-Identifier: MIT
// The old name of --show-leak-kinds=all.
// OPTIONS: --leak-check=full --show-reachable=yes
#include <stdlib.h>
char *volatile kept;
int main(void)
{
    // EXPECT: 77 bytes in 1 blocks are still reachable in loss record N of N
    kept = malloc(77);
    return 0;
}
