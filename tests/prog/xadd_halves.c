// SPDX-License-Identifier: MIT
// An instruction that writes two parts of one register: each has the V bits of its own.
// DIFFERS: Valgrind is more precise here
#include <stdlib.h>
int main(void)
{
    unsigned *p = malloc(4), v = 0x0102, low;
    volatile int n = 0;
    ((unsigned char *)p)[1] = 1;
    // ch is defined, cl is not, so the sum in ch is not either; what cl gets is, though we doubt it.
    __asm__("mov (%2), %%ecx; xadd %%cl, %%ch; movzbl %%cl, %0; movzbl %%ch, %1"
            : "=&a"(low), "=&d"(v) : "b"(p) : "ecx", "cc");
    if (low == 1) // EXPECT?: Conditional jump or move depends on uninitialised value(s)
        n++;
    if (v == 3) // EXPECT: Conditional jump or move depends on uninitialised value(s)
        n++;
    free(p);
    return 0;
}
