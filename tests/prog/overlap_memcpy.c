// SPDX-License-Identifier: MIT
// memcpy() with overlapping blocks.
// DIFFERS: 3.19 takes memcpy for memmove where glibc has one function for both
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *p = calloc(1, 64);
    // EXPECT: Source and destination overlap in memcpy(0xADDR, 0xADDR, 20)
    memcpy(p + 4, p, 20);
    memmove(p + 4, p, 20);
    free(p);
    return 0;
}
