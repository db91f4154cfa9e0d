/* SPDX-License-Identifier: MIT */
/* V bits of the x87 and MMX registers (x87.c, mmx.c). */
#ifndef MEMCHECK_X87_H
#define MEMCHECK_X87_H

#include "native.h"

/** Once, before any helper runs. */
void x87_init(void);
/** Guest register that is the x87 unit. */
RegId x87_register(void);
/** V bits of its register @p reg, by number. */
uint64_t *x87_vbits(struct VexState *s, unsigned reg);
/** In full helpers: the low 64 bits of register @p reg, by number: an MMX register. */
uint64_t x87_value(const struct VexState *s, unsigned reg);

/** V bits (I64) of the memory operand; those of different words together. */
IrRef x87_memory_input(Nat *t);
/** @p v: V bits (I64) of each word of the memory operand that is written. */
void x87_memory_output(Nat *t, IrRef v);

/** Instructions with x87 or MMX registers. */
void native_rule_x87(Nat *t);
/** Those with MMX registers. */
void native_rule_mmx(Nat *t);

#endif
