// SPDX-License-Identifier: MIT
// Without --leak-check=full only the sums are shown, with the hint how to see more.
// LINE: definitely lost: 30 bytes in 1 blocks
// LINE: Rerun with --leak-check=full to see details of leaked memory
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <stdlib.h>
char *volatile p;
int main(void)
{
    p = malloc(30);
    p = 0;
    return 0;
}
