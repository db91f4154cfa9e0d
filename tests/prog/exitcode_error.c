// SPDX-License-Identifier: MIT
// --error-exitcode replaces the status when there were errors.
// OPTIONS: --error-exitcode=42
// EXIT: 42
#include <stdlib.h>
int main(void)
{
    char *p = malloc(1);
    p[1] = 0; // EXPECT: Invalid write of size 1
    free(p);
    return 7;
}
