/* SPDX-License-Identifier: MIT */
/*
 * Single words of client memory that is probably readable: a load that costs no more than any other.
 * If it faults, the handlers go on behind it (guest_access_fixup); before there are handlers it is
 * a plain load.
 */
#ifndef COREGRIND_GUARDED_LOAD_H
#define COREGRIND_GUARDED_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "gimle/memory.h"

/** Where the load is and where to go on after a fault, each relative to the member's address. */
typedef struct GuardedLoad {
    int32_t load, resume;
} GuardedLoad;

typedef uint64_t __attribute__((aligned(1), may_alias)) GuardedWord;

/** False, and 0 in @p out, if it faults. */
static inline bool guarded_load(GuestAddr a, uint64_t *out)
{
    uint64_t v;
    uint32_t ok = 1;
    __asm__ volatile("1:\tmovq %2, %0\n"
                     "2:\n"
                     "\t.pushsection .text.unlikely, \"ax\", @progbits\n"
                     "3:\txorl %k0, %k0\n"
                     "\txorl %1, %1\n"
                     "\tjmp 2b\n"
                     "\t.popsection\n"
                     "\t.pushsection guarded_loads, \"a\", @progbits\n"
                     "\t.balign 4\n"
                     "\t.long 1b - ., 3b - .\n"
                     "\t.popsection"
                     : "=r"(v), "+r"(ok)
                     : "m"(*(const GuardedWord *)(uintptr_t)a)
                     : "cc");
    *out = v;
    return ok;
}

#endif
