/* SPDX-License-Identifier: MIT */
/*
 * A client program that uses AVX-512 as programs do: glibc's string functions, state in signal
 * frames (seen and changed by the handler), XSAVE, masked accesses of which some lanes lie on
 * unmapped pages, gathers and scatters, calls between vector code.  Prints one line per thing.
 */
#include <immintrin.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cpuid.h>

#include "gimle/valgrind/memcheck.h"

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,xsave,xsavec"), noinline))

static int n_tests, n_failed;

static void check(const char *what, int ok)
{
    printf("%sok %d - %s\n", ok ? "" : "not ", ++n_tests, what);
    n_failed += !ok;
}

/* ---- strings ---- */

static void test_strings(char *end)
{
    int bad = 0;
    char *other = malloc(600);
    for (size_t n = 0; n < 300; n++) {
        char *s = end - n - 1; /* ends at an unmapped page */
        memset(s, 'a', n);
        s[n] = 0;
        memcpy(other, s, n + 1);
        bad += strlen(s) != n || strcmp(s, other) != 0 || memcmp(s, other, n + 1) != 0;
        bad += strchr(s, 'b') != NULL || strrchr(s, 0) != s + n || memchr(s, 0, n + 1) != s + n;
        bad += strnlen(s, n + 100) != n || (n && strncmp(s, other, n) != 0);
        memmove(other + 3, other, n + 1);
        bad += strcmp(other + 3, s) != 0;
        if (n) {
            other[2 + n] = 'c';
            bad += strcmp(other + 3, s) <= 0 || strchr(other + 3, 'c') != other + 2 + n;
        }
        bad += strcspn(s, "xyz") != n || strspn(s, "a") != n;
    }
    free(other);
    check("string functions at the end of a page", bad == 0);
}

/* ---- masks and unmapped pages ---- */

WIDE static void test_masked(char *end)
{
    int bad = 0;
    for (unsigned n = 0; n <= 16; n++) {
        int32_t *p = (int32_t *)end - n;
        for (unsigned i = 0; i < n; i++)
            p[i] = (int32_t)(i + 1);
        __mmask16 m = (__mmask16)((1u << n) - 1);
        bad += _mm512_reduce_add_epi32(_mm512_maskz_loadu_epi32(m, p)) != (int)(n * (n + 1) / 2);
        _mm512_mask_storeu_epi32(p, m, _mm512_set1_epi32(7));
        for (unsigned i = 0; i < n; i++)
            bad += p[i] != 7;
        __m512i index = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        __m512i g = _mm512_mask_i32gather_epi32(_mm512_set1_epi32(1), m, index, p, 4);
        bad += _mm512_reduce_add_epi32(g) != (int)(7 * n + 16 - n);
        _mm512_mask_i32scatter_epi32(p, m, index, index, 4);
        for (unsigned i = 0; i < n; i++)
            bad += p[i] != (int)i;
        _mm512_mask_compressstoreu_epi32(p, (__mmask16)(m << (16 - n)), index);
        for (unsigned i = 0; i < n; i++)
            bad += p[i] != (int)(16 - n + i);
        g = _mm512_maskz_expandloadu_epi32((__mmask16)(m << (16 - n)), p);
        bad += n && _mm512_reduce_max_epi32(g) != 15;
        __m256i low = _mm256_maskload_epi32(p - 8 + n, _mm256_set1_epi32(n < 8 ? 0 : -1));
        bad += n >= 8 && _mm256_extract_epi32(low, 7) != p[n - 1];
    }
    check("masked lanes on an unmapped page", bad == 0);
}

/* ---- signals ---- */

static volatile int in_handler;
static unsigned k_at, high_at;

static void on_signal(int sig, siginfo_t *info, void *ctx)
{
    (void)sig, (void)info;
    uint8_t *fp = (uint8_t *)((ucontext_t *)ctx)->uc_mcontext.fpregs;
    uint64_t features, k3;
    memcpy(&features, fp + 512, 8);
    memcpy(&k3, fp + k_at + 24, 8);
    in_handler = (features & 0xe0) == 0xe0 && k3 == 0x123456789abcdef0 &&
                 fp[high_at + 64 * 4 + 63] == 0x5a;
    k3 = ~k3;
    memcpy(fp + k_at + 24, &k3, 8);
    fp[high_at + 64 * 4 + 63] = 0x77;
    __asm__ volatile("vpxord %%zmm20, %%zmm20, %%zmm20; kxorq %%k3, %%k3, %%k3" ::
                     : "memory"); /* clobbers that the return undoes */
}

WIDE static void test_signal(void)
{
    unsigned a, b, c, d;
    __cpuid_count(0xd, 5, a, k_at, c, d);
    __cpuid_count(0xd, 7, a, high_at, c, d);
    (void)a, (void)b, (void)c, (void)d;
    struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
    sigaction(SIGUSR1, &sa, NULL);
    uint64_t k = 0x123456789abcdef0, k_after;
    uint8_t v[64], v_after[64], v8[64];
    memset(v, 0x5a, 64);
    register long nr __asm__("rax") = 39; /* getpid, then kill */
    __asm__ volatile("vmovdqu64 %[v], %%zmm20\n\tvmovdqu64 %[v], %%zmm8\n\tkmovq %[k], %%k3\n\t"
                     "syscall\n\tmov %%eax, %%edi\n\tmov $10, %%esi\n\tmov $62, %%eax\n\tsyscall\n\t"
                     "vmovdqu64 %%zmm20, %[va]\n\tvmovdqu64 %%zmm8, %[v8]\n\tkmovq %%k3, %[ka]"
                     : [va] "=m"(v_after), [v8] "=m"(v8), [ka] "=m"(k_after), "+r"(nr)
                     : [v] "m"(v), [k] "m"(k)
                     : "rcx", "r11", "rdi", "rsi", "memory", "xmm8", "xmm20", "k3");
    check("state in a signal frame", in_handler);
    check("a handler's changes to the frame",
          k_after == ~k && v_after[63] == 0x77 && v_after[62] == 0x5a);
    check("registers over a signal", memcmp(v8, v, 64) == 0);
}

/* ---- XSAVE ---- */

WIDE static void test_xsave(void)
{
    static uint8_t area[8192] __attribute__((aligned(64)));
    uint8_t v[64], after[64];
    uint64_t k = 0xfedcba9876543210, k_after;
    for (unsigned i = 0; i < 64; i++)
        v[i] = (uint8_t)(i * 5 + 1);
    for (int compact = 0; compact < 2; compact++) {
        memset(area, 0, sizeof area);
        __asm__ volatile("vmovdqu64 %[v], %%zmm25\n\tkmovq %[k], %%k5" ::[v] "m"(v), [k] "m"(k)
                         : "xmm25", "k5");
        if (compact)
            _xsavec(area, ~0ull);
        else
            _xsave(area, ~0ull);
        __asm__ volatile("vpxord %%zmm25, %%zmm25, %%zmm25\n\tkxorq %%k5, %%k5, %%k5" ::
                         : "xmm25", "k5");
        _xrstor(area, ~0ull);
        __asm__ volatile("vmovdqu64 %%zmm25, %[v]\n\tkmovq %%k5, %[k]"
                         : [v] "=m"(after), [k] "=m"(k_after));
        check(compact ? "XSAVEC and XRSTOR" : "XSAVE and XRSTOR",
              memcmp(v, after, 64) == 0 && k_after == k);
    }
}

/* ---- arithmetic ---- */

WIDE static void test_arithmetic(void)
{
    __m512d one = _mm512_set1_pd(1.0), three = _mm512_set1_pd(3.0);
    __m512d up = _mm512_div_round_pd(one, three, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
    __m512d down = _mm512_div_round_pd(one, three, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    check("rounding in the instruction", _mm512_cmp_pd_mask(up, down, _CMP_GT_OQ) == 0xff);
    static const double scalar = 2.5;
    __m512d sum = _mm512_add_pd(one, _mm512_set1_pd(scalar));
    check("broadcast", _mm512_reduce_add_pd(sum) == 28.0);
    __m512i x = _mm512_setr_epi64(8, 7, 6, 5, 4, 3, 2, 1);
    __m512i y = _mm512_maskz_compress_epi64(0xaa, x);
    check("compress", _mm512_reduce_add_epi64(y) == 16);
}

/* ---- definedness, under memcheck ---- */

WIDE static uint32_t undefined_bits(uint32_t v)
{
    uint32_t bits = 0;
    (void)VALGRIND_GET_VBITS(&v, &bits, sizeof v);
    return bits;
}

/** Length of a string whose bytes behind the end are undefined, as glibc finds it. */
WIDE static size_t vector_strlen(const char *s)
{
    const __m256i zero = _mm256_setzero_si256();
    for (size_t n = 0;; n += 64) {
        __m256i a = _mm256_loadu_si256((const void *)(s + n));
        __m256i b = _mm256_loadu_si256((const void *)(s + n + 32));
        __mmask32 any = _mm256_testn_epi8_mask(_mm256_min_epu8(a, b), _mm256_min_epu8(a, b));
        if (_kortestz_mask32_u8(any, any))
            continue;
        uint64_t both = _mm256_cmpeq_epi8_mask(a, zero) |
                        (uint64_t)_mm256_cmpeq_epi8_mask(b, zero) << 32;
        return n + (size_t)__builtin_ctzll(both);
    }
}

WIDE static void test_definedness(void)
{
    char *s = malloc(256);
    memset(s, 'a', 100);
    s[100] = 0;
    unsigned before = VALGRIND_COUNT_ERRORS;
    check("the end of a string", vector_strlen(s) == 100 && VALGRIND_COUNT_ERRORS == before);
    __m512i x = _mm512_loadu_si512(s + 64);
    uint32_t low = (uint32_t)_mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('a'));
    uint32_t high = (uint32_t)(_mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('a')) >> 32);
    check("lanes of a comparison", undefined_bits(low) == 0 && undefined_bits(high) == 0xffffffe0);
    uint32_t chosen = (uint32_t)_mm512_mask_cmpeq_epi8_mask(0xffff, x, x) |
                      (uint32_t)_mm512_mask_cmplt_epu8_mask(0x30000000000000ff, x,
                                                            _mm512_set1_epi8('b'));
    check("lanes that a mask leaves out", undefined_bits(chosen) == 0);
    __mmask64 k = _mm512_cmpeq_epi8_mask(x, _mm512_setzero_si512());
    uint32_t logic = (uint32_t)_cvtmask64_u64(_kshiftri_mask64(_kor_mask64(k, _kxnor_mask64(k, k)), 8));
    check("operations on masks", undefined_bits(logic) == 0 &&
          undefined_bits((uint32_t)_cvtmask64_u64(_kshiftri_mask64(_knot_mask64(k), 32))) == 0xffffffe0);
    __m512i v = _mm512_ternarylogic_epi64(x, x, x, 0xff);
    check("constants", undefined_bits((uint32_t)_mm512_reduce_add_epi32(v)) == 0);
    free(s);
}

/** Lanes of accesses: what is not selected is not checked, and each lane has its own V bits. */
WIDE static void test_lanes(void)
{
    int32_t *p = malloc(12), *q = malloc(64);
    p[0] = p[1] = 0;
    unsigned before = VALGRIND_COUNT_ERRORS;
    __m512i x = _mm512_maskz_loadu_epi32(7, p), five = _mm512_set1_epi32(5);
    check("masked load", VALGRIND_COUNT_ERRORS == before &&
          undefined_bits((uint32_t)_mm_extract_epi32(_mm512_castsi512_si128(x), 1)) == 0 &&
          undefined_bits((uint32_t)_mm_extract_epi32(_mm512_castsi512_si128(x), 2)) == ~0u &&
          undefined_bits((uint32_t)_mm_extract_epi32(_mm512_castsi512_si128(x), 3)) == 0);
    __m128i y = _mm512_castsi512_si128(_mm512_mask_expandloadu_epi32(five, 0xe, p));
    check("expanding load", VALGRIND_COUNT_ERRORS == before &&
          undefined_bits((uint32_t)_mm_extract_epi32(y, 2)) == 0 &&
          undefined_bits((uint32_t)_mm_extract_epi32(y, 3)) == ~0u);
    _mm512_mask_compressstoreu_epi32(q, 0xc, x);
    check("compressing store", undefined_bits((uint32_t)q[0]) == ~0u &&
          undefined_bits((uint32_t)q[1]) == 0 && undefined_bits((uint32_t)q[2]) == ~0u);
    _mm512_mask_storeu_epi32(p, 4, five);
    check("masked store", VALGRIND_COUNT_ERRORS == before && undefined_bits((uint32_t)p[2]) == 0);
    __m512i index = _mm512_setr_epi32(0, 2, 1, 9999, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    _mm512_mask_i32scatter_epi32(p, 6, index, x, 4);
    check("scatter", VALGRIND_COUNT_ERRORS == before && undefined_bits((uint32_t)p[1]) == ~0u &&
          undefined_bits((uint32_t)p[2]) == 0);
    x = _mm512_mask_i32gather_epi32(five, 7, index, p, 4);
    y = _mm512_castsi512_si128(x);
    check("gather", VALGRIND_COUNT_ERRORS == before &&
          undefined_bits((uint32_t)_mm_extract_epi32(y, 1)) == 0 &&
          undefined_bits((uint32_t)_mm_extract_epi32(y, 2)) == ~0u &&
          undefined_bits((uint32_t)_mm_extract_epi32(y, 3)) == 0);
    _mm512_mask_cvtepi32_storeu_epi8(q, 3, five);
    check("narrowing store", undefined_bits((uint32_t)q[0]) == 0xffff0000);
    free(p);
    free(q);
}

int main(void)
{
    long page = sysconf(_SC_PAGESIZE);
    char *two = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (two == MAP_FAILED || munmap(two + page, (size_t)page) != 0)
        return 1;
    test_strings(two + page);
    if (!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl") ||
        !__builtin_cpu_supports("avx512dq")) {
        printf("1..%d # SKIP the rest: no AVX-512\n", n_tests);
        return n_failed != 0;
    }
    test_masked(two + page);
    test_signal();
    test_xsave();
    test_arithmetic();
    uint32_t bits;
    if (VALGRIND_GET_VBITS(&n_tests, &bits, 4) == 1)
        test_definedness(), test_lanes();
    printf("1..%d\n", n_tests);
    return n_failed != 0;
}
