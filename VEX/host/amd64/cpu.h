/* SPDX-License-Identifier: MIT */
/* What the host processor can do, found out once by host_init(). */
#ifndef VEX_HOST_AMD64_CPU_H
#define VEX_HOST_AMD64_CPU_H

#include <stdbool.h>

typedef struct HostCpu {
    bool avx, avx2, avx512, bmi1, bmi2, lzcnt;
    unsigned vec_bytes;     /**< width of the vector registers: 16, 32 or 64 */
    unsigned ymm_off;       /**< in the XSAVE area of a signal frame: upper halves of ymm0-15 */
    unsigned k_off, zmm_hi_off, hi16_zmm_off; /**< likewise for AVX-512 */
} HostCpu;

extern HostCpu host_cpu;

#endif
