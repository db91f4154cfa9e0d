// SPDX-License-Identifier: MIT
// Lanes of vectors are defined one by one.
// CFLAGS: -O1 -mavx2
// NEEDS: cpu:avx2
#include <immintrin.h>
#include <stdlib.h>
int main(void)
{
    int *p = malloc(32), out[8];
    volatile int n = 0;
    for (int i = 0; i < 4; i++)
        p[i] = i;
    __m256i v = _mm256_loadu_si256((__m256i *)p);
    v = _mm256_add_epi32(v, _mm256_set1_epi32(3));
    _mm256_storeu_si256((__m256i *)out, v);
    __asm__ volatile("" : : "r"(out) : "memory");
    if (out[2] == 5)
        n++;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (out[5] == 5)
        n++;
    free(p);
    return n < 1;
}
