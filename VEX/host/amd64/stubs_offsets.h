/* SPDX-License-Identifier: MIT */
/* Places in VexState for enter.S; stubs.c asserts each of them against state.h. */
#ifndef VEX_HOST_AMD64_STUBS_OFFSETS_H
#define VEX_HOST_AMD64_STUBS_OFFSETS_H

#define VS_GPR 0
#define VS_PC 128
#define VS_MXCSR 184
#define VS_K 192
#define VS_V 256
#define VS_FPU 2304
#define VS_TOOL 5632
#define VS_EXIT_REASON 8964
#define VS_EXIT_KIND 8968
#define VS_EXIT_MODE 8972
#define VS_EXIT_BLOCK 8976
#define VS_EXIT_INDEX 8980
#define VS_FPU_LIVE 8984
#define VS_CUR_MODE 8992
#define VS_STUBS 9000
#define VS_HOST_SP 9080
#define VS_HOST_MXCSR 9088
#define VS_HELPER_RET 9096
#define VS_SCRATCH 9104
#define VS_QUICK 9168
#define VS_JUMP_CACHE 9184

/* The jump cache: index of an address is its product with JUMP_HASH, its upper bits; entries and
   the caches of the modes are JUMP_ENTRY and JUMP_MODE bytes apart, by their logarithms. */
#define JUMP_HASH 0x9e3779b1
#define JUMP_BITS 12
#define JUMP_ENTRY 4
#define JUMP_MODE (JUMP_BITS + JUMP_ENTRY)
#define JUMP_MASK (((1 << JUMP_BITS) - 1) << JUMP_ENTRY)

/* In VexStubs. */
#define ST_ENTER_PINNED 32
#define ST_CALL_FULL_PINNED 48

#endif
