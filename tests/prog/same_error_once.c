// SPDX-License-Identifier: MIT
// An error in a loop is shown once and counted.
// LINE: ERROR SUMMARY: 5 errors from 1 contexts (suppressed: 0 from 0)
#include <stdlib.h>
int main(void)
{
    char *p = malloc(3);
    for (int i = 0; i < 5; i++)
        p[3 + i] = 1; // EXPECT: Invalid write of size 1
    free(p);
    return 0;
}
