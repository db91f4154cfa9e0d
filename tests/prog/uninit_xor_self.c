// SPDX-License-Identifier: MIT
// x ^ x and x - x are defined whatever x is.
#include <stdlib.h>
int main(void)
{
    unsigned long *p = malloc(sizeof *p), v = *p;
    volatile int n = 0;
    __asm__("xor %0, %0" : "+r"(v));
    if (v == 0)
        n++;
    v = *p;
    __asm__("sub %0, %0" : "+r"(v));
    if (v == 0)
        n++;
    free(p);
    return n != 2;
}
