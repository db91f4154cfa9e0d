// SPDX-License-Identifier: MIT
// Results that depend on a defined part of partly undefined vectors are not reported: neighbours,
// lanes of another width, dot products, variable shifts, PEXT.
// CFLAGS: -O2 -mavx2 -mbmi2 -mf16c
// NEEDS: cpu:avx2
// NEEDS: cpu:bmi2
// NEEDS: cpu:f16c
// STDOUT: 14 of 14
// DIFFERS: dot products and PDEP are taken as a whole there
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static volatile int n_done, n_right;

// A condition on x is what memcheck reports if x is undefined.
static __attribute__((noinline)) void is(long x, long want)
{
    n_done++;
    if (x == want)
        n_right++;
}

int main(void)
{
    // The first half is defined.
    double *d = aligned_alloc(64, 64);
    float *f = aligned_alloc(64, 64);
    int32_t *w = aligned_alloc(64, 64);
    int16_t *h = aligned_alloc(64, 64);
    uint64_t *q = aligned_alloc(64, 64);
    d[0] = 1.5, f[0] = 2.5f, f[1] = 1.0f, w[0] = 3, h[0] = 4, h[1] = 5;
    *(uint8_t *)q = 7;
    __m128d vd = _mm_load_pd(d);
    __m128 vf = _mm_load_ps(f);
    __m128i vw = _mm_load_si128((__m128i *)w), vh = _mm_load_si128((__m128i *)h);
    __asm__ volatile("" : "+x"(vd), "+x"(vf), "+x"(vw), "+x"(vh));
    is(_mm_cvtsi128_si32(_mm_cvttpd_epi32(vd)), 1);
    is(_mm_cvtss_f32(_mm_cvtpd_ps(vd)) > 1, 1);
    is(_mm_cvtsd_f64(_mm_cvtepi32_pd(vw)) > 1, 1);
    is(_mm_cvtsd_f64(_mm_cvtps_pd(vf)) > 1, 1);
    is(_mm_cvtsd_f64(_mm256_castpd256_pd128(_mm256_cvtepi32_pd(vw))) > 1, 1);
    is(_mm_cvtsi128_si32(_mm256_cvtpd_epi32(_mm256_castpd128_pd256(vd))), 2);
    is(_mm_extract_epi16(_mm_hadd_epi16(vh, vh), 4), 9);
    is(_mm_cvtss_f32(_mm_hadd_ps(vf, vf)) > 3, 1);
    is(_mm_cvtss_f32(_mm256_castps256_ps128(_mm256_hadd_ps(_mm256_castps128_ps256(vf), _mm256_setzero_ps()))) > 3, 1);
    is(_mm_cvtss_f32(_mm_dp_ps(vf, vf, 0x31)) > 7, 1);
    is(_mm_cvtsi128_si32(_mm_sllv_epi32(vw, _mm_set_epi32(1, 1, 1, 2))), 12);
    is(_mm_cvtss_f32(_mm_cvtph_ps(vh)) < 1, 1);
    is((long)_pext_u64(q[0], 0xff), 7);
    is((long)_pdep_u64(q[0], 0xf), 7);
    printf("%d of %d\n", n_right, n_done);
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    is(_mm_extract_epi32(_mm_cvttpd_epi32(vd), 1), 1);
    free(d), free(f), free(w), free(h), free(q);
    return 0;
}
