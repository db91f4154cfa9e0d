/* SPDX-License-Identifier: MIT */
/*
 * The one lock that --parallel=no (or a tool that is not TOOL_PARALLEL) puts around guest code.  It
 * is fair: waiting threads get it in the order in which they asked, and the holder is asked to let
 * go every few milliseconds.  Without serialisation every function returns at once.
 */
#ifndef COREGRIND_SERIALISE_H
#define COREGRIND_SERIALISE_H

#include <stdbool.h>

void serialise_init(bool on);
void serialise_acquire(void);
void serialise_release(void);
/** True if the holder should let another thread run (asked at safe points). */
bool serialise_wanted(void);
/** Only the calling thread is left, and it holds the lock. */
void serialise_fork_child(void);

#endif
