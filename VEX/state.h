/* SPDX-License-Identifier: MIT */
/*
 * The state of one guest thread as translated code sees it.  In translated code the host's
 * RSP points at this structure: every field is one [rsp+disp] away, no register is lost to a
 * state pointer, and helpers that are called push their return addresses right below it
 * (each thread's VexState is the top of a host stack made for it, see vex_state_new()).
 *
 * Pinned modes keep most guest registers in host registers (VEX/host/amd64/regs.def); the
 * fields here are then stale until control leaves to C through one of the stubs.
 * Non-pinned modes keep every guest register here at each instruction boundary.
 */
#ifndef VEX_STATE_H
#define VEX_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "gimle/guest.h"

/** The registers of an amd64 guest, in the order of guest_amd64.def. */
typedef struct GuestAmd64 {
    uint64_t gpr[16];
    uint64_t pc;
    uint64_t cc; /**< see guest_amd64.def */
    uint64_t df;
    uint64_t fs_base, gs_base;
    uint64_t id_flag, ac_flag; /**< 0 or 1; the bits AC, NT and TF of RFLAGS */
    uint64_t mxcsr;
    uint64_t k[8];
    uint8_t v[32][64];
    uint8_t fpu[512]; /**< 16-byte aligned FXSAVE64 image */
} GuestAmd64;

#define VEX_SPILL_SLOTS 96
#define VEX_JUMP_CACHE_BITS 12
#define VEX_JUMP_CACHE_SIZE (1u << VEX_JUMP_CACHE_BITS)
#define VEX_MAX_MODES 4
#define VEX_RETURNS 2048 /* 16 KiB of stack */

/** One entry of the indirect jump cache: code is valid only for this very pc. */
typedef struct VexJumpEntry {
    GuestAddr pc;
    const void *code;
} VexJumpEntry;

/** Why translated code came back to the dispatcher (VexState.exit_reason). */
typedef enum VexExit {
    VEX_EXIT_CHAIN,    /**< direct exit, not yet chained or with pending set: exit_block and exit_index
                            tell which; guest.pc, exit_mode and cur_mode are not set */
    VEX_EXIT_INDIRECT, /**< pc is not in the jump cache, or pending was set */
    VEX_EXIT_PENDING,  /**< the interpreter or a fault handler stopped; pc is where to go on */
    VEX_EXIT_KIND      /**< exit_kind (an IrJumpKind that is not a plain jump) wants service */
} VexExit;

/** What the interpreter is at; faults in it are the client's. */
typedef enum VexInterpAccess {
    VEX_INTERP_NONE,
    VEX_INTERP_LOAD_STORE, /**< accessing memory for a LOAD or STORE, in C */
    VEX_INTERP_NATIVE,     /**< running a NATIVE */
    VEX_INTERP_FAULTED     /**< that NATIVE faulted */
} VexInterpAccess;

/** The stubs (host/amd64/enter.S) that translated code calls or jumps to, through the state. */
typedef struct VexStubs {
    const void *exit_chain;    /**< by call; its data follow (exit_data.h), the number of the exit is on the stack */
    const void *exit_indirect; /**< by jmp; target pc in the scratch register */
    const void *exit_kind;     /**< likewise */
    const void *redo;          /**< likewise, from pinned to other modes: through the jump cache */
    const void *enter_pinned;  /**< load pinned registers, jump to the address in the scratch register */
    const void *leave_pinned;  /**< store pinned registers, jump to the address in the scratch register */
    const void *call_full_pinned; /**< CALLEE_FULL from a pinned mode */
    const void *call_full;        /**< CALLEE_FULL from other modes */
    const void *fpu_load;         /**< load the guest's x87 state into the host unit, set fpu_live */
    const void *call_quick;       /**< CALLEE_QUICK from a pinned mode */
} VexStubs;

/**
 * What the first argument of a CALLEE_QUICK helper points to.  The quick function gets the guest's
 * registers rdi, rsi, rdx, rcx where they are, the VexState (with all general registers and the
 * pc in it) and `what`; it returns the guest's result and whether it has done the call, in
 * RAX and RDX.  Vector registers are not saved around it, since a function may change them all;
 * MXCSR and x87 state are the guest's.
 */
typedef struct VexQuick {
    const void *fn;
    const void *what;
} VexQuick;

typedef struct VexState {
    GuestAmd64 guest;
    GuestAmd64 shadow;            /**< REG_SHADOW_OF() registers */
    uint64_t tool[REG_TOOL_WORDS];/**< REG_TOOL() registers */
    uint8_t spill[VEX_SPILL_SLOTS][32];

    /* control */
    uint32_t pending;      /**< nonzero: leave translated code soon (set by other threads, signals) */
    uint32_t exit_reason;  /**< VexExit */
    uint32_t exit_kind;    /**< IrJumpKind */
    uint32_t exit_mode;    /**< mode to go on in, at guest.pc */
    uint32_t exit_block;   /**< for VEX_EXIT_CHAIN: number of the translation, see VexTranslation.id_off */
    uint32_t exit_index;   /**< and of its exit */
    uint64_t fpu_live;     /**< 1: the guest's x87 state is in the host's x87 unit */
    uint64_t cur_mode;     /**< mode of the code that runs or ran last */
    VexStubs stubs;
    uint64_t host_sp;      /**< RSP of the C caller while translated code runs */
    uint64_t host_mxcsr;   /**< MXCSR of C code */
    uint64_t helper_ret;   /**< host return address of the CALLEE_FULL call in progress */
    uint64_t scratch[8];   /**< for stubs */
    uint64_t quick;        /**< 1: a quick function runs, for the VexQuick in scratch[0] */
    void *thread;          /**< the Thread this state belongs to */
    VexJumpEntry jump_cache[VEX_MAX_MODES][VEX_JUMP_CACHE_SIZE];
    VexJumpEntry returns[VEX_RETURNS]; /**< of calls in progress, by the stack pointer after the return */
    uint32_t interp_access; /**< VexInterpAccess: set by the interpreter, read by fault handlers */
} VexState;

#define VEX_SHADOW_DELTA offsetof(VexState, shadow)
_Static_assert(offsetof(VexState, guest) == 0, "guest registers must be within disp8 of rsp");
_Static_assert(offsetof(GuestAmd64, v) % 64 == 0, "vector registers are accessed aligned");
_Static_assert(offsetof(GuestAmd64, fpu) % 16 == 0, "FXSAVE wants 16-byte alignment");
_Static_assert(sizeof(GuestAmd64) % 64 == 0, "the shadow file keeps the alignment");

/**
 * A new zeroed state (registers as after execve: MXCSR 0x1f80, x87 as after FNINIT, DF 1, CC
 * 0x0200) on top of its own host stack of @p stack_bytes with a guard page below.  NULL if out
 * of memory.  Freed by vex_state_free().
 */
VexState *vex_state_new(size_t stack_bytes);
void vex_state_free(VexState *s);

/** In GuestAmd64.ac_flag: each instruction is to be followed by a trap. */
#define VEX_TRAP_FLAG 0x100u

/** RFLAGS image as PUSHF would store it, from cc, df, id, ac. */
uint64_t vex_rflags_get(const GuestAmd64 *g);
/** Set cc, df, id, ac from an RFLAGS image. */
void vex_rflags_set(GuestAmd64 *g, uint64_t rflags);

#endif
