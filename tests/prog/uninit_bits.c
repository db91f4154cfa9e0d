// SPDX-License-Identifier: MIT
// Definedness is per bit: masking the undefined bits away leaves a defined value.
#include <stdlib.h>
int main(void)
{
    unsigned *p = malloc(sizeof *p);
    unsigned v = (*p << 8) | 0x12;
    int n = 0;
    if ((v & 0xff) == 0x12)
        n++;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (v & 0x100)
        n++;
    free(p);
    return 0;
}
