// SPDX-License-Identifier: MIT
// strcat() onto itself.
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *p = calloc(1, 64);
    strcpy(p + 20, "0123456789");
    strcpy(p + 15, "abc");
    // EXPECT: Source and destination overlap in strcat(0xADDR, 0xADDR)
    strcat(p + 15, p + 20);
    free(p);
    return 0;
}
