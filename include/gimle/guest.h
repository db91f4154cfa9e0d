/* SPDX-License-Identifier: MIT */
/*
 * What a tool may know about the guest's registers without knowing which processor it is:
 * their number, names, classes, sizes and places in the thread's state.
 */
#ifndef GIMLE_GUEST_H
#define GIMLE_GUEST_H

#include "ir.h"

typedef enum RegClass {
    RC_GPR,  /**< general integer register */
    RC_PC,   /**< program counter */
    RC_FLAG, /**< condition codes */
    RC_SYS,  /**< system register: never undefined */
    RC_VEC,  /**< vector register */
    RC_MASK, /**< AVX-512 mask register */
    RC_FPU   /**< the x87 unit as one 512-byte image */
} RegClass;

typedef struct GuestReg {
    const char *name;
    RegClass cls;
    uint16_t bytes;
    uint32_t offset; /**< in VexState; its shadow is VEX_SHADOW_DELTA further */
    int16_t dwarf;   /**< DWARF number or -1 */
} GuestReg;

typedef struct GuestInfo {
    const char *name;      /**< "amd64" */
    const GuestReg *regs;
    unsigned n_regs;
    RegId sp, pc, fp, flags; /**< well-known registers (fp: usual frame pointer) */
    RegId result;          /**< where functions return integers */
    RegId arg[3];          /**< where they get their first integer arguments */
    unsigned red_zone;     /**< bytes below SP that a function may use */
    unsigned word;         /**< bytes of a pointer */
} GuestInfo;

/** The guest of this core. */
extern const GuestInfo *const gimle_guest;

/** State offset in bytes of register @p r, shadow and tool registers included. */
uint32_t gimle_reg_offset(RegId r);
/** Size in bytes of register @p r. */
unsigned gimle_reg_size(RegId r);
/** Name of @p r in @p buf (at least 24 bytes): "rax", "rax.sh", "tool0". */
const char *gimle_reg_name(RegId r, char *buf);

struct VexState;
/**
 * The functions of IrCallees by which the lifter stores the registers in an image in the client's
 * memory (FXSAVE, XSAVE, XSAVEC) and loads them.  A tool recognises them in a CALL, and may run them
 * on a register file of its own (a copy of the shadow registers, laid out as the state is) and an
 * image of its own.  @p format: 0 is FXSAVE's, the others the lifter's.
 */
uint64_t amd64_state_to_memory(struct VexState *s, uint64_t addr, uint64_t format);
uint64_t amd64_state_from_memory(struct VexState *s, uint64_t addr, uint64_t format);
/** The number of the x87 register that is ST(0).  Light helpers may call it, too. */
unsigned amd64_x87_top(const struct VexState *s);

#endif
