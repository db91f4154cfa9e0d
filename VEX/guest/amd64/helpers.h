/* SPDX-License-Identifier: MIT */
/* C functions that translated amd64 code calls. */
#ifndef VEX_GUEST_AMD64_HELPERS_H
#define VEX_GUEST_AMD64_HELPERS_H

#include <stdbool.h>

#include "state.h"

/**
 * What CPUID tells the guest for @p leaf and @p subleaf: EAX in the low half and EBX in the
 * high half if @p pair is 0, ECX and EDX if it is 1.  (cpuid.c)
 */
uint64_t amd64_cpuid(VexState *s, uint64_t leaf, uint64_t subleaf, uint64_t pair);
/** The bits of ECX that CPUID looks at for @p leaf: none or all.  (cpuid.c) */
uint64_t amd64_cpuid_subleaf_bits(VexState *s, uint64_t leaf);

/** String instructions that amd64_string_backwards() knows. */
typedef enum StringKind { STRING_MOVE, STRING_STORE, STRING_LOAD } StringKind;

/** REP MOVS, STOS or LODS of elements of @p size bytes with the direction flag set.  (strings.c) */
uint64_t amd64_string_backwards(VexState *s, uint64_t kind, uint64_t size);

/** The state components (bits of XCR0) that we save and restore. */
#define XSAVE_COMPONENTS 0xe7u

/** Where component @p i (2 and above) lies in the standard XSAVE area. */
typedef struct XsaveComponent {
    uint32_t offset, size;
    bool align64; /**< starts at a multiple of 64 in the compacted area */
} XsaveComponent;
XsaveComponent xsave_component(unsigned i);
/** XCR0 of this processor, restricted to the components we know; 3 if it has no XSAVE. */
uint64_t xsave_enabled(void);

#endif
