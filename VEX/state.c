/* SPDX-License-Identifier: MIT */
/*
 * Threads' states: where they live (the top of a host stack of their own, so that translated
 * code can call helpers with RSP = state) and how they begin; RFLAGS images.
 */
#include "state.h"

#include <string.h>
#include <sys/mman.h>

enum { GUARD_BYTES = 4096 };

/* x87 and MXCSR as after execve, at their places in the FXSAVE64 image. */
enum { FX_FCW = 0, FX_MXCSR = 24, FX_MXCSR_MASK = 28 };
enum { FCW_INIT = 0x37f, MXCSR_INIT = 0x1f80, MXCSR_MASK = 0xffff, CC_INIT = 0x0200 };

static size_t round_up(size_t n)
{
    return (n + 0xffff) & ~(size_t)0xffff;
}

/** What vex_state_free() must know; kept right above the state. */
typedef struct StateMapping {
    void *base;
    size_t bytes;
} StateMapping;

static StateMapping *mapping_of(VexState *s)
{
    return (StateMapping *)(s + 1);
}

VexState *vex_state_new(size_t stack_bytes)
{
    size_t top = round_up(sizeof(VexState) + sizeof(StateMapping));
    if (stack_bytes > (1u << 30))
        return NULL;
    size_t bytes = GUARD_BYTES + round_up(stack_bytes) + top;
    char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    if (mprotect(p, GUARD_BYTES, PROT_NONE) != 0) {
        munmap(p, bytes);
        return NULL;
    }
    VexState *s = (VexState *)(p + bytes - top);
    *mapping_of(s) = (StateMapping){ p, bytes };
    s->guest.cc = CC_INIT;
    s->guest.df = 1;
    s->guest.mxcsr = MXCSR_INIT;
    memcpy(&s->guest.fpu[FX_FCW], &(uint16_t){ FCW_INIT }, 2);
    memcpy(&s->guest.fpu[FX_MXCSR], &(uint32_t){ MXCSR_INIT }, 4);
    memcpy(&s->guest.fpu[FX_MXCSR_MASK], &(uint32_t){ MXCSR_MASK }, 4);
    return s;
}

void vex_state_free(VexState *s)
{
    if (!s)
        return;
    StateMapping m = *mapping_of(s);
    munmap(m.base, m.bytes);
}

/* Bits of RFLAGS outside the condition codes. */
enum { RF_FIXED = 0x2, RF_IF = 0x200, RF_DF = 0x400, RF_AC_NT_TF = 0x44100, RF_ID = 0x200000 };
enum { RF_LAHF = 0xd5, RF_OF_SHIFT = 11 };

uint64_t vex_rflags_get(const GuestAmd64 *g)
{
    uint64_t f = RF_FIXED | RF_IF;
    f |= (g->cc >> 8) & RF_LAHF;
    f |= (g->cc & 1) << RF_OF_SHIFT;
    if ((int64_t)g->df < 0)
        f |= RF_DF;
    f |= g->ac_flag;
    if (g->id_flag)
        f |= RF_ID;
    return f;
}

void vex_rflags_set(GuestAmd64 *g, uint64_t rflags)
{
    g->cc = CC_INIT | (rflags & RF_LAHF) << 8 | (rflags >> RF_OF_SHIFT & 1);
    g->df = rflags & RF_DF ? (uint64_t)-1 : 1;
    g->ac_flag = rflags & RF_AC_NT_TF;
    g->id_flag = !!(rflags & RF_ID);
}
