// SPDX-License-Identifier: MIT
// Nothing of the tool's own is left in the program's environment.
// STDOUT: 0
// ENV: GIMLE_LIB=
#include <stdio.h>
#include <string.h>
extern char **environ;
int main(void)
{
    int n = 0;
    for (char **e = environ; *e; e++)
        if (strncmp(*e, "GIMLE_C", 7) == 0)
            n++;
    printf("%d\n", n);
    return 0;
}
