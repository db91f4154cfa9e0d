/* SPDX-License-Identifier: MIT */
/*
 * FXSAVE, XSAVE, XSAVEC and their inverses on the guest state.  They run as full helpers: the
 * state is in the VexState, and a fault on the client's memory is the guest instruction's.
 */
#include <string.h>

#include "helpers.h"
#include "lifters.h"

enum { XC_X87 = 1, XC_SSE = 2, XC_AVX = 4, XC_OPMASK = 0x20, XC_ZMM_HI = 0x40, XC_HI16 = 0x80 };
enum {
    FX_STATUS = 2, FX_MXCSR = 24, FX_MXCSR_MASK = 28, FX_ST = 32, FX_XMM = 160,
    XSTATE_BV = 512, XCOMP_BV = 520, XHEADER_END = 576
};
#define COMPACTED (1ull << 63)
#define MXCSR_WRITABLE 0xffffu

static uint64_t read64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static void write64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

/** The components the instruction asks for. */
static uint64_t requested(const GuestAmd64 *g)
{
    return ((uint32_t)g->gpr[0] | g->gpr[2] << 32) & xsave_enabled();
}

static void save_mxcsr(const GuestAmd64 *g, uint8_t *p)
{
    uint32_t v = (uint32_t)g->mxcsr, mask = MXCSR_WRITABLE;
    memcpy(p + FX_MXCSR, &v, sizeof v);
    memcpy(p + FX_MXCSR_MASK, &mask, sizeof mask);
}

static void load_mxcsr(GuestAmd64 *g, const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p + FX_MXCSR, sizeof v);
    g->mxcsr = v & MXCSR_WRITABLE;
}

static void save_legacy(const GuestAmd64 *g, uint8_t *p, uint64_t what)
{
    if (what & XC_X87) {
        memcpy(p, g->fpu, FX_MXCSR);
        memcpy(p + FX_ST, g->fpu + FX_ST, FX_XMM - FX_ST);
    }
    if (what & (XC_SSE | XC_AVX))
        save_mxcsr(g, p);
    if (what & XC_SSE)
        for (unsigned i = 0; i < 16; i++)
            memcpy(p + FX_XMM + 16 * i, g->v[i], 16);
}

/** The x87 unit as after FNINIT. */
static void init_x87(GuestAmd64 *g)
{
    memset(g->fpu, 0, FX_MXCSR);
    memset(g->fpu + FX_ST, 0, FX_XMM - FX_ST);
    g->fpu[0] = 0x7f;
    g->fpu[1] = 0x03;
}

/** Restore of what is in @p what, from the image if it is in @p present, else initial values. */
static void load_legacy(GuestAmd64 *g, const uint8_t *p, uint64_t what, uint64_t present)
{
    if (what & present & XC_X87) {
        memcpy(g->fpu, p, FX_MXCSR);
        memcpy(g->fpu + FX_ST, p + FX_ST, FX_XMM - FX_ST);
    } else if (what & XC_X87) {
        init_x87(g);
    }
    for (unsigned i = 0; i < 16 && what & XC_SSE; i++)
        if (present & XC_SSE)
            memcpy(g->v[i], p + FX_XMM + 16 * i, 16);
        else
            memset(g->v[i], 0, 16);
}

/** A component above SSE: count pieces of bytes each, at offset in registers of stride bytes. */
typedef struct Piece {
    uint32_t state_offset, stride, bytes, count;
} Piece;

#define V_OFFSET(reg, byte) (offsetof(GuestAmd64, v) + 64u * (reg) + (byte))

static const Piece pieces[8] = {
    [2] = { V_OFFSET(0, 16), 64, 16, 16 },          /* AVX: upper halves of ymm0-15 */
    [5] = { offsetof(GuestAmd64, k), 8, 8, 8 },     /* opmask */
    [6] = { V_OFFSET(0, 32), 64, 32, 16 },          /* upper halves of zmm0-15 */
    [7] = { V_OFFSET(16, 0), 64, 64, 16 },          /* zmm16-31 */
};

static void save_component(const GuestAmd64 *g, uint8_t *p, const Piece *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        memcpy(p + c->bytes * i, (const uint8_t *)g + c->state_offset + c->stride * i, c->bytes);
}

static void load_component(GuestAmd64 *g, const uint8_t *p, const Piece *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        uint8_t *reg = (uint8_t *)g + c->state_offset + c->stride * i;
        if (p)
            memcpy(reg, p + c->bytes * i, c->bytes);
        else
            memset(reg, 0, c->bytes);
    }
}

/** Offset of component @p i: fixed, or after those of @p layout that precede it. */
static uint32_t component_offset(unsigned i, bool compacted, uint64_t layout)
{
    if (!compacted)
        return xsave_component(i).offset;
    uint32_t at = XHEADER_END;
    for (unsigned k = 2; k <= i; k++) {
        if (!(layout >> k & 1))
            continue;
        XsaveComponent c = xsave_component(k);
        if (c.align64)
            at = (at + 63) & ~63u;
        if (k == i)
            break;
        at += c.size;
    }
    return at;
}

GIMLE_LIGHT unsigned amd64_x87_top(const VexState *s)
{
    uint16_t status;
    if (s->fpu_live)
        __asm__ volatile("fnstsw %0" : "=a"(status));
    else
        status = (uint16_t)(s->guest.fpu[FX_STATUS] | s->guest.fpu[FX_STATUS + 1] << 8);
    return status >> 11 & 7;
}

uint64_t amd64_state_to_memory(VexState *s, uint64_t addr, uint64_t format)
{
    const GuestAmd64 *g = &s->guest;
    uint8_t *p = (uint8_t *)addr;
    if (format == XS_FXSAVE) {
        save_legacy(g, p, XC_X87 | XC_SSE);
        return 0;
    }
    bool compacted = format == XS_XSAVEC;
    uint64_t what = requested(g);
    save_legacy(g, p, what);
    for (unsigned i = 2; i < 8; i++)
        if (what >> i & 1)
            save_component(g, p + component_offset(i, compacted, what), &pieces[i]);
    if (compacted) {
        write64(p + XSTATE_BV, what);
        write64(p + XCOMP_BV, what | COMPACTED);
    } else {
        write64(p + XSTATE_BV, (read64(p + XSTATE_BV) & ~what) | what);
    }
    return 0;
}

uint64_t amd64_state_from_memory(VexState *s, uint64_t addr, uint64_t format)
{
    GuestAmd64 *g = &s->guest;
    const uint8_t *p = (const uint8_t *)addr;
    if (format == XS_FXSAVE) {
        load_mxcsr(g, p);
        load_legacy(g, p, XC_X87 | XC_SSE, XC_X87 | XC_SSE);
        return 0;
    }
    uint64_t what = requested(g), present = read64(p + XSTATE_BV), layout = read64(p + XCOMP_BV);
    bool compacted = layout & COMPACTED;
    if (what & (XC_SSE | XC_AVX))
        load_mxcsr(g, p);
    load_legacy(g, p, what, present);
    for (unsigned i = 2; i < 8; i++) {
        if (!(what >> i & 1))
            continue;
        bool from_image = present >> i & 1;
        uint32_t at = from_image ? component_offset(i, compacted, layout) : 0;
        load_component(g, from_image ? p + at : NULL, &pieces[i]);
    }
    return 0;
}
