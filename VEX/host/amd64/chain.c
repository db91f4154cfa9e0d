/* SPDX-License-Identifier: MIT */
/*
 * Linking translations: the rel32 of an exit is patched while other threads may run it, with
 * one store of the aligned eight bytes that it lies in.  One thread patches at a time.
 */
#include "codegen.h"

/** mov r11, imm64 begins this much before its constant. */
enum { CROSS_OPCODE_BYTES = 2 };

static void patch(uint8_t *code_rw, const uint8_t *code_rx, uint32_t off, const uint8_t *to)
{
    int64_t rel = to - (code_rx + off + 4);
    CHECK(fits_i32(rel), "%p is too far from %p", (const void *)to, (const void *)(code_rx + off));
    unsigned at = (uintptr_t)(code_rw + off) & 7;
    uint64_t word, *p = (uint64_t *)(void *)(code_rw + off - at);
    CHECK(at <= 4, "offset %u", off);
    memcpy(&word, p, sizeof word);
    memcpy((uint8_t *)&word + at, &(int32_t){ (int32_t)rel }, 4);
    __atomic_store_n(p, word, __ATOMIC_RELEASE);
}

void vex_chain(uint8_t *code_rw, const uint8_t *code_rx, const VexExitSite *e, const void *target)
{
    const uint8_t *to = target;
    if (e->crosses) {
        memcpy(code_rw + e->cross_off, &target, sizeof target);
        to = code_rx + e->cross_off - CROSS_OPCODE_BYTES;
        __atomic_thread_fence(__ATOMIC_RELEASE);
    }
    patch(code_rw, code_rx, e->patch_off, to);
}

bool vex_is_chained(const uint8_t *code, const VexExitSite *e)
{
    uint32_t rel;
    memcpy(&rel, code + e->patch_off, sizeof rel);
    return e->patch_off + 4 + rel != e->stub_off;
}

void vex_unchain(uint8_t *code_rw, const uint8_t *code_rx, const VexExitSite *e)
{
    patch(code_rw, code_rx, e->patch_off, code_rx + e->stub_off);
}
