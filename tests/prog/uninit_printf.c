// SPDX-License-Identifier: MIT
// A library function that looks at an undefined value: reported inside it, called from our line.
// OPTIONS: --num-callers=20
// STDOUT: printed
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    int *p = malloc(sizeof *p);
    char buffer[32];
    // EXPECT*: Conditional jump or move depends on uninitialised value(s)
    // EXPECT*: Use of uninitialised value of size 8
    snprintf(buffer, sizeof buffer, "%d", *p);
    free(p);
    puts("printed");
    return 0;
}
