// SPDX-License-Identifier: MIT
// The tool none says nothing about errors.
// TOOL: none
// NOLINE: Invalid
// NOLINE: ERROR SUMMARY
#include <stdlib.h>
int main(void)
{
    char *p = malloc(3);
    p[3] = 1;
    free(p);
    return 0;
}
