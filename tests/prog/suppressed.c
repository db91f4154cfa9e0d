// SPDX-License-Identifier: MIT
// A suppression file hides an error and -v counts it.
// DIFFERS: what -v says is of the program at work
// OPTIONS: --suppressions=@src@/suppressed.supp -v
// LINE: ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 1 from 1)
// LINE: used_suppression:      1 a-write-in-damage
#include <stdlib.h>
static void damage(char *p)
{
    p[3] = 1;
}
int main(void)
{
    char *p = malloc(3);
    damage(p);
    free(p);
    return 0;
}
