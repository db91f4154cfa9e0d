/* SPDX-License-Identifier: MIT */
/* The XSAVE image of a guest state for signal frames: all enabled components, standard format. */
#include <string.h>

#include "helpers.h"
#include "lifters.h"
#include "vex.h"

enum { LEGACY_AND_HEADER = 576 };

uint64_t vex_xsave_features(void) { return xsave_enabled(); }

size_t vex_xsave_size(void)
{
    size_t size = LEGACY_AND_HEADER;
    for (unsigned i = 2; i < 8; i++) {
        XsaveComponent c = xsave_component(i);
        if ((xsave_enabled() >> i & 1) && c.offset + c.size > size)
            size = c.offset + c.size;
    }
    return size;
}

/** Run @p f with the mask that XSAVE takes from EDX:EAX set to everything. */
static void with_full_mask(VexState *s, uint64_t f(VexState *, uint64_t, uint64_t), uint64_t area,
                           uint64_t mask)
{
    uint64_t rax = s->guest.gpr[0], rdx = s->guest.gpr[2];
    s->guest.gpr[0] = (uint32_t)mask;
    s->guest.gpr[2] = mask >> 32;
    f(s, area, XS_XSAVE);
    s->guest.gpr[0] = rax;
    s->guest.gpr[2] = rdx;
}

void vex_xsave(VexState *s, uint8_t *area)
{
    memset(area + 512, 0, LEGACY_AND_HEADER - 512);
    with_full_mask(s, amd64_state_to_memory, (uintptr_t)area, xsave_enabled());
}

void vex_xrstor(VexState *s, const uint8_t *area)
{
    with_full_mask(s, amd64_state_from_memory, (uintptr_t)area, xsave_enabled());
}
