// SPDX-License-Identifier: MIT
// -q shows nothing but errors.
// OPTIONS: -q
// NOLINE: HEAP SUMMARY
// NOLINE: ERROR SUMMARY
// NOLINE: Command:
#include <stdlib.h>
int main(void)
{
    char *p = malloc(3);
    p[3] = 1; // EXPECT: Invalid write of size 1
    free(p);
    return 0;
}
