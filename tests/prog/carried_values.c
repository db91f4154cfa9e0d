// SPDX-License-Identifier: MIT
// V bits go unchanged with values that are only moved, whatever the moves and the blocks they are in;
// what is used after moves is reported where it is used.
// CFLAGS: -O1
// NEEDS: cpu:avx2
// STDOUT: done
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The client request sequence; numbers as in valgrind/memcheck.h.
static uint64_t request(uint64_t n, const void *a, const void *b, uint64_t len)
{
    volatile uint64_t args[6] = { n, (uint64_t)a, (uint64_t)b, len, 0, 0 };
    uint64_t result = 0;
    __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi;"
                     "xchgq %%rbx, %%rbx"
                     : "+d"(result) : "a"(args) : "cc", "memory");
    return result;
}
enum { MAKE_DEFINED = 0x4d430002, GET_VBITS = 0x4d430008, SET_VBITS, SIZE = 64 };

static unsigned char from[SIZE] __attribute__((aligned(64))), to[SIZE] __attribute__((aligned(64)));
uint64_t one = 1;

#define CLOBBERS "rax", "rcx", "rdx", "r8", "r9", "r10", "xmm0", "xmm1", "xmm2", "cc", "memory"
#define MOVES(name, text)                                                                  \
    static void name(void)                                                                 \
    {                                                                                      \
        __asm__ volatile("sub $128, %%rsp;" text "; add $128, %%rsp"                         \
                         : : "S"(from), "D"(to) : CLOBBERS);                               \
    }
#define NEXT_BLOCK "; jmp 7f; 7: "
MOVES(words, "mov (%%rsi), %%rax; mov %%rax, (%%rdi)")
MOVES(through_registers, "mov (%%rsi), %%rax; mov %%rax, %%r9; mov %%r9, %%rcx; mov %%rcx, (%%rdi)")
MOVES(across_blocks, "mov (%%rsi), %%rax" NEXT_BLOCK "mov %%rax, %%r10" NEXT_BLOCK "mov %%r10, (%%rdi)")
MOVES(by_stack, "mov (%%rsi), %%rax; push %%rax; xor %%eax, %%eax; pop %%rdx; mov %%rdx, (%%rdi)")
MOVES(by_stack_and_block, "mov (%%rsi), %%rax; push %%rax" NEXT_BLOCK "pop %%r8; mov %%r8, (%%rdi)")
MOVES(half, "mov (%%rsi), %%eax; mov %%rax, (%%rdi)")
MOVES(half_register, "mov (%%rsi), %%rax; mov %%eax, %%ecx; mov %%rcx, (%%rdi)")
MOVES(low_parts, "mov (%%rsi), %%rax; mov %%al, (%%rdi); mov 2(%%rsi), %%rcx; mov %%cx, 4(%%rdi)")
MOVES(overwritten, "mov (%%rsi), %%rax; mov %%rax, %%rcx; mov one(%%rip), %%rax;"
                   "mov %%rax, (%%rdi); mov %%rcx, 8(%%rdi)")
MOVES(own_address, "mov %%rsi, %%rax; mov (%%rax), %%rax; mov %%rax, (%%rdi)")
MOVES(xmm, "movdqu (%%rsi), %%xmm0; movdqu %%xmm0, (%%rdi)")
MOVES(xmm_registers, "movups 8(%%rsi), %%xmm0; movaps %%xmm0, %%xmm1" NEXT_BLOCK "movups %%xmm1, (%%rdi)")
MOVES(scalars, "movq (%%rsi), %%xmm0; movd 8(%%rsi), %%xmm1; movdqu %%xmm0, (%%rdi);"
               "movdqu %%xmm1, 16(%%rdi)")
MOVES(ymm, "vmovdqu (%%rsi), %%ymm0; vmovdqa %%ymm0, %%ymm1; vmovdqu %%ymm1, (%%rdi); vzeroupper")
// The move to the lower half keeps the upper one.
MOVES(halves, "vmovdqu (%%rsi), %%ymm0; movdqu 16(%%rsi), %%xmm0; vmovdqu %%ymm0, (%%rdi);"
              "vmovdqu (%%rsi), %%ymm1; movaps %%xmm0, %%xmm1; vmovdqu %%ymm1, 32(%%rdi); vzeroupper")
MOVES(cleared_above, "vmovdqu (%%rsi), %%ymm0; vmovdqu (%%rsi), %%xmm0; vmovdqu %%ymm0, (%%rdi); vzeroupper")

#define HALVES(name, insn) \
    MOVES(name, "movdqu (%%rsi), %%xmm0; movdqu 16(%%rsi), %%xmm1; " insn "; movdqu %%xmm1, (%%rdi)")
HALVES(high_to_low, "movhlps %%xmm0, %%xmm1")
HALVES(low_to_high, "movlhps %%xmm0, %%xmm1")
HALVES(unpack_words, "punpcklqdq %%xmm0, %%xmm1")
HALVES(unpack_doubles, "unpcklpd %%xmm0, %%xmm1")
MOVES(half_of_ymm, "vmovdqu (%%rsi), %%ymm1; movdqu 32(%%rsi), %%xmm0; movlhps %%xmm0, %%xmm1;"
                   "vmovdqu %%ymm1, (%%rdi); vzeroupper")
MOVES(to_vector, "mov (%%rsi), %%rax; movq %%rax, %%xmm0; movdqu %%xmm0, (%%rdi)")
MOVES(to_vector_4, "mov (%%rsi), %%rax; movd %%eax, %%xmm0; movdqu %%xmm0, (%%rdi)")
MOVES(to_ymm, "vmovdqu (%%rsi), %%ymm0; mov (%%rsi), %%rax; vmovq %%rax, %%xmm0; vmovdqu %%ymm0, (%%rdi);"
              "vzeroupper")
MOVES(from_vector, "movdqu (%%rsi), %%xmm0; movq %%xmm0, %%rax; mov %%rax, (%%rdi)")
MOVES(from_vector_4, "movdqu (%%rsi), %%xmm0; movd %%xmm0, %%eax; mov %%rax, (%%rdi)")

// What bit-fields are made with: operations whose codes nobody reads.
#define BITS(name, text) MOVES(name, "mov (%%rsi), %%rax; " text "; cmp %%rsi, %%rdi; mov %%rax, (%%rdi)")
BITS(and64, "and $-256, %%rax")
BITS(and32, "and $0xffff0, %%eax")
BITS(and8, "and $0x3c, %%al")
BITS(or64, "or $0x70f, %%rax")
BITS(or32, "or $-16, %%eax")
BITS(or16, "or $0x1234, %%ax")
BITS(shl64, "shl $5, %%rax")
BITS(shr32, "shr $7, %%eax")
BITS(shr8, "shr %%al")
BITS(sar64, "sar $9, %%rax")
BITS(sar32, "sar $3, %%eax")
BITS(field, "movzbl %%al, %%eax; and $0xfe, %%eax; or $1, %%eax")
BITS(field_at, "movzwl 2(%%rsi), %%eax; shr $4, %%ax; and $0xfff, %%eax")

typedef struct BitCase { const char *name; void (*run)(void); uint64_t (*want)(uint64_t v); } BitCase;
#define WANT(f, e) static uint64_t want_##f(uint64_t v) { return e; }
WANT(and64, v & -256)
WANT(and32, v & 0xffff0)
WANT(and8, (v & ~0xffull) | (v & 0x3c))
WANT(or64, v & ~0x70full)
WANT(or32, v & 15)
WANT(or16, (v & ~0xffffull) | (v & 0xffff & ~0x1234))
WANT(shl64, v << 5)
WANT(shr32, (uint32_t)v >> 7)
WANT(shr8, (v & ~0xffull) | (v & 0xff) >> 1)
WANT(sar64, (uint64_t)((int64_t)v >> 9))
WANT(sar32, (uint32_t)((int32_t)v >> 3))
WANT(field, v & 0xfe)
WANT(field_at, (v >> 20) & 0xfff)
static const BitCase bit_cases[] = {
#define B(f) { #f, f, want_##f }
    B(and64), B(and32), B(and8), B(or64), B(or32), B(or16), B(shl64), B(shr32), B(shr8), B(sar64),
    B(sar32), B(field), B(field_at),
};

// Where byte k of `to' comes from: a byte of `from', or DEFINED.
enum { DEFINED = -1, OLD = -2 };
typedef struct Case { const char *name; void (*run)(void); int (*source)(int k); } Case;
static int low8(int k) { return k < 8 ? k : OLD; }
static int low4(int k) { return k < 4 ? k : k < 8 ? DEFINED : OLD; }
static int parts(int k) { return k == 0 ? 0 : k == 4 || k == 5 ? k - 2 : OLD; }
static int second(int k) { return k < 8 ? DEFINED : k < 16 ? k - 8 : OLD; }
static int low16(int k) { return k < 16 ? k : OLD; }
static int at8(int k) { return k < 16 ? k + 8 : OLD; }
static int scalar(int k)
{
    return k < 8 ? k : k < 16 ? DEFINED : k < 20 ? k - 8 : k < 32 ? DEFINED : OLD;
}
static int low32(int k) { return k < 32 ? k : OLD; }
static int upper_kept(int k) { k %= 32; return k < 16 ? k + 16 : k; }
static int high_low(int k) { return k < 8 ? k + 8 : k < 16 ? k + 16 : OLD; }
static int low_low(int k) { return k < 8 ? k + 16 : k < 16 ? k - 8 : OLD; }
static int ymm_half(int k) { return k >= 8 && k < 16 ? k + 24 : k < 32 ? k : OLD; }
static int low8_zero(int k) { return k < 8 ? k : k < 16 ? DEFINED : OLD; }
static int low4_zero(int k) { return k < 4 ? k : k < 16 ? DEFINED : OLD; }
static int low8_zero32(int k) { return k < 8 ? k : k < 32 ? DEFINED : OLD; }
static int low16_zero(int k) { return k < 16 ? k : k < 32 ? DEFINED : OLD; }

static const Case cases[] = {
#define C(f, s) { #f, f, s }
    C(words, low8), C(through_registers, low8), C(across_blocks, low8), C(by_stack, low8),
    C(by_stack_and_block, low8), C(half, low4), C(half_register, low4), C(low_parts, parts),
    C(overwritten, second), C(own_address, low8), C(xmm, low16), C(xmm_registers, at8),
    C(scalars, scalar), C(ymm, low32), C(halves, upper_kept), C(cleared_above, low16_zero),
    C(high_to_low, high_low), C(low_to_high, low_low), C(unpack_words, low_low), C(unpack_doubles, low_low),
    C(half_of_ymm, ymm_half), C(to_vector, low8_zero), C(to_vector_4, low4_zero), C(to_ymm, low8_zero32),
    C(from_vector, low8), C(from_vector_4, low4),
};

static unsigned seed = 1;
static unsigned rnd(void) { return (seed = seed * 1103515245 + 12345) >> 16; }

/** All kinds of V bits, the tool's own marks for whole bytes among them. */
static void choose(unsigned char *v)
{
    unsigned kind = rnd() % 4;
    for (int k = 0; k < SIZE; k++)
        v[k] = kind == 0 ? 0 : rnd() % 3 ? (kind == 1 ? 0xff : 0) : rnd() % 5 ? rnd() : 0xa5;
}

static void check(const Case *c)
{
    unsigned char v[SIZE], old[SIZE], got[SIZE];
    choose(v);
    choose(old);
    request(SET_VBITS, from, v, SIZE);
    request(SET_VBITS, to, old, SIZE);
    c->run();
    request(GET_VBITS, to, got, SIZE);
    request(MAKE_DEFINED, from, (void *)SIZE, 0);
    request(MAKE_DEFINED, to, (void *)SIZE, 0);
    for (int k = 0; k < SIZE; k++) {
        int s = c->source(k);
        unsigned want = s == OLD ? old[k] : s == DEFINED ? 0 : v[s];
        if (got[k] != want) {
            printf("%s: byte %d has V bits %02x, not %02x\n", c->name, k, got[k], want);
            exit(1);
        }
    }
}

static void check_bits(const BitCase *c)
{
    unsigned char v[SIZE];
    uint64_t before, got = 0;
    choose(v);
    memcpy(&before, v, 8);
    request(SET_VBITS, from, v, SIZE);
    c->run();
    request(GET_VBITS, to, &got, 8);
    request(MAKE_DEFINED, from, (void *)SIZE, 0);
    request(MAKE_DEFINED, to, (void *)SIZE, 0);
    if (got != c->want(before)) {
        printf("%s: V bits %lx became %lx, not %lx\n", c->name, before, got, c->want(before));
        exit(1);
    }
}

static int bit_of_field(const unsigned char *p)
{
    int r = 0;
    // EXPECT: Conditional jump or move depends on uninitialised value(s)
    __asm__("movzbl (%1), %%eax; and $4, %%eax; jz 1f; inc %0; 1:" : "+r"(r) : "r"(p) : "eax", "cc");
    return r;
}

static int defined_bit_of_field(const unsigned char *p)
{
    int r = 0;
    __asm__("movzbl (%1), %%eax; test $2, %%al; jz 1f; inc %0; 1: and $2, %%eax; jz 1f; inc %0; 1:"
            : "+r"(r) : "r"(p) : "eax", "cc");
    return r;
}

static int used_after_moves(volatile int *p)
{
    int a = *p;
    __asm__ volatile("push %%rcx; mov %0, %%ecx; mov %%ecx, %0; pop %%rcx" : "+r"(a));
    if (a == 3) // EXPECT: Conditional jump or move depends on uninitialised value(s)
        puts("three");
    return 2;
}

static int freed_source(long *p)
{
    long a;
    __asm__ volatile("mov (%1), %0; mov %0, %%rdx; mov %%rdx, %0" : "=&r"(a) : "r"(p) : "rdx"); // EXPECT: Invalid read of size 8
    return a != 0;
}

static void freed_target(long *p, long *undefined)
{
    // EXPECT: Invalid write of size 8
    __asm__ volatile("mov (%1), %%rdx; mov %%rdx, (%0)" : : "r"(p), "r"(undefined) : "rdx", "memory");
}

int main(void)
{
    for (int round = 0; round < 400; round++)
        for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
            check(&cases[i]);
    for (int round = 0; round < 400; round++)
        for (unsigned i = 0; i < sizeof bit_cases / sizeof bit_cases[0]; i++)
            check_bits(&bit_cases[i]);
    int *p = malloc(4);
    long *q = malloc(8), *r = malloc(8);
    int n = used_after_moves(p);
    unsigned char *bits = malloc(1);
    *bits &= ~2;
    n += defined_bit_of_field(bits) + bit_of_field(bits);
    free(bits);
    memset(q, 0, 8);
    free(q);
    n += freed_source(q);
    freed_target(q, r);
    free(p);
    free(r);
    puts(n >= 0 ? "done" : "");
    return 0;
}
