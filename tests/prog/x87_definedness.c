// SPDX-License-Identifier: MIT
// V bits go through x87 and MMX registers: moves keep them, other formats and arithmetic take one
// undefined bit for all, and what depends on them is reported when it decides something.
// CFLAGS: -O1 -msse4.2
// DIFFERS: MASKMOVQ is taken as a store of eight bytes
// STDOUT: 38 of 38 as expected
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The client request sequence; the number as in valgrind/memcheck.h.
enum { GET_VBITS = 0x4d430008 };
static void get_vbits(const void *a, void *v, uint64_t len)
{
    volatile uint64_t args[6] = { GET_VBITS, (uint64_t)a, (uint64_t)v, len, 0, 0 };
    uint64_t result = 0;
    __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi;"
                     "xchgq %%rbx, %%rbx"
                     : "+d"(result) : "a"(args) : "cc", "memory");
}

static unsigned n_done, n_right;

// The V bits of `size` bytes at `a`, highest byte first, are `want`.
static void expect(const char *what, const void *a, unsigned size, const char *want)
{
    uint8_t v[16];
    char text[40] = "";
    get_vbits(a, v, size);
    for (unsigned i = 0; i < size; i++)
        sprintf(text + 2 * i, "%02x", v[size - 1 - i]);
    n_done++;
    if (strcmp(text, want) == 0)
        n_right++;
    else
        printf("%s: %s instead of %s\n", what, text, want);
}

#define NONE "0000000000000000"
#define ALL "ffffffffffffffff"
#define PART "ffffffffffffff00"

static double *d; // [0] undefined but for its first byte, [1] defined
static long double *l;
static float *f;
static uint64_t *q;

#define X87(insn, out, in, want)                                       \
    do {                                                               \
        memset(&(out), 0, sizeof(out));                                \
        __asm__ volatile(insn : "=m"(out) : "m"(in) : "memory");       \
        expect(insn, &(out), sizeof(out), want);                       \
    } while (0)

static void x87(void)
{
    double od;
    float of;
    int oi;
    int64_t oq;
    struct { uint8_t b[10]; } ol, *in_l = (void *)&l[0];
    X87("fldl %1; fstpl %0", od, d[0], PART);
    X87("fldl %1; fstps %0", of, d[0], "ffffffff");
    X87("fldl %1; fstpt %0", ol, d[0], "ffffffffffffffffffff");
    X87("flds %1; fstps %0", of, f[0], "ffffffff");
    X87("flds %1; fstps %0", of, f[1], "00000000");
    X87("fldt %1; fstpt %0", ol, *in_l, "ffffffffffffffffffff");
    X87("fldt %1; fstpl %0", od, *in_l, ALL);
    X87("fldl %1; fistpl %0", oi, d[0], "ffffffff");
    X87("fldl %1; fistpll %0", oq, d[1], NONE);
    X87("fld1; fldl %1; faddp; fstpl %0", od, d[0], ALL);
    X87("fld1; fldl %1; fxch; fstpl %0; fstp %%st(0)", od, d[0], NONE);
    X87("fldl %1; fld1; fxch; fstpl %0; fstp %%st(0)", od, d[0], PART);
    X87("fldl %1; fld1; fstpl %0; fstp %%st(0)", od, d[0], NONE);
    X87("fldl %1; fld %%st(0); fstp %%st(1); fstpl %0", od, d[0], PART);
    X87("fldl %1; fsqrt; fstpl %0", od, d[0], ALL);
    X87("fld1; fldl %1; xorl %%eax, %%eax; fcmovne %%st(1), %%st; fstpl %0; fstp %%st(0)", od, d[0], PART);
    X87("fld1; fldl %1; xorl %%eax, %%eax; fcmove %%st(1), %%st; fstpl %0; fstp %%st(0)", od, d[0], NONE);
}

#define MMX2(insn, want)                                                                   \
    do {                                                                                   \
        uint64_t o;                                                                        \
        __asm__ volatile("movq %1, %%mm0; movq %2, %%mm1; " insn " %%mm1, %%mm0; movq %%mm0, %0; emms" \
                         : "=m"(o) : "m"(q[0]), "m"(q[1]) : "memory");                     \
        expect(insn, &o, sizeof o, want);                                                  \
    } while (0)
#define MMX1(insn, want)                                                                   \
    do {                                                                                   \
        uint64_t o;                                                                        \
        __asm__ volatile("movq %1, %%mm0;" insn "; movq %%mm0, %0; emms"                    \
                         : "=m"(o) : "m"(q[0]) : "memory", "eax", "xmm0");                  \
        expect(insn, &o, sizeof o, want);                                                  \
    } while (0)

static void mmx(void)
{
    MMX2("pand", "00ff00ff00ff0000"); // the other has 00ff00ff00ff00ff
    MMX2("por", "ff00ff00ff00ff00");
    MMX2("pxor", PART);
    MMX2("paddb", PART);
    MMX2("pcmpeqb", PART);
    MMX2("punpcklbw", "00ff00ff00ff0000");
    MMX2("punpckhwd", "0000ffff0000ffff");
    MMX2("packsswb", "00000000ffffffff");
    MMX2("pmaddwd", ALL);
    MMX2("psllw", NONE); // all is shifted out
    MMX2("pandn", "00ff00ff00ff0000");
    MMX2("pmullw", ALL);
    MMX1("psllw $3, %%mm0", "fff8fff8fff8f800");
    MMX1("psrlq $8, %%mm0", "00ffffffffffffff");
    MMX1("pshufw $0x1b, %%mm0, %%mm0", "ff00ffffffffffff");
    MMX1("pxor %%mm0, %%mm0", NONE);
    MMX1("movq %%mm0, %%mm5; pxor %%mm0, %%mm0; movq %%mm5, %%mm0", PART);
    MMX1("movd %%mm0, %%eax; movd %%eax, %%mm0", "00000000ffffff00");
    MMX1("movq2dq %%mm0, %%xmm0; movdq2q %%xmm0, %%mm0", PART);
    MMX1("pmovmskb %%mm0, %%eax; movd %%eax, %%mm0", "00000000000000fe");
    MMX1("movq %%mm0, %%mm7; pxor %%mm0, %%mm0; movq %%mm7, %%mm1", NONE);
}

int main(void)
{
    int r = 0;
    d = malloc(2 * sizeof *d);
    l = malloc(2 * sizeof *l);
    f = malloc(2 * sizeof *f);
    q = malloc(3 * sizeof *q);
    *(uint8_t *)&d[0] = 1, d[1] = 1.0;
    l[1] = 3.0L;
    f[1] = 2.0f;
    *(uint8_t *)&q[0] = 1, q[1] = 0x00ff00ff00ff00ff;
    x87();
    mmx();
    __asm__ volatile("fldl %1; fldl %2; fucomip %%st(1), %%st; fstp %%st(0); ja 1f; incl %0; 1:" // EXPECT: Conditional jump or move depends on uninitialised value(s)
                     : "+m"(r) : "m"(d[0]), "m"(d[1]) : "cc");
    if (l[0] > l[1]) // EXPECT: Conditional jump or move depends on uninitialised value(s)
        r++;
    __asm__ volatile("fldl %1; fcompl %2; fnstsw %%ax; sahf; ja 1f; incl %0; 1:" // EXPECT: Conditional jump or move depends on uninitialised value(s)
                     : "+m"(r) : "m"(d[0]), "m"(d[1]) : "ax", "cc");
    __asm__ volatile("movq %1, %%mm0; movd %%mm0, %%eax; emms; testl %%eax, %%eax; je 1f; incl %0; 1:" // EXPECT: Conditional jump or move depends on uninitialised value(s)
                     : "+m"(r) : "m"(q[2]) : "eax", "cc");
    // A selected byte of MASKMOVQ is written, and so defined; another stays as it was.
    uint8_t *bytes = malloc(8);
    static const uint64_t some = 0x8000000000000080;
    __asm__ volatile("movq %1, %%mm0; movq %1, %%mm1; maskmovq %%mm1, %%mm0; emms"
                     : : "D"(bytes), "m"(some) : "memory");
    r += bytes[0] == 0x80 && bytes[7] == 0x80;
    if (bytes[1]) // EXPECT: Conditional jump or move depends on uninitialised value(s)
        r++;
    __asm__ volatile("movq %1, %%mm0; movq %1, %%mm1; maskmovq %%mm1, %%mm0; emms" // EXPECT: Invalid write of size 1
                     : : "D"(bytes + 1), "m"(some) : "memory");
    printf("%u of %u as expected\n", n_right, n_done);
    free(bytes), free(d), free(l), free(f), free(q);
    return 0;
}
