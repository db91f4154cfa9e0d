/* SPDX-License-Identifier: MIT */
/*
 * Signal frames of the amd64 guest, laid out as the kernel does (struct rt_sigframe of
 * arch/x86/include/uapi/asm/{sigcontext,ucontext}.h: an interface that unwinders and handlers rely
 * on): from high to low the XSAVE image, siginfo and ucontext, the restorer's address.
 */
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

#include "VEX/vex.h"
#include "base/check.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/core/events.h"
#include "signal_internal.h"

enum {
    UC_FP_XSTATE_ = 1, UC_SIGCONTEXT_SS_ = 2, UC_STRICT_RESTORE_SS_ = 4,
    FP_XSTATE_MAGIC1_ = 0x46505853, FP_XSTATE_MAGIC2_ = 0x46505845,
    SW_RESERVED_OFFSET = 464, /* in the FXSAVE image */
    RED_ZONE = 128, SELECTORS = 0x33 /* CS */, RFLAGS_TF_DF_RF = 0x10500
};

/** The kernel's struct _fpx_sw_bytes. */
typedef struct FpxSwBytes {
    uint32_t magic1, extended_size;
    uint64_t xfeatures;
    uint32_t xstate_size, padding[7];
} FpxSwBytes;

/** uc_mcontext as the kernel writes it. */
typedef struct KernelSigcontext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
} KernelSigcontext;

typedef struct KernelUcontext {
    uint64_t flags, link;
    KernelStack stack;
    KernelSigcontext mc;
    KernelSigset mask;
} KernelUcontext;

typedef struct KernelFrame {
    uint64_t pretcode;
    KernelUcontext uc;
    siginfo_t info;
} KernelFrame;

_Static_assert(sizeof(KernelSigcontext) == 256, "struct sigcontext_64");
_Static_assert(offsetof(KernelUcontext, mask) == 296, "struct ucontext of rt_sigframe");

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

/** gpr[] index of each of the first sixteen words of KernelSigcontext. */
static const uint8_t sigcontext_order[16] = { R8,  R9,  R10, R11, R12, R13, R14, R15,
                                              RDI, RSI, RBP, RBX, RDX, RAX, RCX, RSP };

static void frame_fill_context(KernelSigcontext *mc, const GuestAmd64 *g,
                               const SignalFaultInfo *fault, KernelSigset mask, GuestAddr fpstate)
{
    memset(mc, 0, sizeof *mc);
    for (int i = 0; i < 16; i++)
        (&mc->r8)[i] = g->gpr[sigcontext_order[i]];
    mc->rip = g->pc;
    mc->rflags = vex_rflags_get(g) | 0x202;
    mc->cs = SELECTORS;
    mc->ss = 0x2b;
    mc->err = fault->err;
    mc->trapno = fault->trapno;
    mc->cr2 = fault->cr2;
    mc->oldmask = mask;
    mc->fpstate = fpstate;
}

static bool frame_on_altstack(const Thread *t, GuestAddr sp)
{
    return t->altstack.size && !(t->altstack.flags & SS_DISABLE) && sp > t->altstack.sp &&
           sp - t->altstack.sp <= t->altstack.size;
}

/** Where the frame's stack starts, and whether that is a switch to the alternate stack. */
static GuestAddr frame_stack(const Thread *t, const KernelSigaction *act, bool *switched)
{
    GuestAddr sp = t->state->guest.gpr[RSP];
    *switched = (act->flags & SA_ONSTACK) && t->altstack.size &&
                !(t->altstack.flags & SS_DISABLE) && !frame_on_altstack(t, sp);
    return *switched ? t->altstack.sp + t->altstack.size : sp - RED_ZONE;
}

/** The XSAVE image with the kernel's software-reserved bytes, in memory at @p at. */
static void frame_write_fpstate(VexState *s, GuestAddr at)
{
    uint8_t *image = (uint8_t *)at;
    size_t size = vex_xsave_size();
    memset(image, 0, 576);
    vex_xsave(s, image);
    FpxSwBytes sw = { .magic1 = FP_XSTATE_MAGIC1_, .extended_size = (uint32_t)size + 4,
                      .xfeatures = vex_xsave_features(), .xstate_size = (uint32_t)size };
    memcpy(image + SW_RESERVED_OFFSET, &sw, sizeof sw);
    uint32_t magic2 = FP_XSTATE_MAGIC2_;
    memcpy(image + size, &magic2, sizeof magic2);
}

static bool frame_writable(GuestAddr a, size_t len)
{
    uint8_t byte = 0;
    if (!aspace_is_client_range(a, len))
        return false;
    if (aspace_prepare_write(a, len))
        gimle_discard_translations(a, len);
    for (GuestAddr p = a; p < a + len; p += 4096)
        if (gimle_read_guest(&byte, p, 1) != 1 || gimle_write_guest(p, &byte, 1) != 1)
            return false;
    GuestAddr last = a + len - 1;
    return gimle_read_guest(&byte, last, 1) == 1 && gimle_write_guest(last, &byte, 1) == 1;
}

/**
 * Floating point and vector state from the image at @p at: all of XSAVE's, or FXSAVE's part of it if the
 * software-reserved bytes do not say more; none (0): as at a program's start.
 */
static bool frame_read_fpstate(VexState *s, GuestAddr at)
{
    enum { LEGACY = 512, CONTROL_WORD = 0, MXCSR = 24, FEATURES = 512, X87_AND_SSE = 3, MOST = 4096 };
    _Alignas(64) uint8_t image[MOST] = { 0 };
    size_t size = vex_xsave_size();
    FpxSwBytes sw;
    CHECK(size <= sizeof image, "XSAVE area of %zu bytes", size);
    if (at && gimle_read_guest(image, at, LEGACY) != LEGACY)
        return false;
    memcpy(&sw, image + SW_RESERVED_OFFSET, sizeof sw);
    if (!at) {
        memcpy(image + CONTROL_WORD, &(const uint16_t){ 0x37f }, 2);
        memcpy(image + MXCSR, &(const uint32_t){ 0x1f80 }, 4);
    } else if (sw.magic1 != FP_XSTATE_MAGIC1_) {
        image[FEATURES] = X87_AND_SSE;
    } else if (gimle_read_guest(image, at, size) != size) {
        return false;
    }
    vex_xrstor(s, image);
    return true;
}

bool signal_push_frame(Thread *t, const siginfo_t *info, const KernelSigaction *act,
                       const SignalFaultInfo *fault)
{
    VexState *s = t->state;
    GuestAmd64 *g = &s->guest;
    bool switched;
    GuestAddr top = frame_stack(t, act, &switched);
    GuestAddr fp = (top - (vex_xsave_size() + 4)) & ~63ULL;
    GuestAddr frame = ((fp - sizeof(KernelFrame)) & ~15ULL) - 8;
    if (frame > top || !frame_writable(frame, top - frame))
        return false;
    EVENT(stack_new, t, frame, top - frame);

    KernelSigset mask = t->has_saved_mask ? t->saved_mask : t->blocked;
    KernelFrame f;
    memset(&f, 0, sizeof f);
    f.pretcode = act->restorer;
    f.uc.flags = UC_FP_XSTATE_ | UC_SIGCONTEXT_SS_ | UC_STRICT_RESTORE_SS_;
    f.uc.stack = t->altstack;
    if (!t->altstack.size)
        f.uc.stack.flags = SS_DISABLE;
    else if (frame_on_altstack(t, g->gpr[RSP]))
        f.uc.stack.flags |= SS_ONSTACK;
    frame_fill_context(&f.uc.mc, g, fault, mask, fp);
    f.uc.mask = mask;
    f.info = *info;
    frame_write_fpstate(s, fp);
    memcpy((void *)frame, &f, sizeof f);
    EVENT(sys_post_write, t, frame, top - frame);
    if (switched && (uint32_t)t->altstack.flags & (1u << 31))
        t->altstack = (KernelStack){ .flags = SS_DISABLE };

    frame_read_fpstate(s, 0);
    g->gpr[RSP] = frame;
    g->gpr[RDI] = (uint64_t)info->si_signo;
    g->gpr[RSI] = frame + offsetof(KernelFrame, info);
    g->gpr[RDX] = frame + offsetof(KernelFrame, uc);
    g->gpr[RAX] = 0;
    g->pc = act->handler;
    vex_rflags_set(g, vex_rflags_get(g) & ~(uint64_t)RFLAGS_TF_DF_RF);
    static const uint8_t set[] = { RSP, RDI, RSI, RDX, RAX };
    for (size_t i = 0; i < sizeof set; i++)
        EVENT(reg_write, t, set[i]);
    return true;
}

void signal_sigreturn(Thread *t)
{
    GuestAmd64 *g = &t->state->guest;
    KernelFrame f;
    GuestAddr frame = g->gpr[RSP] - 8;
    const KernelSigcontext *mc = &f.uc.mc;
    if (gimle_read_guest(&f, frame, sizeof f) != sizeof f ||
        !frame_read_fpstate(t->state, mc->fpstate)) {
        signal_raise_sync(t, SIGSEGV, SI_KERNEL, 0);
        return;
    }
    for (int i = 0; i < 16; i++) {
        g->gpr[sigcontext_order[i]] = (&mc->r8)[i];
        EVENT(reg_write, t, sigcontext_order[i]);
    }
    g->pc = mc->rip;
    vex_rflags_set(g, mc->rflags);
    GuestAddr top = mc->fpstate > frame ? mc->fpstate + vex_xsave_size() + 4 : frame + sizeof f;
    EVENT(stack_die, t, frame, top - frame);
    t->blocked = f.uc.mask & ~(SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP));
    signal_apply_host_mask(t);
    if (f.uc.stack.flags != SS_DISABLE || !t->altstack.size) {
        KernelStack ss = f.uc.stack;
        ss.flags &= ~SS_ONSTACK;
        if (ss.flags != SS_DISABLE && ss.size)
            t->altstack = ss;
    }
    EVENT(signal_leave, t);
}
