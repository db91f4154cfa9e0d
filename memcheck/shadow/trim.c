/* SPDX-License-Identifier: MIT */
/*
 * Most memory of most programs is defined, and the shadow of what was never anything else needs no
 * pages.  But slow and carry mode store the shadow of what they store without looking at what is
 * there, so pages full of zeros come to be.  When a program has grown by some megabytes they are
 * looked for and given back.  The heap sees to its own (coregrind/heap/parts.c).
 */
#include "gimle/thread.h"
#include "shadow.h"

enum { TRIM_BYTES = 8 << 20 };

void shadow_trim_after(size_t len)
{
    static size_t grown, worth = TRIM_BYTES;
    size_t looked_at = 0;
    GuestMapping m;
    grown += len < TRIM_BYTES ? len : TRIM_BYTES;
    if (grown < worth || gimle_thread_count() != 1)
        return;
    for (GuestAddr a = 0; gimle_mapping_next(a, &m); a = m.end)
        if (!m.is_heap_arena && !m.is_shared)
            looked_at += gimle_shadow_trim(m.start, m.end - m.start);
    grown = 0;
    worth = TRIM_BYTES + looked_at / 2; /* looking at as much as is new is cheap enough */
}
