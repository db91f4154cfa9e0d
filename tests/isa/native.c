/* SPDX-License-Identifier: MIT */
/*
 * Runs an instruction on the processor.  A signal's return loads the whole state from the signal
 * frame, and the INT3 after the instruction raises another signal whose frame has the state
 * after it: no assembly, no register that could not be tested.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "machine.h"

enum { XSTATE_BV = 512, AVX_AREA = 576, FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160, FRAME_FP = 832 };
enum { INT3 = 0xcc };

/** Places of the general registers in gregs, in the order of the encodings. */
static const uint8_t greg_of[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                     REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                     REG_R12, REG_R13, REG_R14, REG_R15 };

static Machine *current;    /**< being run on the processor */
static gregset_t saved_gregs;
static uint8_t saved_fp[FRAME_FP];
static sigjmp_buf guard;
static volatile bool guarded;

static void load_frame(ucontext_t *uc, const Machine *m)
{
    uint8_t *fp = (uint8_t *)uc->uc_mcontext.fpregs;
    uint64_t features;
    memcpy(saved_gregs, uc->uc_mcontext.gregs, sizeof saved_gregs);
    memcpy(saved_fp, fp, FRAME_FP);
    for (unsigned i = 0; i < 16; i++)
        uc->uc_mcontext.gregs[greg_of[i]] = (greg_t)m->gpr[i];
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)m->rip;
    uc->uc_mcontext.gregs[REG_EFL] = (greg_t)m->rflags;
    memcpy(fp, m->fpu, FX_MXCSR);
    memcpy(fp + FX_ST, m->fpu + FX_ST, FX_XMM - FX_ST);
    memcpy(fp + FX_MXCSR, &m->mxcsr, 4);
    for (unsigned i = 0; i < VECTORS; i++) {
        memcpy(fp + FX_XMM + 16 * i, m->v[i], 16);
        memcpy(fp + AVX_AREA + 16 * i, m->v[i] + 16, 16);
    }
    memcpy(&features, fp + XSTATE_BV, 8);
    features |= 7;
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
    for (unsigned i = 0; i < VECTORS; i++) {
        memcpy(m->v[i], fp + FX_XMM + 16 * i, 16);
        if (features & 4)
            memcpy(m->v[i] + 16, fp + AVX_AREA + 16 * i, 16);
        else
            memset(m->v[i] + 16, 0, 16);
    }
    memcpy(uc->uc_mcontext.gregs, saved_gregs, sizeof saved_gregs);
    memcpy(fp, saved_fp, FRAME_FP);
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

void machine_init(void)
{
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
