/* SPDX-License-Identifier: MIT */
/*
 * Repeated string instructions that run downwards.  They are rare, since no compiler makes them
 * and the ABI wants the direction flag clear.  Registers change after each element, so a fault
 * finds the state that the processor would show.
 */
#include <string.h>

#include "guest_amd64.h"
#include "helpers.h"

uint64_t amd64_string_backwards(VexState *s, uint64_t kind, uint64_t size)
{
    volatile uint64_t *r = s->guest.gpr;
    while (r[AMD64_RCX]) {
        uint64_t v = r[AMD64_RAX];
        if (kind != STRING_STORE)
            memcpy(&v, (const void *)r[AMD64_RSI], size);
        if (kind != STRING_LOAD)
            memcpy((void *)r[AMD64_RDI], &v, size);
        if (kind == STRING_LOAD)
            r[AMD64_RAX] = size == 4 ? (uint32_t)v : v;
        if (kind != STRING_STORE)
            r[AMD64_RSI] -= size;
        if (kind != STRING_LOAD)
            r[AMD64_RDI] -= size;
        r[AMD64_RCX]--;
    }
    return 0;
}
