// SPDX-License-Identifier: MIT
// movemask and compare of 16 bytes of which 10 are defined: the mask's low bits are defined.
// CFLAGS: -O1
#include <emmintrin.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *p = malloc(16);
    volatile int n = 0;
    memset(p, 'a', 10);
    int mask = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((__m128i *)p), _mm_set1_epi8('a')));
    if ((mask & 0x3ff) == 0x3ff)
        n++;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (mask & 0x800)
        n++;
    free(p);
    return n < 1;
}
