/* SPDX-License-Identifier: MIT */
/*
 * The only header of VEX that the layers above see: translate one block of guest code for one
 * mode into host code, and the glue that runs it.  VEX keeps no writable global state besides
 * what vex_init() sets once.
 */
#ifndef VEX_VEX_H
#define VEX_VEX_H

#include "gimle/ir.h"
#include "gimle/mode.h"
#include "gimle/native.h"
#include "state.h"

/** The stages that --trace-flags can show, and where the text goes. */
enum {
    VT_GUEST = 1, VT_LIFT = 2, VT_INSTRUMENT = 4, VT_OPT = 8, VT_REGALLOC = 16, VT_HOST = 32
};

typedef struct VexConfig {
    VexMode modes[VEX_MAX_MODES];
    unsigned n_modes;
    unsigned max_guest_insns; /**< per block, default 64 */
    unsigned trace;           /**< VT_* */
    GuestAddr trace_from, trace_to; /**< only blocks that start here; both 0: all */
    void (*trace_out)(void *ctx, const char *text);
    void *trace_ctx;
    unsigned sanity;          /**< 0: none, 1: ir_verify after lift and instrument, 2: everything */
    bool chaos_regalloc;      /**< random register choice */
    uint32_t disabled_passes; /**< bits by number in passes.def */
    uint64_t shadow_offset;   /**< what the GS base is set to */
    /** May the lifter look at the code at @p a (executable, client range)? Returns bytes readable, up to want. */
    unsigned (*code_readable)(void *ctx, GuestAddr a, unsigned want);
    void *code_ctx;
    /** Must a block from [a, a+len) compare its code with what was translated each time it runs? */
    bool (*code_unstable)(void *ctx, GuestAddr a, unsigned len);
    /** What CPUID shows: "host", "x86-64-v2", "x86-64-v3", "x86-64-v4" resolved to 1..4, 0 host. */
    unsigned cpu_level;
    bool timing; /**< fill the *_ns fields of translations */
} VexConfig;

/** Set up once, before any other call. @p cfg is copied. */
void vex_init(const VexConfig *cfg);
const VexConfig *vex_config(void);

/** A point where host code may fault or call out, and the guest instruction it belongs to. */
typedef struct VexPoint {
    uint32_t host_off;  /**< the point covers host code from here to the next point's host_off */
    uint32_t guest_off; /**< guest instruction: block address + guest_off (blocks may follow jumps: signed) */
    uint32_t cc_in_host;  /**< 1: the guest's condition codes are live and only in the host's EFLAGS here */
} VexPoint;

/** A direct exit that can be chained. */
typedef struct VexExitSite {
    GuestAddr target;
    uint32_t patch_off;  /**< offset of the rel32 to patch so that control goes to the target */
    uint32_t stub_off;   /**< offset of the out-of-line code that rel32 leads to while unchained */
    uint32_t cross_off;  /**< if crosses: offset of an imm64 to patch with the target's host address */
    uint8_t mode;        /**< mode of the target */
    bool crosses;        /**< pinned and non-pinned differ: must be chained through the crossing stub */
    uint16_t index;      /**< for whoever keeps it */
} VexExitSite;

typedef enum VexStatus {
    VEX_OK,
    VEX_NO_CODE,   /**< the first instruction is not readable as code: the client's SIGSEGV */
    VEX_BUFFER_FULL
} VexStatus;

/** A piece of guest code. */
typedef struct VexRange {
    GuestAddr addr;
    uint32_t len;
} VexRange;

/** A place in the code that holds the address of a function of ours (8 bytes). */
typedef struct VexCallSite {
    uint32_t off;
    const void *fn;
} VexCallSite;

/** A place in the code that holds an address in the block's data (8 bytes; IR_DATA_NEAR: 4). */
typedef struct VexDataSite {
    uint32_t off, kind; /**< IR_DATA_* */
} VexDataSite;

/**
 * One translation.  Arrays are in the arena given to vex_translate().  Its code has two parts, so
 * that what runs often is dense in memory: the main part stands at the beginning of the buffer,
 * what hardly ever runs at its end.  All offsets are from the beginning of the main part.
 */
typedef struct VexTranslation {
    uint8_t *code;          /**< where the main part was written (writable view) */
    uint32_t code_len;      /**< bytes of the main part */
    uint32_t cold_off;      /**< where the cold part begins */
    uint32_t cold_len;
    /**
     * If not 0: offset of four bytes for the owner's number of this translation, which is
     * VexState.exit_block after an exit with VEX_EXIT_CHAIN.
     */
    uint32_t id_off;
    VexPoint *points;       uint32_t n_points;
    VexExitSite *exits;     uint32_t n_exits;
    /**
     * Guest bytes this translation depends on: first the block's own, then those that were looked at
     * beyond it, to see which condition codes are dead there.
     */
    VexRange *extent;       uint32_t n_extents;
    /** What vex_place() must know; only with @c portable, which says that there is nothing else. */
    bool portable;
    uint32_t *links;        uint32_t n_links;  /**< rel32s that join the main and the cold part */
    VexCallSite *calls;     uint32_t n_calls;
    VexDataSite *data_sites; uint32_t n_data_sites;
    IrData data[IR_DATA_KINDS]; /**< if there are data_sites; for vex_place(): where they were */
    const uint8_t *record;      /**< for vex_place(): contents of IR_DATA_RECORD */
    uint16_t n_guest;       /**< guest instructions */
    /**
     * The lifter has just learned that this program does what no compiler does (it returns
     * condition codes from functions): translations made before must be discarded.
     */
    bool assumption_failed;
    uint32_t lift_ns, instrument_ns, emit_ns; /**< with VexConfig.timing */
} VexTranslation;

/**
 * Translate the block at @p pc for @p mode into both ends of @p buf (writable view), which will
 * run at @p run_addr (executable view).  All memory but @p buf comes from @p arena.  Thread-safe.
 */
VexStatus vex_translate(GuestAddr pc, unsigned mode, uint8_t *buf, size_t buf_size,
                        const uint8_t *run_addr, struct Arena *arena, VexTranslation *out);

/** What the code of translations depends on besides guest code and configuration: the processor. */
uint64_t vex_host_features(void);
/** Must the code of @p t be compared with what it was each time it runs (VexConfig.code_unstable)? */
bool vex_code_is_unstable(const VexTranslation *t);
/** May translations for @p mode be kept for other runs of the program? Any thread. */
bool vex_is_portable(unsigned mode);
/**
 * What translations made now take for granted about the program: 0 at first, 1 once
 * VexTranslation.assumption_failed was set.  Those made under one must not serve under the other.  Any thread.
 */
unsigned vex_assumptions(void);
/**
 * Put @p t, made by an earlier run of the same build, into both ends of @p buf as vex_translate()
 * does, for @p mode at @p pc.  t->code points to the bytes of its main part, @p cold to those of its
 * cold part; neither they nor its tables are changed.  False if it makes no sense or does not fit.
 */
bool vex_place(const VexTranslation *t, GuestAddr pc, unsigned mode, const uint8_t *cold,
               uint8_t *buf, size_t size, const uint8_t *run_addr, struct Arena *arena,
               VexTranslation *out);

/**
 * The block that calls @p callee (CALLEE_FULL or _QUICK, one integer argument @p arg) when the guest comes
 * to @p pc, and then goes on at whatever VexState.guest.pc the callee left.  For redirected
 * functions, return hooks, trampolines.
 */
VexStatus vex_translate_call(GuestAddr pc, unsigned mode, const IrCallee *callee, uint64_t arg,
                             uint8_t *buf, size_t buf_size, const uint8_t *run_addr,
                             struct Arena *arena, VexTranslation *out);

/** Lift, instrument and interpret one block (--engine=interp). State must not be pinned. */
VexStatus vex_interpret(VexState *s, GuestAddr pc, unsigned mode, struct Arena *arena);
/**
 * The same with one guest instruction.  The state as between translations of any mode: nothing that
 * is pinned stays so.
 */
VexStatus vex_step(VexState *s, GuestAddr pc, unsigned mode, struct Arena *arena);
/** Interpret the block that vex_translate_call() would make. */
void vex_interpret_call(VexState *s, GuestAddr pc, unsigned mode, const IrCallee *callee,
                        uint64_t arg, struct Arena *arena);

/**
 * Run translated code at @p code (executable view) until it leaves; exit_* and guest.pc of the
 * state say why and where.  All guest registers are in the state before and after.
 * @p pinned: the code belongs to a pinned mode.
 */
void vex_enter(VexState *s, const void *code, bool pinned);

/** After VEX_EXIT_CHAIN by @p e of a translation for mode @p from: where and how to go on. */
static inline void vex_take_exit(VexState *s, const VexExitSite *e, unsigned from)
{
    s->guest.pc = e->target;
    s->exit_mode = e->mode;
    s->cur_mode = from;
}

/** Chain: atomically make exit @p e of the translation at @p code_rw/@p code_rx go to @p target. */
void vex_chain(uint8_t *code_rw, const uint8_t *code_rx, const VexExitSite *e, const void *target);
/** Is exit @p e chained? */
bool vex_is_chained(const uint8_t *code, const VexExitSite *e);
/** Undo vex_chain(). */
void vex_unchain(uint8_t *code_rw, const uint8_t *code_rx, const VexExitSite *e);

/**
 * For a signal that hit translated code: write the guest registers that live in host registers
 * (host context @p uc, an ucontext_t*) into the state, as of the start of the present guest
 * instruction, and set guest.pc to @p guest_pc.
 */
void vex_state_from_context(VexState *s, const void *uc, unsigned mode, GuestAddr guest_pc);

/** A quick function (VexQuick) faulted: what is not in @p s yet, floating point and vectors, goes there. */
void vex_state_from_quick(VexState *s, const void *uc);
/**
 * Take the guest's condition codes from the host context @p uc: to be called besides
 * vex_state_from_context() if the VexPoint of the fault says cc_in_host.
 */
void vex_cc_from_context(VexState *s, const void *uc);

/**
 * Change the host context @p uc of a signal that hit translated code so that the handler's
 * return makes vex_enter() return.  The state must be complete (vex_state_from_context());
 * exit_reason, exit_mode and guest.pc are left as the caller set them.
 */
void vex_context_leave(VexState *s, void *uc);

/**
 * For a signal that hit the interpreter at an access for the client (interp_access is not NONE);
 * the state is then that of the instruction's start.  True: the host context @p uc was changed so
 * that vex_interpret() returns after the handler.  False: the handler may jump out of
 * vex_interpret() instead.  exit_reason and exit_mode are not touched in either case.
 */
bool vex_interp_fault(VexState *s, void *uc);

/**
 * The jump cache: entry index for guest address @p pc, and the only way to empty a cache (an
 * empty entry's pc never equals the address that would be looked up there).
 */
static inline unsigned vex_jump_index(GuestAddr pc)
{
    return ((uint32_t)pc * 0x9e3779b1u) >> (32 - VEX_JUMP_CACHE_BITS);
}
void vex_jump_cache_clear(VexState *s);

/** Make a new state (vex_state_new()) ready to run translated code. After vex_init(). */
void vex_state_prepare(VexState *s);

/** True if @p host_pc is in one of the stubs or in vex_enter (guest state is in transit). */
bool vex_pc_in_stubs(const void *host_pc);

/** Copy the guest's x87 state from the host unit into the state if it is there (fpu_live). */
void vex_state_sync_fpu(VexState *s);

/** Bytes of memory that the guest instruction at @p pc accesses; 0 if none or not readable. */
unsigned vex_access_size(GuestAddr pc);

/** Components (bits of XCR0) and size in bytes of the XSAVE image that vex_xsave() makes. */
uint64_t vex_xsave_features(void);
size_t vex_xsave_size(void);
/** Write the x87, vector and mask registers as an XSAVE image; read them back. */
void vex_xsave(VexState *s, uint8_t *area);
void vex_xrstor(VexState *s, const uint8_t *area);

#endif
