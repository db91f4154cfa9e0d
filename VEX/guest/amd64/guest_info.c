/* SPDX-License-Identifier: MIT */
/* The table of the amd64 guest's registers, made from guest_amd64.def, and what follows from it. */
#include <stdio.h>

#include "base/check.h"
#include "guest_amd64.h"
#include "state.h"

/* Offsets follow from the sizes, in the order of the rows. */
#define REG(id, name, cls, bytes, dwarf) uint8_t id[bytes];
typedef struct RowLayout {
#include "gimle/guest_amd64.def"
} RowLayout;
#undef REG

_Static_assert(sizeof(RowLayout) == offsetof(GuestAmd64, fpu) + 512,
               "GuestAmd64 has the registers of guest_amd64.def in order");
_Static_assert(offsetof(RowLayout, PC) == offsetof(GuestAmd64, pc), "order of registers");
_Static_assert(offsetof(RowLayout, CC) == offsetof(GuestAmd64, cc), "order of registers");
_Static_assert(offsetof(RowLayout, MXCSR) == offsetof(GuestAmd64, mxcsr), "order of registers");
_Static_assert(offsetof(RowLayout, K0) == offsetof(GuestAmd64, k), "order of registers");
_Static_assert(offsetof(RowLayout, V0) == offsetof(GuestAmd64, v), "order of registers");
_Static_assert(offsetof(RowLayout, FPU) == offsetof(GuestAmd64, fpu), "order of registers");

static const GuestReg regs[] = {
#define REG(id, name, cls, bytes, dwarf) { name, RC_##cls, bytes, offsetof(RowLayout, id), dwarf },
#include "gimle/guest_amd64.def"
#undef REG
};

_Static_assert(sizeof regs / sizeof regs[0] == AMD64_REG_COUNT, "one row per register");
_Static_assert(AMD64_REG_COUNT <= REG_SHADOW, "bit 8 of a RegId marks the shadow");

static const GuestInfo amd64 = {
    .name = "amd64",
    .regs = regs,
    .n_regs = AMD64_REG_COUNT,
    .sp = AMD64_RSP,
    .pc = AMD64_PC,
    .fp = AMD64_RBP,
    .flags = AMD64_CC,
    .result = AMD64_RAX,
    .arg = { AMD64_RDI, AMD64_RSI, AMD64_RDX },
    .red_zone = 128,
    .word = 8,
};

const GuestInfo *const gimle_guest = &amd64;

static inline bool is_tool(RegId r)
{
    return r >= REG_TOOL(0);
}

static const GuestReg *row(RegId r)
{
    unsigned n = r & (REG_SHADOW - 1);
    CHECK(n < AMD64_REG_COUNT && r < REG_TOOL(0), "register %#x", r);
    return &regs[n];
}

uint32_t gimle_reg_offset(RegId r)
{
    if (is_tool(r)) {
        CHECK(r < REG_TOOL(REG_TOOL_WORDS), "register %#x", r);
        return (uint32_t)offsetof(VexState, tool) + 8u * (r - REG_TOOL(0));
    }
    return row(r)->offset + (r & REG_SHADOW ? (uint32_t)VEX_SHADOW_DELTA : 0);
}

unsigned gimle_reg_size(RegId r)
{
    return is_tool(r) ? 8 : row(r)->bytes;
}

const char *gimle_reg_name(RegId r, char *buf)
{
    if (is_tool(r))
        snprintf(buf, 24, "tool%u", (unsigned)(r - REG_TOOL(0)));
    else if ((r & (REG_SHADOW - 1)) >= AMD64_REG_COUNT)
        snprintf(buf, 24, "?%u", r);
    else
        snprintf(buf, 24, "%s%s", row(r)->name, r & REG_SHADOW ? ".sh" : "");
    return buf;
}
