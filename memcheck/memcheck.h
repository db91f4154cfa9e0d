/* SPDX-License-Identifier: MIT */
/*
 * What the parts of memcheck share: the options, the tool's words in the thread state, and the
 * few functions that cross directories.
 */
#ifndef MEMCHECK_MEMCHECK_H
#define MEMCHECK_MEMCHECK_H

#include "gimle/tool.h"

/* ---- options (options.c) ------------------------------------------------------------ */

typedef enum LeakCheck { LEAK_NO, LEAK_SUMMARY, LEAK_YES, LEAK_FULL } LeakCheck;
typedef enum KeepStacks {
    KEEP_NONE, KEEP_ALLOC, KEEP_FREE, KEEP_ALLOC_THEN_FREE, KEEP_BOTH
} KeepStacks;

/** Kinds of leaks, in the order of --show-leak-kinds, as bit numbers of the option sets. */
typedef enum LeakKind {
    LEAK_REACHABLE, LEAK_POSSIBLE, LEAK_INDIRECT, LEAK_DEFINITE, LEAK_KINDS
} LeakKind;

typedef struct McOptions {
    int leak_check;              /**< LeakCheck */
    int leak_resolution;         /**< 0 low, 1 med, 2 high */
    unsigned show_leak_kinds;    /**< bits of LeakKind */
    unsigned error_leak_kinds;
    unsigned leak_heuristics;    /**< bits, order of the option's choices */
    int expensive_checks;        /**< accepted, without effect */
    int keep_stacks;             /**< KeepStacks */
    bool undef_value_errors;
    bool track_origins;
    bool partial_loads_ok;
    bool fast_mode;
    bool stats;                  /**< the core's option */
    bool show_mismatched_frees;
    int64_t freelist_vol, freelist_big_blocks;
    int64_t max_stackframe;      /**< the core's option */
    int64_t red_zone;            /**< likewise */
    bool xtree_leak;
    const char *xtree_leak_file;
    int xtree_memory;            /**< the core's option, gimle/xtree.h */
    int malloc_fill, free_fill;  /**< -1: none */
    int64_t ignore_below_sp_lo, ignore_below_sp_hi; /**< bytes below SP, both 0: none */
} McOptions;

extern McOptions mc_options;
extern const GimleOption mc_option_table[];
/** Is @p a in a range that --ignore-ranges or a client request named? */
bool mc_is_ignored_address(GuestAddr a);
/** Client request: ignore (or stop ignoring) bad addresses in [a, a+len). */
void mc_ignore_range(GuestAddr a, size_t len, bool ignore);
/** At the end: name the ranges that the client still has ignored. */
void mc_ignored_ranges_warn(void);
/** Check combinations of options; before the client starts. */
void mc_options_finish(void);

/* ---- the tool's words in the thread state ------------------------------------------- */

enum {
    /** Mask of guest registers that may be undefined (instrument/regmask.h). */
    TW_UNDEFINED = 0,
    /** Superset of the registers whose shadow in the state is not zero. */
    TW_STALE = 1,
    /** With --stats: blocks and instructions run in fast mode, then in slow mode. */
    TW_COUNTS = 2,
    /** Slow accesses to memory: V bits between the block and its helpers, 8 words. */
    TW_VBITS = 8,
    /** Shadow of the memory operand of a native instruction, while none of the former is needed. */
    TW_SCRATCH = TW_VBITS,
    /** With --stats: why pinned code left last (a Reason), while it runs. */
    TW_REASON = TW_VBITS + 7,
    /** With --track-origins: what address vector registers (even, odd) were loaded from last. */
    TW_ORIGIN_VEC = 6,
    /** Likewise the register of bit i of the mask (instrument/regmask.h), 16 words. */
    TW_ORIGIN = 16,
    /** Likewise: what address the bytes that a helper of origin/note.h is about were loaded from. */
    TW_NOTE = TW_VBITS + 6
};

/** Offset of the first of them in the state; set by regmask_init(). */
extern uint32_t mc_tool_words __attribute__((visibility("hidden")));
/** Word that holds the origin of the register with @p bit in the mask. */
static inline unsigned mc_origin_word(uint32_t bit)
{
    unsigned n = (unsigned)__builtin_ctz(bit);
    return n < 16 ? TW_ORIGIN + n : TW_ORIGIN_VEC + n % 2;
}
/** Address of tool word @p i of @p s. */
#define mc_tool_word(s, i) ((uint64_t *)((char *)(s) + mc_tool_words) + (i))
/** V bits of the low @p bytes (at most 8) bytes of register @p r of thread @p t. */
uint64_t mc_reg_vbits(Thread *t, RegId r, unsigned bytes);
/** Address that the undefined bits of @p r were loaded from, 0 if not known. */
GuestAddr mc_reg_origin(Thread *t, RegId r);
/** In slow mode: find out which registers of @p t are undefined. */
void mc_note_undefined_regs(Thread *t);
/** Register @p r of @p t is defined now. */
void mc_reg_set_defined(Thread *t, RegId r);
/** Bits of the registers that functions return integers in, and get them in; set by regmask_init(). */
extern uint32_t mc_result_bit, mc_argument_bit[2];
/** In quick forms of replacements (fast mode): the result is defined. */
static inline void mc_result_is_defined(struct VexState *s)
{
    *mc_tool_word(s, TW_UNDEFINED) &= ~(uint64_t)mc_result_bit;
}
/** In quick forms: may the first @p n arguments, 1 or 2, not be defined? */
static inline bool mc_arguments_suspect(struct VexState *s, unsigned n)
{
    uint32_t bits = mc_argument_bit[0] | (n > 1 ? mc_argument_bit[1] : 0);
    return *mc_tool_word(s, TW_UNDEFINED) & bits;
}

/* ---- instrumentation ---------------------------------------------------------------- */

/** Translation modes. */
enum { MODE_FAST, MODE_SLOW, MODE_CARRY, N_MODES };
extern VexMode mc_modes[N_MODES];
/** Fill mc_modes as the options say. */
void mc_modes_init(void);
/** Add what thread @p t counted to the totals; it is about to end. */
void mc_modes_collect(Thread *t);
/** Print how much ran in which mode. */
void mc_modes_print_stats(void);

/* ---- events, intercepts, requests --------------------------------------------------- */

extern const GimleEvents mc_events;
/** Is all of [a, a+len) mapped and somebody's?  The first byte that is not in *bad. */
bool mc_check_addressable(GuestAddr a, size_t len, GuestAddr *bad);
extern const GimleErrorOps mc_error_ops;
extern const Intercept mc_intercepts[];

/* ---- heap statistics (intercept_malloc.c) ------------------------------------------- */

typedef struct McHeapStats {
    uint64_t allocs, frees, bytes;
} McHeapStats;
McHeapStats mc_heap_stats(void);
/** The guest heap gave its memory; from then on it is not addressable until allocated. */
void mc_heap_start(void);

#endif
