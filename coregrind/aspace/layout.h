/* SPDX-License-Identifier: MIT */
/*
 * The only place with address constants (DESIGN section 2).  The ranges of the client and the
 * shadows are those of gimle/memory.h; here is where things go inside the client's range.
 */
#ifndef COREGRIND_LAYOUT_H
#define COREGRIND_LAYOUT_H

#include "gimle/memory.h"

#define PAGE_SIZE_ 4096ULL
#define PAGE_DOWN(a) ((a) & ~(PAGE_SIZE_ - 1))
#define PAGE_UP(a) (((a) + PAGE_SIZE_ - 1) & ~(PAGE_SIZE_ - 1))

/** Lowest address the client may map (vm.mmap_min_addr's usual value). */
#define LAYOUT_CLIENT_MIN 0x10000ULL
/** Where position-independent executables go. */
#define LAYOUT_PIE_BASE 0x1000000000ULL
/** The interpreter of the executable (ld.so). */
#define LAYOUT_INTERP_BASE 0x1f0000000000ULL
/** Top of the main stack (exclusive). */
#define LAYOUT_STACK_TOP 0x1fffffff0000ULL
/** mmap goes top-down from here; the gap below the stack lets it grow. */
#define LAYOUT_MMAP_TOP 0x1fff00000000ULL
/** MAP_32BIT mappings: the second GiB, as the kernel does. */
#define LAYOUT_LOW_MMAP_MIN 0x40000000ULL
#define LAYOUT_LOW_MMAP_TOP 0x80000000ULL
/** Size of the pieces that a shadow without overcommit is committed in. */
#define LAYOUT_SHADOW_PIECE (64ULL << 20)

_Static_assert(LAYOUT_STACK_TOP < GIMLE_CLIENT_END, "the stack is the client's");
_Static_assert(LAYOUT_MMAP_TOP < LAYOUT_STACK_TOP, "room for the stack above the mmap area");
_Static_assert(GIMLE_CLIENT_END + GIMLE_SHADOW_DELTA == GIMLE_SHADOW2_BASE, "ranges are adjacent");

#endif
