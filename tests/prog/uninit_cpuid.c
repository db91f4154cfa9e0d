// SPDX-License-Identifier: MIT
// CPUID looks at ECX only for leaves that have subleaves; programs leave it undefined for others.
// DIFFERS: reports the undefined ECX for each leaf, or for none
#include <stdlib.h>
static unsigned id(unsigned leaf, unsigned ecx)
{
    __asm__ volatile("cpuid" : "+a"(leaf), "+c"(ecx) : : "rbx", "rdx");
    return leaf;
}
int main(void)
{
    unsigned *p = malloc(sizeof *p);
    int n = 0;
    if (id(0, *p) == 0)
        n++;
    if (id(1, *p) == 0)
        n++;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (id(7, *p) == 99)
        n++;
    free(p);
    return n;
}
