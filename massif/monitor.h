/* SPDX-License-Identifier: MIT */
/* Commands that the client gives through VALGRIND_MONITOR_COMMAND: snapshots on request. */
#ifndef MASSIF_MONITOR_H
#define MASSIF_MONITOR_H

#include "massif.h"

/** GimleTool.monitor: is it such a command that is known? */
bool monitor_command(Thread *t, const char *command);

#endif
