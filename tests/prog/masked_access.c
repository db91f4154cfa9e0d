// SPDX-License-Identifier: MIT
// Masked loads and stores and gathers: only the lanes that are accessed are checked, and each has
// its own definedness.
// CFLAGS: -O1
// NEEDS: cpu:avx2
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define AVX2 __attribute__((target("avx2"), noinline))

static volatile int sink;

AVX2 static void test_if_defined(const char *what, int v)
{
    printf("%s\n", what);
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    if (v)
        sink = 1;
}

AVX2 static __m256i first(unsigned n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

AVX2 static void masked_load(const int *p)
{
    __m256i v = _mm256_maskload_epi32(p, first(3)); /* 3 of 8 are there */
    test_if_defined("selected, defined", _mm256_extract_epi32(v, 0));
    test_if_defined("not selected", _mm256_extract_epi32(v, 7));
    test_if_defined("selected, undefined", _mm256_extract_epi32(v, 2));
}

AVX2 static void masked_beyond(const int *p)
{
    // EXPECT: Invalid read of size 4
    __m256i v = _mm256_maskload_epi32(p, first(4));
    sink = _mm256_extract_epi32(v, 0);
}

AVX2 static void masked_store(int *p)
{
    _mm256_maskstore_epi32(p, first(3), _mm256_set1_epi32(0));
    test_if_defined("stored", p[2]);
}

AVX2 static void store_beyond(int *p)
{
    // EXPECT: Invalid write of size 4
    _mm256_maskstore_epi32(p, first(4), _mm256_set1_epi32(0));
}

AVX2 static void gather(const int *p)
{
    __m256i index = _mm256_setr_epi32(0, 2, 1, 100000, 0, 0, 0, 0);
    __m256i v = _mm256_mask_i32gather_epi32(_mm256_set1_epi32(7), p, index, first(3), 4);
    test_if_defined("gathered", _mm256_extract_epi32(v, 1));
    test_if_defined("kept", _mm256_extract_epi32(v, 3));
    index = _mm256_setr_epi32(0, 3, 0, 0, 0, 0, 0, 0);
    // EXPECT: Invalid read of size 4
    v = _mm256_i32gather_epi32(p, index, 4);
    sink = _mm256_extract_epi32(v, 0);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    int *p = malloc(3 * sizeof *p);
    p[0] = p[1] = 0;
    masked_load(p);
    masked_beyond(p);
    masked_store(p);
    store_beyond(p);
    gather(p);
    free(p);
    return 0;
}
