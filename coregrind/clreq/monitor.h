/* SPDX-License-Identifier: MIT */
/* Monitor commands of the core (VALGRIND_MONITOR_COMMAND); the tool has its own. */
#ifndef COREGRIND_MONITOR_H
#define COREGRIND_MONITOR_H

#include <stdbool.h>

#include "gimle/thread.h"

/** What others do for commands; members as in ClreqHooks. */
typedef struct MonitorHooks {
    void (*change_option)(const char *text);
    /** The tool's commands. */
    bool (*tool)(Thread *t, const char *command);
} MonitorHooks;

/** Do @p command, which thread @p t asked for, and print its results to the log; false: not known. */
bool monitor_do(Thread *t, const char *command, const MonitorHooks *hooks);

#endif
