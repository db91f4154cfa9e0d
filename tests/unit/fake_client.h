/* SPDX-License-Identifier: MIT */
/*
 * A client that is only a table: stands in for debuginfo, unwind, thread and address space in tests
 * of what is above them.
 */
#ifndef TESTS_FAKE_CLIENT_H
#define TESTS_FAKE_CLIENT_H

#include "coregrind/debuginfo/debuginfo.h"
#include "gimle/memory.h"

/** A function of the fake client; frames whose pc is in [lo, hi) are described by it. */
typedef struct FakeFunction {
    GuestAddr lo, hi;
    const char *fn, *fn_raw, *file, *dir, *obj;
    unsigned line;
    const char *inlined_fn; /**< a function inlined there, or NULL */
} FakeFunction;

extern const FakeFunction *fake_functions; /**< ends with hi 0 */

/** The stack that unwinding finds. */
extern GuestAddr fake_pcs[64], fake_sps[64];
extern unsigned fake_depth;

/** A thread with this id. */
Thread *fake_thread(unsigned id);
/** Set SP and the stack's bounds for all threads. */
void fake_stack(GuestAddr sp, GuestAddr lo, GuestAddr hi);
/** The one mapping there is (end 0: none). */
extern GuestMapping fake_mapping;

#endif
