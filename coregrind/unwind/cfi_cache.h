/* SPDX-License-Identifier: MIT */
/*
 * The rules of addresses that were seen before, in 64 bits each, and the modules' call frame
 * information behind them.
 */
#ifndef UNWIND_CFI_CACHE_H
#define UNWIND_CFI_CACHE_H

#include <stdatomic.h>

#include "coregrind/unwind/cfi.h"
#include "gimle/ir.h"

/** What to do at an address. */
typedef enum StepKind {
    STEP_NONE,   /**< nothing known (never a valid entry) */
    STEP_SIMPLE, /**< the fields of FrameRule say it all; the return address is at CFA - 8 */
    STEP_NO_CFI, /**< no frame information: frame pointers */
    STEP_END,    /**< the outermost frame */
    STEP_FULL    /**< evaluate the row with all registers */
} StepKind;

typedef enum FpRule {
    FP_SAME,
    FP_AT_CFA, /**< saved at CFA + fp_offset */
    FP_AT_FP   /**< saved at the frame pointer + fp_offset (realigned stacks) */
} FpRule;

/**
 * CFA = (from_fp ? fp : sp) + cfa_offset, and if deref, what is stored there plus add.
 * Unused bits are zero, so that the whole is one 64-bit value.
 */
typedef union FrameRule {
    struct {
        uint64_t kind : 3;
        uint64_t from_fp : 1;
        uint64_t deref : 1;
        uint64_t fp_rule : 2;
        uint64_t add : 6;
        int64_t fp_offset : 23;
        int64_t cfa_offset : 28;
    };
    uint64_t bits;
} FrameRule;
_Static_assert(sizeof(FrameRule) == 8, "a rule is published as one word");

/** The cache: direct-mapped slots of two words that fit each other only if they are one entry's. */
enum { CFI_SLOT_BITS = 15 };
typedef struct CfiSlot {
    _Atomic uint64_t check, rule;
} CfiSlot;
extern CfiSlot cfi_cache_slots[1 << CFI_SLOT_BITS];

static inline CfiSlot *cfi_cache_slot(GuestAddr pc)
{
    return &cfi_cache_slots[(pc * 0x9e3779b97f4a7c15ull) >> (64 - CFI_SLOT_BITS)];
}

static inline uint64_t cfi_cache_check(GuestAddr pc, uint64_t rule)
{
    return pc ^ (rule * 0xd6e8feb86659fd93ull);
}

/** The rule for @p pc, computed under LOCK_unwind and kept. */
FrameRule cfi_cache_miss(GuestAddr pc);

/** The rule for @p pc. */
static inline FrameRule cfi_cache_rule(GuestAddr pc)
{
    CfiSlot *s = cfi_cache_slot(pc);
    FrameRule r = {.bits = atomic_load_explicit(&s->rule, memory_order_relaxed)};
    uint64_t check = atomic_load_explicit(&s->check, memory_order_relaxed);
    if (__builtin_expect(check == cfi_cache_check(pc, r.bits) && r.kind != STEP_NONE, 1))
        return r;
    return cfi_cache_miss(pc);
}

/** Call with LOCK_unwind held: the full row at @p pc; false if there is none. */
bool cfi_cache_row(GuestAddr pc, CfiRow *row);

/** Start following the modules. */
void cfi_cache_init(void);
/** Rules computed so far. */
uint64_t cfi_cache_misses(void);

/** Is @p pc the instruction after that of a signal trampoline's start, or in one? */
bool cfi_is_sigreturn(GuestAddr pc);

#endif
