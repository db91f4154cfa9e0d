// SPDX-License-Identifier: MIT
// strcpy() and strncpy() onto themselves.
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *p = calloc(1, 64);
    strcpy(p, "abcdefghij");
    // EXPECT: Source and destination overlap in strncpy(0xADDR, 0xADDR, 10)
    strncpy(p + 3, p, 10);
    strcpy(p, "abcdefghij");
    // EXPECT: Source and destination overlap in strcpy(0xADDR, 0xADDR)
    strcpy(p, p + 2);
    free(p);
    return 0;
}
