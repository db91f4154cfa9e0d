/* SPDX-License-Identifier: MIT */
/* What translated code tells the exit stubs; also read by enter.S. */
#ifndef VEX_HOST_AMD64_EXIT_DATA_H
#define VEX_HOST_AMD64_EXIT_DATA_H

/** R10 at exit_indirect, exit_pending, exit_kind: four bytes. */
#define LEAVE_WORD(mode, from, pinned, kind)                                               \
    ((unsigned)(mode) | (unsigned)(from) << 8 | (unsigned)(pinned) << 16 | (unsigned)(kind) << 24)

#define EXIT_SITE 0
#define EXIT_MODE 4
#define EXIT_FROM 5
#define EXIT_PINNED 6
#define EXIT_TARGET 8

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/** Follows the call of exit_chain. */
typedef struct ExitData {
    int32_t site;   /**< the rel32 to patch, relative to the end of this field */
    uint8_t mode, from_mode, pinned, zero;
    uint64_t target;
} __attribute__((packed)) ExitData;

_Static_assert(offsetof(ExitData, site) == EXIT_SITE && offsetof(ExitData, mode) == EXIT_MODE &&
               offsetof(ExitData, from_mode) == EXIT_FROM &&
               offsetof(ExitData, pinned) == EXIT_PINNED &&
               offsetof(ExitData, target) == EXIT_TARGET, "enter.S reads these");
#endif

#endif
