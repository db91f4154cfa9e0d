/* SPDX-License-Identifier: MIT */
/*
 * What CPUID tells the guest: the truth, less what we do not support and less what
 * --cpu=x86-64-vN hides.  Compiled for general registers only, since translated code calls it
 * without saving vectors.
 */
#include <cpuid.h>

#include "gimle/ir.h"
#include "helpers.h"
#include "vex.h"

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("general-regs-only"))), apply_to = function)
#else
#pragma GCC target("general-regs-only")
#endif

typedef struct Regs {
    uint32_t r[4]; /**< EAX, EBX, ECX, EDX */
} Regs;

enum { EAX, EBX, ECX, EDX };
enum { NEVER = 255 };

/** Feature bits that are shown only from a certain level on; level 0 is everything but NEVER. */
typedef struct FeatureRow {
    uint32_t leaf, subleaf;
    uint8_t reg;
    uint8_t level;
    uint32_t bits;
} FeatureRow;

#define BIT(n) (1u << (n))

static const FeatureRow features[] = {
    /* SSE3, SSSE3, CX16, SSE4.1, SSE4.2, POPCNT; then PCLMUL ... AVX, F16C */
    { 1, 0, ECX, 2, BIT(0) | BIT(9) | BIT(13) | BIT(19) | BIT(20) | BIT(23) },
    { 1, 0, ECX, 3, BIT(1) | BIT(12) | BIT(22) | BIT(25) | BIT(26) | BIT(27) | BIT(28) | BIT(29) |
                    BIT(30) },
    { 1, 0, ECX, NEVER, BIT(3) | BIT(5) | BIT(6) | BIT(15) }, /* MONITOR, VMX, SMX, PDCM */
    /* BMI1, AVX2, BMI2, ADX, RDSEED, SHA; CLFLUSHOPT and CLWB do not matter */
    { 7, 0, EBX, 3, BIT(3) | BIT(5) | BIT(8) | BIT(18) | BIT(19) | BIT(29) },
    { 7, 0, EBX, 4, BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) |
                    BIT(31) }, /* AVX-512 */
    { 7, 0, EBX, NEVER, BIT(2) | BIT(4) | BIT(11) | BIT(14) | BIT(25) }, /* SGX HLE RTM MPX PT */
    { 7, 0, ECX, 3, BIT(8) | BIT(9) | BIT(10) }, /* GFNI, VAES, VPCLMUL */
    { 7, 0, ECX, 4, BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14) },
    /* PKU, WAITPKG, shadow stacks, key locker, MOVDIR64B, ENQCMD */
    { 7, 0, ECX, NEVER, BIT(3) | BIT(4) | BIT(5) | BIT(7) | BIT(23) | BIT(28) | BIT(29) },
    { 7, 0, EDX, 4, BIT(2) | BIT(3) | BIT(8) | BIT(23) },
    /* user interrupts, TSX, IBT, AMX */
    { 7, 0, EDX, NEVER, BIT(5) | BIT(11) | BIT(13) | BIT(20) | BIT(22) | BIT(24) | BIT(25) },
    { 7, 1, EAX, 3, BIT(4) },
    { 7, 1, EAX, 4, BIT(5) },
    /* SHA512, SM3, SM4, RAO, CMPCCXADD, FRED, AMX-FP16, AVX-IFMA, MSRLIST, MOVRS: not decoded */
    { 7, 1, EAX, NEVER, BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(7) | BIT(17) | BIT(21) | BIT(23) |
                        BIT(27) | BIT(31) },
    /* AVX-VNNI-INT8, AVX-NE-CONVERT, AMX-COMPLEX, AVX-VNNI-INT16, CET_SSS, AVX10, APX */
    { 7, 1, EDX, NEVER, BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(18) | BIT(19) | BIT(21) },
    { 0x80000001, 0, ECX, 2, BIT(0) },       /* LAHF */
    { 0x80000001, 0, ECX, 3, BIT(5) },       /* LZCNT */
    { 0x80000001, 0, ECX, NEVER, BIT(2) | BIT(11) | BIT(15) | BIT(16) | BIT(21) },
};

/** Leaves that describe only what we hide: PT, SGX, key locker, AMX, AVX10. */
static bool is_hidden_leaf(uint32_t leaf)
{
    return leaf == 0x12 || leaf == 0x14 || leaf == 0x19 || leaf == 0x1d || leaf == 0x1e ||
           leaf == 0x24;
}

static Regs host_cpuid(uint32_t leaf, uint32_t subleaf)
{
    Regs c;
    __cpuid_count(leaf, subleaf, c.r[EAX], c.r[EBX], c.r[ECX], c.r[EDX]);
    return c;
}

static uint64_t host_xcr0(void)
{
    uint32_t lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return lo | (uint64_t)hi << 32;
}

/* CPUID leaves a virtual machine for tens of microseconds, and every call through a PLT that is
   bound lazily saves and restores by XSAVE: so each answer about XSAVE is asked for once. */
enum { KNOWN_COMPONENTS = 32 };
#define KNOWN (1ull << 63)

/** The level that --cpu asks for, or the one above which we show nothing; 0: everything. */
static unsigned shown_level(void)
{
    unsigned level = vex_config()->cpu_level;
    if (!level && !__builtin_cpu_supports("avx512bw"))
        level = 3; /* masks of 64 bits are needed for everything of AVX-512 */
    return level;
}

/** What a processor of that level has of XCR0. */
static uint64_t shown_components(void)
{
    unsigned level = shown_level();
    return level == 0 || level >= 4 ? XSAVE_COMPONENTS : level == 3 ? 7 : 3;
}

GIMLE_LIGHT uint64_t xsave_enabled(void)
{
    static uint64_t known;
    uint64_t e = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!e) {
        e = host_cpuid(1, 0).r[ECX] & BIT(27) ? host_xcr0() & XSAVE_COMPONENTS : 3;
        __atomic_store_n(&known, e | KNOWN, __ATOMIC_RELAXED);
    }
    return e & shown_components();
}

GIMLE_LIGHT XsaveComponent xsave_component(unsigned i)
{
    static XsaveComponent known[KNOWN_COMPONENTS];
    static bool is_known[KNOWN_COMPONENTS];
    if (i < KNOWN_COMPONENTS && __atomic_load_n(&is_known[i], __ATOMIC_ACQUIRE))
        return known[i];
    Regs c = host_cpuid(0xd, i);
    XsaveComponent found = { c.r[EBX], c.r[EAX], c.r[ECX] & 2 };
    if (i < KNOWN_COMPONENTS) { /* two threads may do this at once: they write the same */
        known[i] = found;
        __atomic_store_n(&is_known[i], true, __ATOMIC_RELEASE);
    }
    return found;
}

/** Bytes of an XSAVE area with the components we know. */
static uint32_t area_size(bool compacted)
{
    uint64_t enabled = xsave_enabled();
    uint32_t size = 576, end = 576;
    for (unsigned i = 2; i < 32; i++) {
        if (!(enabled >> i & 1))
            continue;
        XsaveComponent c = xsave_component(i);
        if (c.offset + c.size > end)
            end = c.offset + c.size;
        if (c.align64)
            size = (size + 63) & ~63u;
        size += c.size;
    }
    return compacted ? size : end;
}

/** Leaf 0xd, which describes XSAVE. */
static void restrict_xsave_leaf(Regs *c, uint32_t subleaf)
{
    uint64_t enabled = xsave_enabled();
    if (subleaf == 0) {
        *c = (Regs){ { (uint32_t)enabled, area_size(false), area_size(false), 0 } };
    } else if (subleaf == 1) {
        *c = (Regs){ { c->r[EAX] & 7, area_size(true), 0, 0 } }; /* no XSAVES */
    } else if (subleaf >= 32 || !(enabled >> subleaf & 1)) {
        *c = (Regs){ { 0, 0, 0, 0 } };
    }
}

GIMLE_LIGHT uint64_t amd64_cpuid_subleaf_bits(VexState *s, uint64_t leaf)
{
    (void)s;
    static const uint32_t with_subleaves[] = { 4, 7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1b,
        0x1d, 0x1f, 0x20, 0x23, 0x24, 0x8000001d, 0x80000020, 0x80000026 };
    for (unsigned i = 0; i < sizeof with_subleaves / sizeof with_subleaves[0]; i++)
        if (with_subleaves[i] == (uint32_t)leaf)
            return 0xffffffffu;
    return 0;
}

GIMLE_LIGHT uint64_t amd64_cpuid(VexState *s, uint64_t leaf, uint64_t subleaf, uint64_t pair)
{
    (void)s;
    uint32_t l = (uint32_t)leaf, sub = (uint32_t)subleaf;
    unsigned level = shown_level();
    Regs c = host_cpuid(l, sub);
    if (is_hidden_leaf(l) || (l == 0xd && level && level < 3)) /* without XSAVE there is no 0xd */
        c = (Regs){ { 0, 0, 0, 0 } };
    else if (l == 0xd)
        restrict_xsave_leaf(&c, sub);
    for (unsigned i = 0; i < sizeof features / sizeof features[0]; i++) {
        const FeatureRow *f = &features[i];
        if (f->leaf == l && (f->subleaf == sub || l != 7) &&
            (f->level == NEVER || (level && level < f->level)))
            c.r[f->reg] &= ~f->bits;
    }
    return pair ? c.r[ECX] | (uint64_t)c.r[EDX] << 32 : c.r[EAX] | (uint64_t)c.r[EBX] << 32;
}

#ifdef __clang__
#pragma clang attribute pop
#endif
