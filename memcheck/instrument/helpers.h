/* SPDX-License-Identifier: MIT */
/* The C functions that instrumented code calls. */
#ifndef MEMCHECK_HELPERS_H
#define MEMCHECK_HELPERS_H

#include "gimle/ir.h"
#include "../shadow/shadow.h"

/** (old, new): the stack pointer goes from old to new. */
extern const IrEntry mc_helper_sp_change;
/** (sp): a call; the callee's red zone below sp holds nothing of the caller's. */
extern const IrEntry mc_helper_call;
/** (old, new): likewise in Go's code, see sp_change_go(). */
extern const IrCallee mc_helper_sp_change_go;
uint64_t mc_sp_change(struct VexState *s, uint64_t old, uint64_t new);
/** () -> I64: address of 64 bytes in the thread state that native instructions may use. */
extern const IrCallee mc_helper_scratch;
/** (): zero the shadow registers that are stale: slow code is about to read them. */
extern const IrCallee mc_helper_freshen;
/** (address, size): a load found the reserved pattern; V bits come in and go out in TW_VBITS. */
extern const IrCallee mc_helper_load;
/** (address, size): likewise a store; final shadow in TW_VBITS. */
extern const IrCallee mc_helper_store;
/** (address, size): a large range is read; its bytes are checked and their V bits lost. */
extern const IrCallee mc_helper_big_load;
/** (address, size): a large range is written with defined data. */
extern const IrCallee mc_helper_big_store;
/** (mask): find out which registers of the bits in mask are undefined. */
extern const IrCallee mc_helper_note_regs;
/** (origin): a condition depends on undefined bits. */
extern const IrCallee mc_helper_bad_cond;
/** (size, origin): a value of size bytes is used and undefined. */
extern const IrCallee mc_helper_bad_value;

#endif
