/* SPDX-License-Identifier: MIT */
/*
 * The back end as the rest of VEX sees it: IR block in, host code out, and the one-instruction
 * service for the interpreter.  What runs and patches the code is in vex.h.
 */
#ifndef VEX_HOST_HOST_H
#define VEX_HOST_HOST_H

#include "gimle/ir.h"
#include "gimle/native.h"
#include "vex.h"

struct Arena;

/** What code for this processor depends on. */
uint64_t host_features(void);

/** Find out what the host processor has. Called once by vex_init(). */
void host_init(void);

/**
 * Compile @p b, whose mode has the properties @p mode_flags (VM_*), into @p buf (writable view),
 * to run at @p run_addr (executable view, same alignment modulo 16).  Fills code, code_len,
 * points and exits of @p out.  False if @p size is too small.  Thread-safe.
 */
bool host_compile(const IrBlock *b, unsigned mode_flags, uint8_t *buf, size_t size,
                  const uint8_t *run_addr, struct Arena *arena, VexTranslation *out);

/**
 * Execute one NATIVE instruction on the state for the interpreter; @p addr is the address of its
 * memory operand if it has one.  Registers, condition codes, x87 and MXCSR are those of @p s.
 */
void host_native_exec(VexState *s, const NativeInsn *n, uint64_t addr);

/** The stubs for this processor, to be put into each new VexState. */
void host_stubs(VexStubs *out);

/** Print @p len bytes of host code, which run at @p run_addr, one instruction a line. */
void host_disassemble(const uint8_t *code, size_t len, const uint8_t *run_addr,
                      void (*out)(void *ctx, const char *text), void *ctx);

#endif
