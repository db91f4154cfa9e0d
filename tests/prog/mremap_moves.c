// SPDX-License-Identifier: MIT
// Definedness moves with the pages.
#define _GNU_SOURCE
#include <sys/mman.h>
int main(void)
{
    unsigned char *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char undefined;
    p[0] = 5;
    p[1] = undefined;
    p = mremap(p, 4096, 1 << 20, MREMAP_MAYMOVE);
    if (p == MAP_FAILED || p[0] != 5 || p[5000] != 0)
        return 1;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (p[1] == 7)
        p[2] = 1;
    return 0;
}
