/* SPDX-License-Identifier: MIT */
/*
 * Runs an instruction on the processor.  A signal's return loads the whole state from the signal
 * frame, and the INT3 after the instruction raises another signal whose frame has the state
 * after it: no assembly, no register that could not be tested.
 */
#include <cpuid.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "machine.h"

enum { FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160, XSTATE_BV = 512, XHEADER_END = 576 };
enum { XC_AVX = 2, XC_MASKS = 5, XC_ZMM_HIGH = 6, XC_HIGH_ZMM = 7 };
enum { INT3 = 0xcc, MAX_FRAME = 1 << 14 };

bool machine_avx512;
unsigned machine_vectors = 16, machine_vector_bytes = 32;

/** Where the components of the state are in a signal frame, and its size. */
static unsigned component_at[8], frame_bytes = XHEADER_END;

/** Places of the general registers in gregs, in the order of the encodings. */
static const uint8_t greg_of[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                     REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                     REG_R12, REG_R13, REG_R14, REG_R15 };

static Machine *current;    /**< being run on the processor */
static gregset_t saved_gregs;
static uint8_t saved_fp[MAX_FRAME];
static sigjmp_buf guard;
static volatile bool guarded;

/** Is the component in an image with these features, and on this processor? */
static bool has_component(uint64_t features, unsigned c)
{
    return component_at[c] && features >> c & 1;
}

/** Copy between the frame and the bytes from @p at on of @p n registers from @p first on. */
static void copy_vectors(uint8_t *fp, uint8_t v[][VECTOR_BYTES], unsigned at, unsigned bytes,
                         unsigned n, bool to_frame)
{
    for (unsigned i = 0; i < n; i++) {
        if (to_frame)
            memcpy(fp + bytes * i, v[i] + at, bytes);
        else
            memcpy(v[i] + at, fp + bytes * i, bytes);
    }
}

/** Vector and mask registers; what @p features lacks is zero. */
static void copy_wide(uint8_t *fp, Machine *m, uint64_t features, bool to_frame)
{
    copy_vectors(fp + FX_XMM, m->v, 0, 16, 16, to_frame);
    if (has_component(features, XC_AVX))
        copy_vectors(fp + component_at[XC_AVX], m->v, 16, 16, 16, to_frame);
    if (has_component(features, XC_ZMM_HIGH))
        copy_vectors(fp + component_at[XC_ZMM_HIGH], m->v, 32, 32, 16, to_frame);
    if (has_component(features, XC_HIGH_ZMM))
        copy_vectors(fp + component_at[XC_HIGH_ZMM], m->v + 16, 0, 64, 16, to_frame);
    if (!has_component(features, XC_MASKS))
        return;
    if (to_frame)
        memcpy(fp + component_at[XC_MASKS], m->k, sizeof m->k);
    else
        memcpy(m->k, fp + component_at[XC_MASKS], sizeof m->k);
}

static void load_frame(ucontext_t *uc, const Machine *m)
{
    uint8_t *fp = (uint8_t *)uc->uc_mcontext.fpregs;
    uint64_t features;
    memcpy(saved_gregs, uc->uc_mcontext.gregs, sizeof saved_gregs);
    memcpy(saved_fp, fp, frame_bytes);
    for (unsigned i = 0; i < 16; i++)
        uc->uc_mcontext.gregs[greg_of[i]] = (greg_t)m->gpr[i];
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)m->rip;
    uc->uc_mcontext.gregs[REG_EFL] = (greg_t)m->rflags;
    memcpy(fp, m->fpu, FX_MXCSR);
    memcpy(fp + FX_ST, m->fpu + FX_ST, FX_XMM - FX_ST);
    memcpy(fp + FX_MXCSR, &m->mxcsr, 4);
    memcpy(&features, fp + XSTATE_BV, 8);
    features |= machine_avx512 ? 0xe7 : 7;
    copy_wide(fp, (Machine *)(uintptr_t)m, features, true);
    memcpy(fp + XSTATE_BV, &features, 8);
}

static void store_frame(ucontext_t *uc, Machine *m)
{
    uint8_t *fp = (uint8_t *)uc->uc_mcontext.fpregs;
    uint64_t features;
    memcpy(&features, fp + XSTATE_BV, 8);
    for (unsigned i = 0; i < 16; i++)
        m->gpr[i] = (uint64_t)uc->uc_mcontext.gregs[greg_of[i]];
    m->rip = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
    m->rflags = (uint64_t)uc->uc_mcontext.gregs[REG_EFL];
    memcpy(m->fpu, fp, FX_MXCSR);
    memcpy(m->fpu + FX_ST, fp + FX_ST, FX_XMM - FX_ST);
    memcpy(&m->mxcsr, fp + FX_MXCSR, 4);
    memset(m->v, 0, sizeof m->v);
    memset(m->k, 0, sizeof m->k);
    copy_wide(fp, m, features, false);
    memcpy(uc->uc_mcontext.gregs, saved_gregs, sizeof saved_gregs);
    memcpy(fp, saved_fp, frame_bytes);
}

static void on_enter(int sig, siginfo_t *info, void *ctx)
{
    (void)sig, (void)info;
    load_frame(ctx, current);
}

static void on_end(int sig, siginfo_t *info, void *ctx)
{
    (void)info;
    if (guarded) {
        guarded = false;
        siglongjmp(guard, sig);
    }
    Machine *m = current;
    if (!m) { /* not under test: die of it */
        signal(sig, SIG_DFL);
        return;
    }
    current = NULL;
    store_frame(ctx, m);
    m->signal = sig == SIGTRAP ? 0 : sig;
    if (sig == SIGTRAP)
        m->rip--;
}

void native_run(Machine *m)
{
    current = m;
    raise(SIGUSR1);
}

int machine_guard(void (*fn)(void *), void *arg)
{
    int sig = sigsetjmp(guard, 1);
    if (sig)
        return sig;
    guarded = true;
    fn(arg);
    guarded = false;
    return 0;
}

static void map_at(uintptr_t addr, size_t bytes, int prot)
{
    void *p = mmap((void *)addr, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
                   -1, 0);
    if (p != (void *)addr) {
        printf("Bail out! cannot map %#lx\n", (unsigned long)addr);
        exit(1);
    }
}

/** The layout of the extended state. */
static void find_components(void)
{
    unsigned a, b, c, d;
    __cpuid_count(0xd, 0, a, b, c, d);
    uint64_t enabled = a;
    frame_bytes = b <= MAX_FRAME ? b : MAX_FRAME;
    for (unsigned i = XC_AVX; i <= XC_HIGH_ZMM; i++) {
        if (!(enabled >> i & 1))
            continue;
        __cpuid_count(0xd, i, a, b, c, d);
        component_at[i] = b;
    }
    machine_avx512 = __builtin_cpu_supports("avx512bw") && component_at[XC_HIGH_ZMM];
    if (machine_avx512) {
        machine_vectors = VECTORS;
        machine_vector_bytes = VECTOR_BYTES;
    }
}

void machine_init(void)
{
    find_components();
    static uint8_t alt_stack[1 << 17];
    stack_t ss = { .ss_sp = alt_stack, .ss_size = sizeof alt_stack };
    sigaltstack(&ss, NULL);
    struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    sa.sa_sigaction = on_enter;
    sigaction(SIGUSR1, &sa, NULL);
    sa.sa_sigaction = on_end;
    const int ends[] = { SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE };
    for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++)
        sigaction(ends[i], &sa, NULL);
    map_at(CODE_ADDR, CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC);
    map_at(DATA_ADDR, DATA_BYTES, PROT_READ | PROT_WRITE);
    memset((void *)(uintptr_t)CODE_ADDR, INT3, CODE_BYTES);
}

void machine_set_code(const uint8_t *bytes, unsigned len)
{
    memset((void *)(uintptr_t)CODE_START, INT3, 32);
    memcpy((void *)(uintptr_t)CODE_START, bytes, len);
}
