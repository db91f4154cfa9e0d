// SPDX-License-Identifier: MIT
// Reachable blocks are shown on demand and are no errors.
// OPTIONS: --leak-check=full --show-leak-kinds=reachable --error-exitcode=9
// LINE: still reachable: 77 bytes in 1 blocks
// LINE: ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)
#include <stdlib.h>
char *volatile kept;
int main(void)
{
    // EXPECT: 77 bytes in 1 blocks are still reachable in loss record N of N
    kept = malloc(77);
    return 0;
}
