/* SPDX-License-Identifier: MIT */
/* Commands that the client gives through VALGRIND_MONITOR_COMMAND: snapshots on request. */
#ifndef MASSIF_MONITOR_H
#define MASSIF_MONITOR_H

#include "massif.h"

/** A client request that is not the core's: is it such a command that is known? */
bool monitor_request(Thread *t, const uint64_t args[6], uint64_t *result);

#endif
