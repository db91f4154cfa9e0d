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
#define VS_EXIT_SITE 8976
#define VS_FPU_LIVE 8984
#define VS_CUR_MODE 8992
#define VS_STUBS 9000
#define VS_HOST_SP 9072
#define VS_HOST_MXCSR 9080
#define VS_HELPER_RET 9088
#define VS_SCRATCH 9096

/* In VexStubs. */
#define ST_ENTER_PINNED 32

#endif
