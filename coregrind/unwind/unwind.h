/* SPDX-License-Identifier: MIT */
/*
 * Stack traces of the client from its registers and memory: the return addresses, nothing
 * else (debuginfo turns them into names).  A trace is taken on every malloc, so the rules
 * for a pc that was seen before come from a lock-free cache at some tens of ns a frame.
 */
#ifndef CORE_UNWIND_H
#define CORE_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "gimle/ir.h"

/**
 * Registers at the innermost frame; gpr in the order of the guest's register table:
 * rax rcx rdx rbx rsp rbp rsi rdi r8..r15.
 */
typedef struct UnwindRegs {
    GuestAddr pc;
    uint64_t gpr[16];
} UnwindRegs;

enum { UNWIND_LOG_WORDS = 24, UNWIND_LOG_CALLERS = 4 };

/**
 * The words of the stack that a walk read.  As long as they have these values, pc, stack pointer
 * and generation are the same, and the frame pointer if it matters, another walk has the same result.
 */
typedef struct UnwindLog {
    uint32_t n;
    uint32_t generation;
    bool fp_matters;     /**< it used the frame pointer that it was given */
    bool incomplete;     /**< it depends on more than that */
    uint32_t offset[UNWIND_LOG_WORDS]; /**< from the stack pointer at the start */
    uint64_t value[UNWIND_LOG_WORDS];
    uint32_t n_callers;
    uint32_t caller[UNWIND_LOG_CALLERS]; /**< offsets of the innermost return addresses */
} UnwindLog;

/**
 * Call once at start, before there are threads: from then on the cache follows the modules that
 * debuginfo tells of.
 */
void unwind_init(void);

/**
 * pcs[0] is regs->pc, pcs[i] the return address of the i-th caller (the call is before it:
 * describe pcs[i] - 1), except where frame i - 1 is a signal handler's trampoline: then pcs[i]
 * is the interrupted instruction plus 1, so that the same rule holds.  sps (or NULL) receives
 * the stack pointer of each frame.  [stack_lo, stack_hi) is the thread's stack, read with guarded
 * loads; everything else is read with checks, which cost more.  Returns how many, 1..max.
 */
unsigned unwind_stack(const UnwindRegs *regs, GuestAddr *pcs, unsigned max, GuestAddr *sps,
                      GuestAddr stack_lo, GuestAddr stack_hi);

/** The same; @p log tells what was read. */
unsigned unwind_stack_logged(const UnwindRegs *regs, GuestAddr *pcs, unsigned max,
                             GuestAddr stack_lo, GuestAddr stack_hi, UnwindLog *log);

/** Changes whenever frame information comes or goes. */
static inline uint32_t unwind_generation(void)
{
    extern uint32_t unwind_modules_generation;
    return __atomic_load_n(&unwind_modules_generation, __ATOMIC_ACQUIRE);
}

/** Cache statistics for --stats. */
typedef struct UnwindStats {
    uint64_t misses;     /**< rules computed */
    uint64_t slow_walks; /**< traces that needed the full register file */
} UnwindStats;
UnwindStats unwind_stats(void);

#endif
