/* SPDX-License-Identifier: MIT */
/*
 * The host processor and the stubs that suit it; the guest's registers out of a host signal
 * context; the jump cache.
 */
#include <cpuid.h>
#include <string.h>
#include <sys/ucontext.h>

#include "codegen.h"
#include "stubs_offsets.h"

#define SAME(constant, field)                                                              \
    _Static_assert((constant) == offsetof(VexState, field), "stubs_offsets.h: " #field)
SAME(VS_GPR, guest.gpr);
SAME(VS_PC, guest.pc);
SAME(VS_MXCSR, guest.mxcsr);
SAME(VS_K, guest.k);
SAME(VS_V, guest.v);
SAME(VS_FPU, guest.fpu);
SAME(VS_TOOL, tool);
SAME(VS_EXIT_REASON, exit_reason);
SAME(VS_EXIT_KIND, exit_kind);
SAME(VS_EXIT_MODE, exit_mode);
SAME(VS_EXIT_BLOCK, exit_block);
SAME(VS_EXIT_INDEX, exit_index);
SAME(VS_FPU_LIVE, fpu_live);
SAME(VS_CUR_MODE, cur_mode);
SAME(VS_STUBS, stubs);
SAME(VS_HOST_SP, host_sp);
SAME(VS_HOST_MXCSR, host_mxcsr);
SAME(VS_HELPER_RET, helper_ret);
SAME(VS_SCRATCH, scratch);
SAME(VS_JUMP_CACHE, jump_cache);
_Static_assert(JUMP_BITS == VEX_JUMP_CACHE_BITS && 1 << JUMP_ENTRY == sizeof(VexJumpEntry),
               "stubs_offsets.h: jump cache");
SAME(VS_QUICK, quick);
_Static_assert(ST_ENTER_PINNED == offsetof(VexStubs, enter_pinned), "stubs_offsets.h");
_Static_assert(ST_CALL_FULL_PINNED == offsetof(VexStubs, call_full_pinned), "stubs_offsets.h");
_Static_assert(VEX_EXIT_CHAIN == 0 && VEX_EXIT_INDIRECT == 1 && VEX_EXIT_KIND == 3, "enter.S writes these");

HostCpu host_cpu;

/* ---- the processor ---- */

enum {
    XCR0_AVX = 0x6, XCR0_AVX512 = 0xe6, XCR0_YMM_COMPONENT = 2, XCR0_K_COMPONENT = 5,
    XCR0_ZMM_HI_COMPONENT = 6, XCR0_HI16_ZMM_COMPONENT = 7
};

static uint64_t enabled_state(void)
{
    uint32_t lo, hi;
    __asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return lo | (uint64_t)hi << 32;
}

static unsigned xsave_offset(unsigned component)
{
    unsigned a, b, c, d;
    __cpuid_count(0xd, component, a, b, c, d);
    return b;
}

uint64_t host_features(void)
{
    const HostCpu *c = &host_cpu;
    return (uint64_t)c->vec_bytes << 8 | (uint64_t)c->avx | (uint64_t)c->avx2 << 1 |
           (uint64_t)c->avx512 << 2 | (uint64_t)c->bmi1 << 3 | (uint64_t)c->bmi2 << 4 |
           (uint64_t)c->lzcnt << 5;
}

void host_init(void)
{
    unsigned a, b, c, d;
    host_cpu = (HostCpu){ .vec_bytes = 16 };
    __cpuid(1, a, b, c, d);
    uint64_t xcr0 = c & bit_OSXSAVE ? enabled_state() : 0;
    host_cpu.avx = (c & bit_AVX) && (xcr0 & XCR0_AVX) == XCR0_AVX;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        host_cpu.avx2 = host_cpu.avx && (b & bit_AVX2);
        host_cpu.bmi1 = b & bit_BMI;
        host_cpu.bmi2 = host_cpu.avx && (b & bit_BMI2);
        host_cpu.avx512 = host_cpu.avx2 && (b & bit_AVX512F) && (b & bit_AVX512BW) &&
                          (xcr0 & XCR0_AVX512) == XCR0_AVX512;
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d))
        host_cpu.lzcnt = c & bit_ABM;
    if (host_cpu.avx) {
        host_cpu.vec_bytes = 32;
        host_cpu.ymm_off = xsave_offset(XCR0_YMM_COMPONENT);
    }
    if (host_cpu.avx512) {
        host_cpu.vec_bytes = 64;
        host_cpu.k_off = xsave_offset(XCR0_K_COMPONENT);
        host_cpu.zmm_hi_off = xsave_offset(XCR0_ZMM_HI_COMPONENT);
        host_cpu.hi16_zmm_off = xsave_offset(XCR0_HI16_ZMM_COMPONENT);
    }
}

/* ---- the stubs ---- */

extern const uint8_t stubs_begin[], stubs_end[];
extern const uint8_t stub_return[], stub_abandon[], stub_call_full[], stub_fpu_load[],
    stub_call_quick[];

#define DECLARE(kind)                                                                      \
    extern const uint8_t stub_exit_chain_##kind[], stub_exit_indirect_##kind[],            \
        stub_redo_##kind[], stub_exit_kind_##kind[], stub_enter_pinned_##kind[],           \
        stub_leave_pinned_##kind[], stub_call_full_pinned_##kind[];
DECLARE(sse)
DECLARE(avx)
DECLARE(avx512)

#define STUBS(kind)                                                                        \
    { .exit_chain = stub_exit_chain_##kind, .exit_indirect = stub_exit_indirect_##kind,    \
      .redo = stub_redo_##kind, .exit_kind = stub_exit_kind_##kind,                        \
      .enter_pinned = stub_enter_pinned_##kind, .leave_pinned = stub_leave_pinned_##kind,  \
      .call_full_pinned = stub_call_full_pinned_##kind, .call_full = stub_call_full,       \
      .fpu_load = stub_fpu_load, .call_quick = stub_call_quick }

void host_stubs(VexStubs *out)
{
    static const VexStubs sse = STUBS(sse), avx = STUBS(avx), avx512 = STUBS(avx512);
    *out = host_cpu.avx512 ? avx512 : host_cpu.avx ? avx : sse;
}

bool vex_pc_in_stubs(const void *host_pc)
{
    const uint8_t *p = host_pc;
    return p >= stubs_begin && p < stubs_end;
}

/**
 * Zero @p len bytes at @p p, page by page, writing only where there is anything: of a thread's jump cache
 * most pages were never used, and have no memory as long as they are only read.
 */
static void zero_used(void *p, size_t len)
{
    enum { PAGE = 4096 };
    for (uint8_t *at = p, *end = at + len; at < end;) {
        size_t n = PAGE - ((uintptr_t)at & (PAGE - 1));
        n = n < (size_t)(end - at) ? n : (size_t)(end - at);
        if (at[0] || memcmp(at, at + 1, n - 1) != 0)
            memset(at, 0, n);
        at += n;
    }
}

void vex_jump_cache_clear(VexState *s)
{
    zero_used(s->jump_cache, sizeof s->jump_cache);
    for (unsigned m = 0; m < VEX_MAX_MODES; m++)
        s->jump_cache[m][vex_jump_index(0)].pc = 1; /* address 0 must miss, too */
    /* Nobody returns into his own state, and if he does he comes to a safe place. */
    for (unsigned k = 0; k < VEX_RETURNS; k++)
        s->returns[k] = (VexJumpEntry){ (uintptr_t)s, stub_return };
}

/* ---- x87 ---- */

enum { FX_MXCSR_AT = 24, FX_ST_AT = 32, FX_XMM_AT = 160 };

/** The x87 part of an FXSAVE64 image. */
static void copy_x87(uint8_t *to, const uint8_t *from)
{
    memcpy(to, from, FX_MXCSR_AT);
    memcpy(to + FX_ST_AT, from + FX_ST_AT, FX_XMM_AT - FX_ST_AT);
}

void vex_state_sync_fpu(VexState *s)
{
    if (!s->fpu_live)
        return;
    uint8_t image[512] __attribute__((aligned(16)));
    __asm__ volatile("fxsave64 %0" : "=m"(image));
    copy_x87(s->guest.fpu, image);
}

/* ---- signal contexts ---- */

/** Where ucontext keeps each host register. */
static const uint8_t greg_of[16] = {
    [H_RAX] = REG_RAX, [H_RCX] = REG_RCX, [H_RDX] = REG_RDX, [H_RBX] = REG_RBX,
    [H_RSP] = REG_RSP, [H_RBP] = REG_RBP, [H_RSI] = REG_RSI, [H_RDI] = REG_RDI,
    [H_R8] = REG_R8, [H_R9] = REG_R9, [H_R10] = REG_R10, [H_R11] = REG_R11,
    [H_R12] = REG_R12, [H_R13] = REG_R13, [H_R14] = REG_R14, [H_R15] = REG_R15,
};

static const struct { uint8_t guest, host; } pinned_gpr[] = {
#define HOME(guest, host) { AMD64_##guest, host },
#include "regs.def"
#undef HOME
};

static void vectors_from_context(VexState *s, const uint8_t *fp)
{
    for (unsigned k = 0; k < 16; k++) {
        memcpy(s->guest.v[k], fp + FX_XMM_AT + 16 * k, 16);
        if (host_cpu.ymm_off)
            memcpy(s->guest.v[k] + 16, fp + host_cpu.ymm_off + 16 * k, 16);
        if (host_cpu.zmm_hi_off)
            memcpy(s->guest.v[k] + 32, fp + host_cpu.zmm_hi_off + 32 * k, 32);
        if (host_cpu.hi16_zmm_off)
            memcpy(s->guest.v[16 + k], fp + host_cpu.hi16_zmm_off + 64 * k, 64);
    }
    if (host_cpu.k_off)
        memcpy(s->guest.k, fp + host_cpu.k_off, sizeof s->guest.k);
}

/** MXCSR and x87, which are in the host's registers in all modes. */
static void fp_from_context(VexState *s, const uint8_t *fp)
{
    uint32_t mxcsr;
    memcpy(&mxcsr, fp + FX_MXCSR_AT, sizeof mxcsr);
    s->guest.mxcsr = mxcsr;
    if (s->fpu_live)
        copy_x87(s->guest.fpu, fp);
}

void vex_state_from_context(VexState *s, const void *uc, unsigned mode, GuestAddr guest_pc)
{
    const ucontext_t *u = uc;
    const uint8_t *fp = (const uint8_t *)u->uc_mcontext.fpregs;
    unsigned flags = vex_config()->modes[mode].flags;
    s->guest.pc = guest_pc;
    fp_from_context(s, fp);
    if (!(flags & VM_PINNED))
        return;
    for (unsigned k = 0; k < sizeof pinned_gpr / sizeof *pinned_gpr; k++)
        s->guest.gpr[pinned_gpr[k].guest] =
            (uint64_t)u->uc_mcontext.gregs[greg_of[pinned_gpr[k].host]];
    if (flags & VM_PIN_TOOL0)
        s->tool[0] = (uint64_t)u->uc_mcontext.gregs[REG_R14];
    vectors_from_context(s, fp);
}

void vex_state_from_quick(VexState *s, const void *uc)
{
    const ucontext_t *u = uc;
    const uint8_t *fp = (const uint8_t *)u->uc_mcontext.fpregs;
    fp_from_context(s, fp);
    vectors_from_context(s, fp);
    s->quick = 0;
}

void vex_cc_from_context(VexState *s, const void *uc)
{
    const ucontext_t *u = uc;
    uint64_t f = (uint64_t)u->uc_mcontext.gregs[REG_EFL];
    s->guest.cc = 0x200 | (f & 0xd5) << 8 | (f >> 11 & 1);
}

void vex_context_leave(VexState *s, void *uc)
{
    static const uint8_t x87_init[FX_MXCSR_AT] = { 0x7f, 0x03 };
    ucontext_t *u = uc;
    uint8_t *fp = (uint8_t *)u->uc_mcontext.fpregs;
    copy_x87(fp, (const uint8_t[FX_XMM_AT]){ 0 });
    memcpy(fp, x87_init, sizeof x87_init);
    uint32_t mxcsr = (uint32_t)s->host_mxcsr;
    memcpy(fp + FX_MXCSR_AT, &mxcsr, sizeof mxcsr);
    s->fpu_live = 0;
    u->uc_mcontext.gregs[REG_RSP] = (greg_t)(uintptr_t)s;
    u->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)stub_abandon;
    u->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)0x400;
}

bool vex_interp_fault(VexState *s, void *uc)
{
    const ucontext_t *u = uc;
    bool native = s->interp_access == VEX_INTERP_NATIVE;
    s->interp_access = native ? VEX_INTERP_FAULTED : VEX_INTERP_NONE;
    if (native) {
        fp_from_context(s, (const uint8_t *)u->uc_mcontext.fpregs);
        vex_context_leave(s, uc);
    }
    return native;
}
